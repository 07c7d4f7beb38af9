import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { runWell } from '../../support/run.ts';

const head = (subject: string): string =>
  `From: bob@out.example\r\nMessage-ID: <${subject}@out.example>\r\nSubject: ${subject}\r\n\r\n`;
/** Every kind of line that a maildrop could spoil, 8-bit octets that are no UTF-8, and more than any buffer holds. */
const MAILS: readonly Buffer[] = [
  Buffer.from(`${head('dots')}.\r\n..\r\n.one\r\n...\r\nin the .middle\r\n\r\n.\r\n`),
  Buffer.concat([Buffer.from(head('8-bit')), Buffer.from([0xe9, 0xff, 0xfe, 0x80, 0x0d, 0x0a])]),
  Buffer.from(`${head('large')}${`.${'z'.repeat(70)}\r\n`.repeat(40_000)}`),
];
const INBOX = 'ann@in.example';
const PASSWORD = 'any';

/** As files of mail have it. */
const withLineFeeds = (mail: Buffer): Buffer => Buffer.from(mail.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');

/** The message is what was sent, with the trace in front of it and nothing else. */
function expectSame(fetched: Buffer, sent: Buffer): void {
  const trace = fetched.subarray(0, fetched.length - sent.length).toString('latin1');
  expect(fetched.subarray(trace.length).equals(sent)).toBe(true);
  expect(trace).toMatch(/^Return-Path: <bob@out\.example>\r?\nReceived: from .*\r?\n(?:\t.*\r?\n)*$/);
}

describeWithPeers('POP3', ['curl', 'python3', 'mpop', 'fetchmail', 'getmail'], (peers) => {
  let daemon: DaemonProcess;
  let folder: string;
  let port: string;
  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--listen', 'pop3://127.0.0.1:0', '--listen', 'pop3s://127.0.0.1:0'] });
    folder = mkdtempSync(join(tmpdir(), 'inboxd-pop3-'));
    port = new URL(daemon.url('pop3')).port;
    for (const [index, mail] of MAILS.entries()) {
      const path = join(folder, `${index}.eml`);
      writeFileSync(path, mail);
      const envelope = ['--mail-from', 'bob@out.example', '--mail-rcpt', INBOX];
      await runWell(peers.curl, ['-sS', `smtp://127.0.0.1:${daemon.smtpPort}/out`, ...envelope, '-T', path]);
    }
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await daemon.stop();
  });

  const filesIn = (path: string): Buffer[] =>
    readdirSync(path)
      .sort()
      .map((name) => readFileSync(join(path, name)));

  it.each([
    ['in clear text', 'pop3', []],
    ['after STLS', 'pop3', ['-k', '--ssl-reqd']],
    ['over pop3s', 'pop3s', ['-k']],
  ] as const)('curl fetches every message unchanged %s', async (_, protocol, args) => {
    for (const [index, mail] of MAILS.entries()) {
      const path = join(folder, `curl-${index}`);
      const url = `${protocol}://127.0.0.1:${new URL(daemon.url(protocol)).port}/${index + 1}`;
      await runWell(peers.curl, ['-sS', ...args, '-u', `${INBOX}:${PASSWORD}`, url, '-o', path]);
      expectSame(readFileSync(path), mail);
    }
  });

  it('mpop fetches every message once, by its unique id', async () => {
    for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(folder, 'mpop', name), { recursive: true });
    const fetch = () =>
      runWell(peers.mpop, [
        ...['--host=127.0.0.1', `--port=${port}`, `--user=${INBOX}`, `--passwordeval=echo ${PASSWORD}`, '--auth=user'],
        ...['--tls=off', '--keep=on', `--delivery=maildir,${join(folder, 'mpop')}`, '--received-header=off'],
        ...[`--uidls-file=${join(folder, 'uidls')}`],
      ]);
    await fetch();
    await fetch();
    const fetched = filesIn(join(folder, 'mpop', 'new')).sort((a, b) => a.length - b.length);
    const sent = MAILS.map(withLineFeeds).sort((a, b) => a.length - b.length);
    expect(fetched).toHaveLength(MAILS.length);
    for (const [index, mail] of sent.entries()) expectSame(fetched[index]!, mail);
  });

  it('fetchmail fetches every message unchanged', async () => {
    mkdirSync(join(folder, 'fetchmail'));
    const rc = join(folder, 'fetchmailrc');
    const mda = `/bin/sh -c 'cat > ${join(folder, 'fetchmail')}/$$'`;
    const account = `user "${INBOX}" password "${PASSWORD}" keep fetchall no rewrite sslproto "" mda "${mda}"`;
    const server = `poll 127.0.0.1 protocol pop3 port ${port} auth password:`;
    writeFileSync(rc, `set invisible\n${server}\n  ${account}\n`, { mode: 0o600 });
    const options = { env: { FETCHMAILHOME: folder } };
    await runWell(peers.fetchmail, ['-f', rc, '--nodetach', '--nosyslog', '--pidfile', join(folder, 'pid')], options);
    const fetched = filesIn(join(folder, 'fetchmail')).sort((a, b) => a.length - b.length);
    const sent = MAILS.map(withLineFeeds).sort((a, b) => a.length - b.length);
    expect(fetched).toHaveLength(MAILS.length);
    for (const [index, mail] of sent.entries()) expectSame(fetched[index]!, mail);
  });

  it('getmail6 fetches every message', async () => {
    const out = join(folder, 'getmail.out');
    const rc = join(folder, 'getmailrc');
    const sections = [
      `[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = ${port}`,
      `username = ${INBOX}\npassword = ${PASSWORD}`,
      `[destination]\ntype = MDA_external\npath = /usr/bin/tee\narguments = ("-a", "${out}")\nallow_root_commands = true`,
      '[options]\ndelivered_to = false\nreceived = false\ndelete = false',
    ];
    writeFileSync(rc, `${sections.join('\n')}\n`, { mode: 0o600 });
    await runWell(peers.getmail, ['--getmaildir', folder, '--rcfile', rc]);
    const fetched = readFileSync(out).toString('latin1');
    for (const mail of MAILS) {
      // it parses headers, and writes them anew
      const [, body = ''] = withLineFeeds(mail)
        .toString('latin1')
        .split(/\n\n(.*)/s);
      expect(fetched).toContain(body);
    }
  });

  it('poplib counts what it gets, sees the top and deletes at QUIT', async () => {
    const script = `
import json, poplib
pop = poplib.POP3('127.0.0.1', ${port})
pop.user('${INBOX}'); pop.pass_('${PASSWORD}')
facts = {'stat': pop.stat(), 'capa': sorted(pop.capa())}
facts['sizes'] = [int(line.split()[1]) for line in pop.list()[1]]
facts['octets'] = [sum(len(line) + 2 for line in pop.retr(n)[1]) for n in (1, 2, 3)]
facts['top'] = [line.decode() for line in pop.top(1, 2)[1]][-3:]
ids = pop.uidl()[1]
pop.dele(1); pop.quit()
pop = poplib.POP3('127.0.0.1', ${port})
pop.user('${INBOX}'); pop.pass_('${PASSWORD}')
facts['left'] = [line.split()[1] for line in pop.uidl()[1]] == [line.split()[1] for line in ids[1:]]
pop.quit()
print(json.dumps(facts))
`;
    const { stdout } = await runWell(peers.python3, ['-c', script]);
    const facts = JSON.parse(stdout);
    expect(facts.octets).toEqual(facts.sizes);
    expect(facts.stat).toEqual([3, facts.sizes.reduce((sum: number, one: number) => sum + one, 0)]);
    expect(facts.top).toEqual(['', '.', '..']);
    expect(facts.capa).toContain('PIPELINING');
    expect(facts.left).toBe(true);
  });
});
