/*
 * Saves messages until it is killed, and prints the id of each once the store has promised to keep it.
 *   node store-saver.ts FOLDER
 */
import { createSpool } from '../../src/mail/content.ts';
import { createId } from '../../src/mail/message.ts';
import { spoolDirectory } from '../../src/store/sqlite/layout.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { sampleMessage } from '../store/support.ts';
import { rawOf } from './store-messages.ts';

const directory = process.argv[2]!;
const store = await createSqliteStore({
  directory,
  naming: 'full',
  keepPerInbox: 0,
  keepBytes: 0,
  keepAgeMs: 0,
  report: () => {},
});
console.log('open');
const spool = createSpool({ directory: spoolDirectory(directory) });

async function caller(number: number): Promise<never> {
  for (;;) {
    const id = createId();
    const raw = rawOf(id);
    const writer = spool();
    for (let at = 0; at < raw.length; at += 50_000) await writer.write(raw.subarray(at, at + 50_000));
    const content = await writer.finish(false);
    await store.save(sampleMessage({ id, content, to: [`box${number}@example.com`] }));
    console.log(id); // to a pipe this is written before it returns
    content.release();
  }
}

await Promise.all(Array.from({ length: 8 }, (_, number) => caller(number)));
