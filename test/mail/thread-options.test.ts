import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { threadOptions } from '../../src/mail/thread-options.ts';
import { CHURN } from '../support/churn.ts';

describe('the heap of a thread', () => {
  it.each([[undefined], [512]])(
    'has 3 MiB for new objects, however many it makes (limit for the others: %s)',
    async (mebibytes) => {
      const worker = new Worker(CHURN, { ...threadOptions(mebibytes), eval: true });
      const [bytes] = await once(worker, 'message');
      await worker.terminate();
      expect(bytes).toBeLessThanOrEqual(3 * 2 ** 20);
    },
  );

  it('is bounded where that is wanted', () => {
    expect(threadOptions(512).resourceLimits?.maxOldGenerationSizeMb).toBe(512);
    expect(threadOptions().resourceLimits).not.toHaveProperty('maxOldGenerationSizeMb');
  });
});

/** Starts a thread of a process that keeps what Node.js makes of sources in a folder, and tells where they say that is. */
const CACHE = `
  const { enableCompileCache, getCompileCacheDir } = await import('node:module');
  const { Worker } = await import('node:worker_threads');
  const { threadOptions } = await import(process.argv[1]);
  if (process.argv[2]) enableCompileCache(process.argv[2]);
  const told = "require('node:worker_threads').parentPort.postMessage(require('node:module').getCompileCacheDir())";
  const worker = new Worker(told, { ...threadOptions(), eval: true });
  worker.on('message', (folder) => console.log(JSON.stringify([getCompileCacheDir(), folder])));
`;

describe('what Node.js made of sources', () => {
  const options = fileURLToPath(new URL('../../src/mail/thread-options.ts', import.meta.url));
  const told = async (...folder: string[]): Promise<unknown> => {
    const given = ['--input-type=module', '--eval', CACHE, options, ...folder];
    const { stdout } = await promisify(execFile)(process.execPath, given, { env: { PATH: process.env.PATH } });
    return JSON.parse(stdout);
  };

  it('is kept for a thread where it is kept for the process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inboxd-made-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [own, ofThread] = (await told(folder)) as string[];
    expect(own).toContain(folder);
    expect(ofThread).toBe(own);
  });

  it('is kept nowhere if the process keeps nothing', async () => {
    expect(await told()).toEqual([null, null]);
  });
});
