import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CHURN } from '../support/churn.ts';

/** A program whose command line gives V8 much memory for new objects. @param bounds what it does before it starts a thread @returns MiB */
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
  return Number(stdout) / 2 ** 20;
}

describe('the heaps of a daemon', () => {
  it('have bounds of their own in threads, whatever the command line gives the first', async () => {
    expect(await space('keepHeapsSmall();')).toBeLessThanOrEqual(3);
  });

  it('would not have them otherwise', async () => {
    expect(await space('')).toBeGreaterThan(3);
  });
});
