import { createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fate } from '../../src/responders/carrier.ts';
import { createSmarthost, type Smarthost } from '../../src/responders/smarthost.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const CONTENT = Buffer.from('Subject: hi\r\n\r\n.dot\r\nlast\r\n');

interface Sent {
  readonly fate: Fate;
  /** How often it was handed over. */
  readonly handed: number;
}

async function send(port: number, changes: Partial<Smarthost> = {}, recipient = 'ann@there.example'): Promise<Sent> {
  let handed = 0;
  const smarthost: Smarthost = { host: '127.0.0.1', port, tls: 'offered', login: null, ...changes };
  const carrier = createSmarthost({ smarthost, hostname: 'mx.here.example', connectMs: 5_000, replyMs: 5_000 });
  const head = {
    mail: 1,
    kind: 'answer',
    message: '01',
    inbox: 'echo@a',
    recipient,
    queuedAt: 0,
    attempts: 0,
  } as const;
  async function* content() {
    yield CONTENT.subarray(0, 5);
    yield CONTENT.subarray(5);
  }
  const handOver = async (): Promise<void> => void handed++;
  const fate = await carrier.carry({ ...head, content, handOver });
  return { fate, handed };
}

/** A server that answers each line by a table of what the client's line begins with; `hang up` ends the connection. */
async function scripted(replies: Readonly<Record<string, string>>): Promise<number> {
  const all: Record<string, string> = {
    EHLO: '250 s',
    MAIL: '250 ok',
    RCPT: '250 ok',
    DATA: '354 go',
    '.': '250 ok',
    QUIT: '221 bye',
    ...replies,
  };
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the client has gone
    let isContent = false;
    let rest = '';
    socket.write(`${all.greeting ?? '220 s'}\r\n`);
    socket.on('data', (data) => {
      const lines = (rest + data.toString('latin1')).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (isContent && line !== '.') continue;
        const key = Object.keys(all).find((one) => line.startsWith(one));
        isContent = line.startsWith('DATA') && all.DATA!.startsWith('3');
        const reply = key === undefined ? '500 what' : all[key]!;
        if (reply === 'hang up') socket.destroy();
        else socket.write(`${reply}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as { port: number }).port;
}

async function real(options: SMTPServerOptions): Promise<{ port: number; got: string[] }> {
  const got: string[] = [];
  const server = new SMTPServer({
    logger: false,
    disableReverseLookup: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        got.push(
          `${session.user ?? ''}|${session.secure}|${from}|${rcptTo.map(({ address }) => address)}|${Buffer.concat(chunks)}`,
        );
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {}); // clients that refuse its certificate
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  undo.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as { port: number }).port, got };
}

const login = { user: 'me', password: async () => 'pass word' };
const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) => {
  if (username === 'me' && password === 'pass word') done(null, { user: 'me' });
  else done(new Error('no'));
};

describe('a smarthost', () => {
  it('gets the mail with the null reverse-path, byte for byte', async () => {
    const { port, got } = await real({ authOptional: true, disabledCommands: ['STARTTLS'] });
    expect(await send(port)).toEqual({ fate: { kind: 'sent', where: 'smarthost' }, handed: 1 });
    expect(got).toEqual([`|false||ann@there.example|${CONTENT}`]);
  });

  it('gets login and encryption, with any certificate where nobody asked for a good one', async () => {
    const { port, got } = await real({ onAuth });
    expect((await send(port, { login })).fate).toEqual({ kind: 'sent', where: 'smarthost' });
    expect(got).toEqual([`me|true||ann@there.example|${CONTENT}`]);
  });

  it('with a certificate that nobody vouches for gets nothing where encryption is required', async () => {
    const { port, got } = await real({ onAuth });
    for (const tls of ['required', 'implicit'] as const) {
      expect(await send(port, { login, tls })).toMatchObject({ fate: { kind: 'later', forAll: true }, handed: 0 });
    }
    expect(got).toEqual([]);
  });

  it('without encryption gets no password where it is required', async () => {
    const { port, got } = await real({ onAuth, disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    expect(await send(port, { login, tls: 'required' })).toMatchObject({
      fate: { kind: 'later', forAll: true },
      handed: 0,
    });
    expect(got).toEqual([]);
  });

  it('that refuses the login is asked again later', async () => {
    const { port } = await real({ onAuth });
    const wrong = { user: 'me', password: async () => 'wrong' };
    expect(await send(port, { login: wrong })).toMatchObject({ fate: { kind: 'later', forAll: true }, handed: 0 });
    const missing = { user: 'me', password: async () => Promise.reject(new Error('no such file')) };
    expect((await send(port, { login: missing })).fate).toEqual({ kind: 'later', why: 'no such file', forAll: true });
  });

  it.each([
    ['does not answer', { greeting: '421 busy' }, { kind: 'later', forAll: true }, 0],
    ['hangs up at once', { EHLO: 'hang up' }, { kind: 'later', forAll: true }, 0],
    ['refuses the sender', { MAIL: '550 no bounces' }, { kind: 'refused' }, 0],
    ['refuses the recipient', { RCPT: '550 5.1.1 nobody' }, { kind: 'refused' }, 0],
    ['puts the recipient off', { RCPT: '450 4.2.0 greylisted' }, { kind: 'later', forAll: false }, 0],
    ['refuses DATA', { DATA: '554 no' }, { kind: 'refused' }, 0],
    ['closes', { RCPT: '421 closing' }, { kind: 'later', forAll: true }, 0],
    ['hangs up before the content', { DATA: 'hang up' }, { kind: 'later', forAll: true }, 0],
    ['refuses the content', { '.': '554 spam' }, { kind: 'refused' }, 1],
    ['has no room for the content', { '.': '452 full' }, { kind: 'later', forAll: false }, 1],
    ['hangs up instead of taking it', { '.': 'hang up' }, { kind: 'unknown' }, 1],
  ] as const)('that %s', async (_, replies, fate, handed) => {
    expect(await send(await scripted(replies))).toMatchObject({ fate, handed });
  });

  it('that nobody listens at is asked again later', async () => {
    const port = await scripted({});
    for (const step of undo.splice(0)) await step();
    expect(await send(port)).toMatchObject({ fate: { kind: 'later', forAll: true }, handed: 0 });
  });

  it('is not asked to take an address that ends the command', async () => {
    const port = await scripted({});
    const { fate, handed } = await send(port, {}, 'a@b>\r\nRCPT TO:<c@d');
    expect([fate.kind, handed]).toEqual(['refused', 0]);
  });
});
