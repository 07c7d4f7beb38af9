import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** A thread that makes many objects, some of which last for a while, and then says how large its space for new ones is. */
const CHURN = `
  let kept = [];
  for (let n = 0; n < 1e6; n++) {
    const made = { n, text: 'x' + n, list: [n] };
    if (n % 50 === 0) kept.push(made);
    if (kept.length > 10_000) kept = [];
  }
  const { space_size } = require('node:v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  require('node:worker_threads').parentPort.postMessage(space_size / 2 ** 20);
`;

/** A program whose command line gives V8 much memory for new objects. @param bounds what it does before it starts a thread */
async function space(bounds: string): Promise<number> {
  const at = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
  const program = `
    const { Worker } = await import('node:worker_threads');
    const { keepHeapsSmall } = await import(${JSON.stringify(at('system/heaps.ts'))});
    const { threadOptions } = await import(${JSON.stringify(at('mail/thread-options.ts'))});
    ${bounds}
    const worker = new Worker(${JSON.stringify(CHURN)}, { ...threadOptions(), eval: true });
    worker.on('message', (size) => console.log(size));
  `;
  const given = ['--max-semi-space-size=16', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, given);
  return Number(stdout);
}

describe('the heaps of a daemon', () => {
  it('have bounds of their own in threads, whatever the command line gives the first', async () => {
    expect(await space('keepHeapsSmall();')).toBeLessThanOrEqual(3);
  });

  it('would not have them otherwise', async () => {
    expect(await space('')).toBeGreaterThan(3);
  });
});
