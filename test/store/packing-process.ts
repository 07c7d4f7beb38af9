import { createNewsletters } from '../bench/disk/newsletters.ts';
import { openUnbounded } from '../bench/unbounded-store.ts';
import { createRandom } from '../support/random.ts';
import { sampleMessage } from './support.ts';

/*
 * Saves and removes newsletters without end and prints each before and after, until it is killed.
 *   node test/store/packing-process.ts FOLDER SEED
 */
const [directory = '', seed = '1'] = process.argv.slice(2);
const random = createRandom(Number(seed));
const make = createNewsletters(7);
const store = await openUnbounded(directory);
const kept: string[] = [];
for (let n = Number(seed) * 100_000; ; n++) {
  const { raw, to } = make(n);
  const message = sampleMessage({ raw, to: [to] });
  await store.accept(message);
  console.log(`kept ${message.id} ${n}`);
  kept.push(message.id);
  if (n % 3 === 0) {
    const [id = ''] = kept.splice(Math.floor(random() * kept.length), 1);
    console.log(`removing ${id}`);
    await store.remove({ ids: [id] });
    console.log(`removed ${id}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
