import { execFileSync, spawn } from 'node:child_process';
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLineWriter } from '../../src/report/line-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'inboxd-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fifo(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

describe('line writer', () => {
  it('writes every line in order and says when', async () => {
    const path = join(folder, 'log');
    const fd = openSync(path, 'w');
    const writer = createLineWriter(fd);
    for (let line = 0; line < 10_000; line++) {
      writer.write(`${line}\n`);
      if (line % 1000 === 0) await new Promise(setImmediate);
    }
    await writer.flush();
    closeSync(fd);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toEqual(
      Array.from({ length: 10_000 }, (_, line) => String(line)),
    );
  });

  it('writes what waits at once when the process is about to exit', () => {
    const path = join(folder, 'sync');
    const fd = openSync(path, 'w');
    const writer = createLineWriter(fd);
    writer.write('last words\n');
    writer.flushSync();
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('last words\n');
  });

  it('loses lines rather than memory when nobody reads, and tells how many', async () => {
    const path = fifo('stalled');
    const fd = openSync(path, 'r+'); // both ends, so that opening waits for nobody
    const lost: number[] = [];
    const writer = createLineWriter(fd, { waitingCharacters: 100_000, onLost: (lines) => lost.push(lines) });
    for (let count = 0; count < 1000; count++) writer.write(`${'x'.repeat(999)}\n`);
    const written = writer.flush(); // a pipe holds 64 KiB: the rest waits for the reader
    let read = 0;
    for await (const chunk of createReadStream(path, { fd: openSync(path, 'r') })) {
      read += (chunk as Buffer).length;
      if (read === 100_000) break;
    }
    await written;
    closeSync(fd);
    expect(lost).toEqual([900]);
  });

  it('survives a full disk and goes on when there is room', async () => {
    const fd = openSync('/dev/full', 'w');
    const lost: number[] = [];
    const writer = createLineWriter(fd, { onLost: (lines) => lost.push(lines) });
    writer.write('one\ntwo\n');
    await writer.flush();
    writer.write('three\n');
    writer.flushSync();
    closeSync(fd);
    expect(lost).toEqual([]); // nothing got through since
  });

  it('ends the log and nothing else when the pipe breaks', async () => {
    const path = fifo('broken');
    const reader = spawn('sh', ['-c', 'exec < "$0"', path], { stdio: 'ignore' });
    const fd = openSync(path, 'w');
    await new Promise((resolve) => reader.on('exit', resolve));
    const writer = createLineWriter(fd);
    writer.write('to nobody\n');
    await writer.flush();
    writer.write('again\n');
    await writer.flush();
    writer.flushSync();
    closeSync(fd);
  });
});
