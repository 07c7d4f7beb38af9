import { openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLineWriter, type LineWriter, type LineWriterOptions } from '../report/line-writer.ts';
import { SystemError } from './errors.ts';

/** A log file that may be rotated. */
export interface LogFile extends LineWriter {
  /**
   * Opens the path anew, after somebody has moved the file away.
   * @throws SystemError LOG_UNWRITABLE; the log then goes on in the file it had
   */
  reopen(): void;
}

/**
 * Opens a log file to append to.
 * @throws SystemError LOG_UNWRITABLE
 */
export function openLogFile(path: string, options: LineWriterOptions = {}): LogFile {
  const writer = createLineWriter(open(path), options);
  return { ...writer, reopen: () => writer.replace(open(path)) };
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no folder ${dirname(path)}; make it first` : message;
    throw new SystemError('LOG_UNWRITABLE', `cannot open the log file ${path}: ${why}`, { cause });
  }
}
