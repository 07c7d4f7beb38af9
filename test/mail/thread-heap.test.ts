import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { threadHeap } from '../../src/mail/thread-heap.ts';

/** A thread that makes many objects, some of which last for a while, and then says how large its space for new ones is. */
const CHURN = `
  const { parentPort } = require('node:worker_threads');
  let kept = [];
  for (let n = 0; n < 1e6; n++) {
    const made = { n, text: 'x' + n, list: [n] };
    if (n % 50 === 0) kept.push(made);
    if (kept.length > 10_000) kept = [];
  }
  const { space_size } = require('node:v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  parentPort.postMessage(space_size);
`;

describe('the heap of a thread', () => {
  it.each([[undefined], [512]])(
    'has 8 MiB for new objects, however many it makes (limit for the others: %s)',
    async (mebibytes) => {
      const worker = new Worker(CHURN, { eval: true, execArgv: [], resourceLimits: threadHeap(mebibytes) });
      const [bytes] = await once(worker, 'message');
      await worker.terminate();
      expect(bytes).toBeLessThanOrEqual(8 * 2 ** 20);
    },
  );

  it('is bounded where that is wanted', () => {
    expect(threadHeap(512).maxOldGenerationSizeMb).toBe(512);
    expect(threadHeap()).not.toHaveProperty('maxOldGenerationSizeMb');
  });
});
