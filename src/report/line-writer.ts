import { closeSync, write, writeSync } from 'node:fs';

/**
 * Writes log lines to a file descriptor without ever holding up or ending the daemon.
 *
 * pino's own destination (sonic-boom) was refused for what happens when the other side fails: on a full disk its flush
 * at exit tries for ever, its memory is unbounded unless lines are dropped silently, and an error it meets ends the process.
 * Here lines of one turn go out in one write, done by libuv's threads; a reader that stalls costs at most
 * `waitingCharacters` of memory, then lines are lost and counted; a broken pipe ends the log and nothing else.
 */
export interface LineWriter {
  /** Takes whole lines, each with its line feed. */
  write(text: string): void;
  /** Resolves when everything taken so far is written or lost. */
  flush(): Promise<void>;
  /** Writes what waits before returning; for a process about to exit. Gives up on a stalled reader after a second. */
  flushSync(): void;
}

/** A line writer whose descriptor can change. */
export interface DescriptorWriter extends LineWriter {
  /** Goes on with another descriptor, as after a rotation; what is being written is finished on the old one, which is then closed. */
  replace(next: number): void;
}

export interface LineWriterOptions {
  readonly waitingCharacters?: number;
  /** Told the number of lines lost, once lines get through again. */
  readonly onLost?: (lines: number) => void;
}

const RETRY_MS = 20;
const FLUSH_SYNC_MS = 1000;
const CLOSED = new Set(['EPIPE', 'EBADF', 'ECONNRESET', 'ENOTCONN']);

export function createLineWriter(first: number, options: LineWriterOptions = {}): DescriptorWriter {
  const { waitingCharacters = 4 * 1024 * 1024, onLost } = options;
  let fd = first;
  const retired: number[] = [];
  let waiting = '';
  let lost = 0;
  let isBusy = false;
  let isClosed = false;
  const idlers: (() => void)[] = [];

  function take(text: string): void {
    if (isClosed) return;
    if (waiting.length + text.length > waitingCharacters) {
      lost += countLines(text);
      return;
    }
    waiting += text;
    if (isBusy) return;
    isBusy = true;
    setImmediate(writeWaiting);
  }

  function writeWaiting(): void {
    for (const old of retired.splice(0)) closeSync(old);
    if (waiting === '' || isClosed) {
      isBusy = false;
      for (const done of idlers.splice(0)) done();
      return;
    }
    const bytes = Buffer.from(waiting);
    waiting = '';
    writeAll(fd, bytes, 0);
  }

  function writeAll(to: number, bytes: Buffer, from: number): void {
    write(to, bytes, from, bytes.length - from, null, (error, written) => {
      if (error) fail(error, to, bytes, from);
      else if (from + written < bytes.length) writeAll(to, bytes, from + written);
      else succeed();
    });
  }

  function succeed(): void {
    if (lost > 0) {
      const lines = lost;
      lost = 0;
      onLost?.(lines);
    }
    writeWaiting();
  }

  function fail(error: NodeJS.ErrnoException, to: number, bytes: Buffer, from: number): void {
    if (error.code === 'EAGAIN') {
      setTimeout(writeAll, RETRY_MS, to, bytes, from);
      return;
    }
    if (CLOSED.has(error.code ?? '') && to === fd) isClosed = true;
    else lost += countLines(bytes.toString('latin1', from)); // a full disk: there is nobody to tell but the log itself, later
    writeWaiting();
  }

  return {
    write: take,
    flush() {
      return isBusy ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve();
    },
    replace(next) {
      retired.push(fd);
      fd = next;
      isClosed = false;
      if (!isBusy) for (const old of retired.splice(0)) closeSync(old);
    },
    flushSync() {
      const bytes = Buffer.from(waiting);
      waiting = '';
      if (!isClosed) writeAllSync(fd, bytes);
    },
  };
}

/** Writes until done, until an error that waiting does not cure, or for a second at most. */
function writeAllSync(fd: number, bytes: Buffer): void {
  const end = Date.now() + FLUSH_SYNC_MS;
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > end) return; // no one is left to tell
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
