import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import type { RunResult } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { Folder, inboxd, type Serving, serve } from './support.ts';

const HOSTILE_SUBJECT = '=?utf-8?Q?red=1B[31m=E2=80=AE?=';

function mail(subject: string, body = 'Hello there.\r\n'): Buffer {
  const headers = [
    'From: Me <me@here.example>',
    'To: you@there.example',
    `Subject: ${subject}`,
    'Date: Sat, 21 Nov 2026 05:00:00 +0000',
  ];
  return Buffer.from(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

/** What the commands show is the same beside a daemon and without one. */
describe.each(['a daemon running', 'no daemon running'])('with %s', (situation) => {
  const folder = new Folder();
  const data = folder.at('data');
  let daemon: DaemonProcess | undefined;
  const ids: string[] = [];

  const command = (...args: string[]): Promise<RunResult> => inboxd([...args, '--data', data]);
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await command(...args, '--json')).stdout);

  beforeAll(async () => {
    daemon = await startDaemon({ data });
    const client = await SmtpClient.open(daemon.smtpPort);
    const send = async (to: string[], content: Buffer) =>
      ids.push(...(await deliver(client, { from: 'me@here.example', to, content })));
    await send(['you@there.example'], mail('first'));
    await send(['you+tag@there.example', 'other@there.example'], mail('second', 'Line one.\r\n\u001b[2JLine two.\r\n'));
    await send(['third@there.example'], mail(HOSTILE_SUBJECT));
    await send(['fourth@there.example'], mail('fourth'));
    await client.quit();
    if (situation === 'no daemon running') {
      await daemon.stop();
      daemon = undefined;
    }
  });

  afterAll(async () => {
    await daemon?.stop();
    folder[Symbol.dispose]();
  });

  it('ls lists inboxes with counts, bytes and newest', async () => {
    const { code, stdout, stderr } = await command('ls');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^MESSAGES +UNREAD +SIZE +NEWEST +INBOX$/);
    expect(lines).toHaveLength(5);
    expect(stdout).toMatch(/^ +2 +2 +\d+ B {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}you@there\.example$/m);
    expect(await json('ls')).toContainEqual(
      expect.objectContaining({ inbox: 'you@there.example', messages: 2, unread: 2 }),
    );
  });

  it('ls lists the messages of an inbox, newest first, by its name or any address that goes there', async () => {
    const expected = [
      expect.objectContaining({ id: ids[1], subject: 'second' }),
      expect.objectContaining({ id: ids[0], subject: 'first' }),
    ];
    expect(await json('ls', 'you@there.example')).toEqual(expected);
    expect(await json('ls', 'You+any.tag@THERE.example')).toEqual(expected);
    const { stdout } = await command('ls', 'you@there.example');
    expect(stdout.trimEnd().split('\n')[1]).toMatch(new RegExp(`^${ids[1]}  .* Me +second$`));
  });

  it('ls of an unknown inbox is exit code 1', async () => {
    expect(await command('ls', 'nobody@there.example')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'inboxd: no inbox nobody@there.example\n',
    });
  });

  it('show prints a readable page, with nothing in it that could steer a terminal', async () => {
    const { code, stdout } = await command('show', ids[1]!);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Envelope: <me@here\.example> to <you\+tag@there\.example>, <other@there\.example>$/m);
    expect(stdout).toMatch(
      /^Inboxes: +(other@there\.example, you@there\.example|you@there\.example, other@there\.example)$/m,
    );
    expect(stdout).toMatch(/^Subject: +second$/m);
    expect(stdout).toMatch(/\n\nLine one\.\n\\x1b\[2JLine two\.\n$/);
    for (const args of [
      ['show', ids[2]!],
      ['ls', 'third@there.example'],
      ['show', ids[2]!, '--json'],
      ['ls', 'third@there.example', '--json'],
    ]) {
      expect((await command(...args)).stdout.replaceAll('\n', ''), args.join(' ')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it('show latest is the newest, show --raw the very bytes', async () => {
    expect(await json('show', 'latest')).toMatchObject({
      id: ids[3],
      subject: 'fourth',
      text: expect.stringContaining('Hello there.'),
    });
    expect((await command('show', 'latest', '--raw')).stdout).toBe(mail('fourth').toString());
    expect((await command('show', ids[1]!, '--raw')).stdout).toContain('\u001b[2J');
  });

  it('show of an unknown message is exit code 1', async () => {
    expect(await command('show', 'nope')).toEqual({ code: 1, stdout: '', stderr: 'inboxd: no message nope\n' });
    expect((await command('show', 'nope', '--raw')).code).toBe(1);
  });

  it('rm removes what is there and names what is not', async () => {
    expect(await command('rm', ids[3]!, 'nope')).toEqual({
      code: 1,
      stdout: 'removed 1 message\n',
      stderr: 'inboxd: no message nope\n',
    });
    expect((await command('show', ids[3]!)).code).toBe(1);
    expect(await command('rm', 'nope')).toEqual({ code: 1, stdout: '', stderr: 'inboxd: no message nope\n' });
  });

  it('rm --inbox empties one inbox and leaves the message in the other', async () => {
    expect(await json('rm', '--inbox', 'you+x@there.example')).toEqual({ removed: [ids[1], ids[0]], missing: [] });
    expect((await command('ls', 'you@there.example')).code).toBe(1);
    expect(await json('ls', 'other@there.example')).toMatchObject([{ id: ids[1] }]);
    expect(await command('rm', '--inbox', 'you@there.example')).toMatchObject({
      code: 1,
      stderr: 'inboxd: no inbox you@there.example\n',
    });
  });

  it('rm --all removes the rest, and then finds nothing', async () => {
    expect(await command('rm', '--all')).toEqual({ code: 0, stdout: 'removed 2 messages\n', stderr: '' });
    expect(await command('rm', '--all')).toEqual({ code: 1, stdout: '', stderr: 'inboxd: no mail to remove\n' });
    expect(await command('ls')).toEqual({ code: 0, stdout: '', stderr: 'inboxd: no mail yet\n' });
    expect(await command('show', 'latest')).toEqual({ code: 1, stdout: '', stderr: 'inboxd: no mail yet\n' });
  });
});

describe('rm beside a daemon', () => {
  async function withOneMail(folder: Folder, ...args: string[]): Promise<Serving> {
    const serving = await serve(['--port', '0', '--data', folder.at('data'), ...args]);
    const client = await SmtpClient.open(serving.port('smtp'));
    await deliver(client, { from: '', to: ['a@b.example'], content: mail('x') });
    await client.quit();
    return serving;
  }

  it('asks it over a UNIX socket too', async () => {
    using folder = new Folder();
    await using _serving = await withOneMail(folder, '--listen', `http://${folder.at('http.sock')}`);
    const removed = await inboxd(['rm', '--all', '--data', folder.at('data')]);
    expect(removed).toEqual({ code: 0, stdout: 'removed 1 message\n', stderr: '' });
  });

  it('names its process when it has no HTTP listener', async () => {
    using folder = new Folder();
    await using serving = await withOneMail(folder, '--no-http');
    const data = folder.at('data');
    expect(await inboxd(['rm', '--all', '--data', data])).toEqual({
      code: 2,
      stdout: '',
      stderr: `inboxd: the daemon that uses ${data} (process ${serving.pid}) has no HTTP listener to ask; stop it first, then try again\n`,
    });
  });
});
