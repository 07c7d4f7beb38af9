import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createSpool } from '../../src/mail/content.ts';
import { makeDirectory } from '../../src/mail/make-directory.ts';
import { createMaildirSink } from '../../src/sinks/maildir.ts';

const folder = mkdtempSync(join(tmpdir(), 'inboxd-folders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a folder for mail', () => {
  it('is made with all above it, for its owner alone; one that is there stays', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeDirectory(path);
    makeDirectory(path);
    for (const made of [path, join(folder, 'a')]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('is not made where a file stands', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeDirectory(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => makeDirectory(join(folder, 'file', 'x'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  // the recursive mkdir of Node.js never comes back from here
  it.runIf(process.platform === 'linux')(
    'fails where the kernel makes none, for spool and Maildir as well',
    async () => {
      expect(() => makeDirectory('/proc/inboxd/spool')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
      expect(() => createMaildirSink('/proc/inboxd/mail', 'mx.test')).toThrow(
        expect.objectContaining({ code: 'ENOENT' }),
      );
      const writer = createSpool({ directory: '/proc/inboxd/spool', memoryBytes: 0 })();
      await writer.write(Buffer.alloc(100_000));
      await expect(writer.finish(false)).rejects.toMatchObject({ code: 'ENOENT' });
      writer.abort();
    },
  );
});
