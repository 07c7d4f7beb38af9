import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentOf, createSpool } from '../../src/mail/content.ts';
import { traceHeaders } from '../../src/mail/trace.ts';
import { createMaildirSink } from '../../src/sinks/maildir.ts';
import { mail, sampleMessage } from '../store/support.ts';
import { findPeer } from '../support/program.ts';
import { runWell } from '../support/run.ts';

const HOST = 'mx.example.com';
const never = new AbortController().signal;

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'inboxd-maildir-')), 'Mail');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const files = (folder: string): string[] => readdirSync(join(directory, folder));

describe('maildir sink', () => {
  it.each([1, 2, 3, 100])(
    'puts the trace in front, LF for CR LF, all else as sent (%i octets at a time)',
    async (step) => {
      const sink = createMaildirSink(directory, HOST);
      const raw = Buffer.from('\0a\r\n\xff.\r\n\r\r\n\rb\n\n\r\n\r', 'latin1');
      const views = Array.from({ length: Math.ceil(raw.length / step) }, (_, n) =>
        raw.subarray(n * step, (n + 1) * step),
      );
      const message = sampleMessage({ content: contentOf(views) });
      expect(await sink(message, never)).toBeUndefined();
      const [name] = files('new');
      const delivered = readFileSync(join(directory, 'new', name!));
      const sent = Buffer.concat([traceHeaders(message, HOST), raw]).toString('latin1');
      expect(delivered.toString('latin1')).toBe(sent.replaceAll('\r\n', '\n'));
      expect(statSync(join(directory, 'new', name!)).mode & 0o777).toBe(0o600);
      expect(files('tmp')).toEqual([]);
      expect(files('cur')).toEqual([]);
    },
  );

  it('takes large contents from their spool file and leaves that alone', async () => {
    const sink = createMaildirSink(directory, HOST);
    const writer = createSpool({ directory: join(directory, '..', 'spool') })();
    const raw = Buffer.alloc(300_000, 'line\r\n');
    await writer.write(raw);
    const message = sampleMessage({ content: await writer.finish(false) });
    await sink(message, never);
    const delivered = readFileSync(join(directory, 'new', files('new')[0]!));
    expect(delivered.subarray(-250_000).toString()).toBe('line\n'.repeat(50_000));
    expect(readdirSync(join(directory, '..', 'spool'))).toHaveLength(1);
  });

  it('names every file differently, sorted by time, also for one message delivered twice', async () => {
    const sink = createMaildirSink(directory, 'a/strange:name');
    const message = sampleMessage();
    await Promise.all(Array.from({ length: 50 }, () => sink(message, never)));
    expect(files('new')).toHaveLength(50);
    for (const name of files('new')) {
      expect(name).toMatch(new RegExp(`^\\d{10}\\.${process.pid}_\\d+_${message.id}\\.a\\\\057strange\\\\072name$`));
    }
  });

  it('delivers what is in quarantine into a folder of its own, made when there is some', async () => {
    const sink = createMaildirSink(directory, HOST);
    await sink(sampleMessage(), never);
    expect(readdirSync(directory).sort()).toEqual(['cur', 'new', 'tmp']);
    const message = { ...sampleMessage(), quarantine: '' };
    await sink(message, never);
    await sink({ ...message, quarantine: 'looks odd' }, never);
    expect(files('new')).toHaveLength(1);
    expect(files('.Quarantine').sort()).toEqual(['cur', 'maildirfolder', 'new', 'tmp']);
    const delivered = files('.Quarantine/new');
    expect(delivered.map((name) => name.includes(message.id))).toEqual([true, true]);
    expect(statSync(join(directory, '.Quarantine', 'new', delivered[0]!)).mode & 0o777).toBe(0o600);
  });

  it('delivers nothing once nobody waits any more', async () => {
    const sink = createMaildirSink(directory, HOST);
    await expect(sink(sampleMessage(), AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect([...files('new'), ...files('tmp')]).toEqual([]);
  });

  it('throws the error of the system, and leaves nothing', async () => {
    const sink = createMaildirSink(directory, HOST);
    rmSync(join(directory, 'new'), { recursive: true });
    await expect(sink(sampleMessage(), never)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(files('tmp')).toEqual([]);
    expect(() => createMaildirSink('/dev/null/Mail', HOST)).toThrow('ENOTDIR');
  });

  const python = findPeer('python3');
  it.skipIf(!python && !process.env.CI)('is read by Python’s mailbox', async () => {
    const sink = createMaildirSink(directory, HOST);
    await sink(sampleMessage({ raw: mail('First', 'One\r\n\r\nTwo') }), never);
    await sink(sampleMessage({ raw: mail('Second', 'Three'), from: '' }), never);
    const script = `
import mailbox, json, sys
box = mailbox.Maildir(sys.argv[1], create=False)
print(json.dumps(sorted([m['Subject'], m['Return-Path'], m.get_payload()] for m in box)))`;
    const { stdout } = await runWell(python!, ['-c', script, directory]);
    expect(JSON.parse(stdout)).toEqual([
      ['First', '<sender@example.org>', 'One\n\nTwo\n'],
      ['Second', '<>', 'Three\n'],
    ]);
  });

  const mutt = findPeer('mutt');
  it.skipIf(!mutt && !process.env.CI)('is read by mutt, which shows no CR', async () => {
    const sink = createMaildirSink(directory, HOST);
    await sink(sampleMessage({ raw: mail('To be read', 'First line\r\n\r\nLast line') }), never);
    const copy = join(directory, '..', 'copy');
    // without a terminal: pipe the only message, decoded as mutt would show it, into a file, and quit
    const keys = `<pipe-message>cat > ${copy}<enter><quit>`;
    const settings = ['set pipe_decode=yes', 'set wait_key=no', 'set quit=yes', `push "${keys}"`];
    const args = ['-n', '-F', '/dev/null', '-R', '-f', directory, ...settings.flatMap((line) => ['-e', line])];
    await runWell('timeout', ['15', 'script', '-q', '-e', '-c', [mutt, ...args.map(quote)].join(' '), '/dev/null'], {
      env: { TERM: 'xterm', HOME: join(directory, '..') },
    });
    const shown = readFileSync(copy, 'utf8');
    expect(shown).not.toContain('^M');
    expect(shown).not.toContain('\r');
    expect(shown).toContain('Subject: To be read\n');
    expect(shown).toContain('\nFirst line\n\nLast line\n');
  });
});

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
