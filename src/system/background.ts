import { spawn } from 'node:child_process';
import { SystemError } from './errors.ts';
import { MALLOC_ENVIRONMENT, NODE_FLAGS } from './heaps.ts';

/** How long the daemon in the background may take to get ready. */
const READY_MS = 120_000;

/**
 * Starts this program again in a session of its own, without terminal, and waits until it says that it is ready. What it
 * complains about until then appears on our standard error.
 * @param args arguments that make it run in the foreground
 * @returns 0 when it is ready, else the exit code that it ended with
 * @throws SystemError DAEMON_SILENT if it neither gets ready nor ends by itself
 */
export async function runInBackground(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...NODE_FLAGS, ...process.execArgv, ...args], {
    env: { ...MALLOC_ENVIRONMENT, ...process.env },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr!.pipe(process.stderr, { end: false });
  const code = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new SystemError('DAEMON_SILENT', `the daemon was not ready after ${READY_MS / 1000} s and was ended`));
    }, READY_MS);
    child.once('message', () => resolve(0));
    child.once('error', reject);
    // close, not exit: its last words are to come first
    child.once('close', (exit, signal) => {
      if (exit !== null && exit !== 0) resolve(exit);
      else reject(new SystemError('DAEMON_SILENT', `the daemon ended with ${signal ?? exit} before it was ready`));
    });
    child.once('close', () => clearTimeout(timer));
    child.once('message', () => clearTimeout(timer));
  });
  if (child.connected) child.disconnect();
  child.stderr!.destroy();
  child.unref();
  return code;
}

/** Tells whoever sent us to the background that we are ready, and lets go of it. */
export function tellReady(): void {
  if (process.send === undefined) return;
  // whoever waited is gone after this: what we still say on standard error has no reader
  process.stderr.on('error', () => {});
  process.send('ready', () => {
    if (process.connected) process.disconnect();
  });
}
