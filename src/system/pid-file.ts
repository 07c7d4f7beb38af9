import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { SystemError } from './errors.ts';

/** The file that tells others our process id. */
export interface PidFile {
  /** Removes it, if it still is ours. */
  release(): void;
}

/**
 * Writes the pid file. One that a killed daemon left is replaced.
 * @throws SystemError PID_FILE_TAKEN if its daemon is running, or nothing can be written there
 */
export function takePidFile(path: string, pid: number = process.pid): PidFile {
  const other = readPid(path);
  if (other !== undefined && other !== pid && isOurs(other)) {
    throw new SystemError('PID_FILE_TAKEN', `${path} names process ${other}, an inboxd that is running`);
  }
  try {
    rmSync(path, { force: true });
    const descriptor = openSync(path, 'wx', 0o644);
    writeSync(descriptor, `${pid}\n`);
    closeSync(descriptor);
  } catch (cause) {
    throw new SystemError('PID_FILE_TAKEN', `cannot write the pid file ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return {
    release() {
      if (readPid(path) === pid) rmSync(path, { force: true });
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined; // none there, or none that can be read: writing tells
  }
}

/** True if a process lives and is an inboxd: ids are given to others again. */
function isOurs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('inboxd');
  } catch {
    return true; // no /proc to ask
  }
}
