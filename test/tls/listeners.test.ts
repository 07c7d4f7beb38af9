import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon, type Report } from '../../src/index.ts';
import { createMemorySpool } from '../../src/mail/content.ts';
import { discard } from '../../src/sinks/discard.ts';
import { SMTP_LIMITS, type SmtpLimits } from '../../src/smtp/limits.ts';
import { prepare, Session } from '../../src/smtp/session.ts';
import { smtp } from '../../src/smtp/table.ts';
import { ListenerContexts } from '../../src/tls/context.ts';
import { identityOf } from '../../src/tls/identity.ts';
import { makeCertificate, makeKey } from '../../src/tls/self-signed.ts';
import { Connection } from '../../src/wire/connection.ts';
import { Listener, Places } from '../../src/wire/listener.ts';
import { createUpgrade } from '../../src/wire/tls-upgrade.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

let reports: Report[] = [];
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  reports = [];
});
/** For what one test starts: a connection that is cut at its end may report after it. */
const reporter = () => {
  const own = reports;
  return (one: Report): void => void own.push(one);
};
const ends = () => reports.flatMap((one) => (one.type === 'session-end' ? [one] : []));

async function start(config: Parameters<typeof createDaemon>[0]): Promise<{ daemon: Daemon; ports: number[] }> {
  const daemon = await createDaemon({ data: ':memory:', hostname: 'mx.test', ...config }, { report: reporter() });
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return { daemon, ports: daemon.listeners.map(({ url }) => Number(new URL(url).port)) };
}

/** An SMTP listener with limits of its own. */
async function listen(limits: Partial<SmtpLimits>, implicit: boolean, places = 100) {
  const key = makeKey();
  const contexts = new ListenerContexts([identityOf(await makeCertificate('mx.test', key), key)]);
  const upgrade = createUpgrade({ contextFor: contexts.contextFor, protocols: ['smtp'], asksCertificate: false });
  const services = prepare({
    protocol: 'SMTP',
    hostname: 'mx.test',
    limits: { ...SMTP_LIMITS, ...limits },
    sink: discard,
    spool: createMemorySpool(),
    report: reporter(),
    bareNewlines: 'reject',
    lenientSyntax: false,
    starttls: !implicit,
    room: () => Number.POSITIVE_INFINITY,
  });
  const free = new Places(places);
  const listener = new Listener({
    at: { host: '127.0.0.1', port: 0 },
    gate: {
      enter: () => (free.take() ? undefined : Buffer.alloc(0)),
      leave: () => free.give(),
      hold: () => (free.take() ? undefined : Buffer.alloc(0)),
      release: () => free.give(),
    },
    serve: (peer) => new Connection(peer, smtp, new Session(services, '127.0.0.1', 1), { upgrade, implicit }),
  });
  const bound = await listener.listen();
  undo.push(() => listener.stop(0));
  return { listener, port: 'port' in bound ? bound.port : 0 };
}

const mail = ['EHLO x.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', 'x\r\n.', 'QUIT'];

describe('a listener that begins with TLS', () => {
  it('greets behind the handshake and takes mail (RFC 8314 §3)', async () => {
    const { daemon, ports } = await start({ listen: ['smtps://127.0.0.1:0', 'lmtps://127.0.0.1:0'] });
    for (const [index, hello] of ['EHLO', 'LHLO'].entries()) {
      const client = await WireClient.openSecure(ports[index]!);
      expect(await client.hear(/^220 mx\.test [EL]S?MTP inboxd\r\n/)).toContain(index === 0 ? 'ESMTP' : 'LMTP');
      expect(await client.ask(`${hello} x.test`)).toMatch(/REQUIRETLS/);
      expect(await client.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /);
      for (const command of mail.slice(1)) expect(await client.ask(command), command).toMatch(/^[23]/);
      client.end();
      await client.closed();
    }
    const messages = (await daemon.store.list({})).messages.map(
      async ({ id }) => (await daemon.store.get(id))?.protocol,
    );
    expect((await Promise.all(messages)).sort()).toEqual(['ESMTPS', 'LMTPS']);
  });

  it('says nothing to who speaks in clear text', async () => {
    const { ports } = await start({ listen: ['smtps://127.0.0.1:0'] });
    const client = await WireClient.open(ports[0]!);
    client.send('EHLO x.test\r\n');
    expect(await client.closed()).not.toMatch(/[2-5]\d\d[ -]/);
    await until(() => ends().length === 1);
    expect(ends()[0]).toMatchObject({ reason: 'handshake', hello: '', commands: 0 });
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('speaks no %s', async (version) => {
    const { ports } = await start({ listen: ['smtps://127.0.0.1:0'] });
    const old = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' };
    await expect(WireClient.openSecure(ports[0]!, old)).rejects.toThrow();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await WireClient.openSecure(ports[0]!, { minVersion: version, maxVersion: version });
      expect(client.tls.getProtocol()).toBe(version);
      client.destroy();
    }
  });

  it.each(['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384'])(
    'agrees on no cipher without forward secrecy or authentication: %s',
    async (ciphers) => {
      const { ports } = await start({ listen: ['smtps://127.0.0.1:0'] });
      const weak = { ciphers: `${ciphers}:@SECLEVEL=0`, maxVersion: 'TLSv1.2' } as const;
      await expect(WireClient.openSecure(ports[0]!, weak)).rejects.toThrow();
    },
  );

  it('refuses who wants to speak another protocol (ALPN)', async () => {
    const { ports } = await start({ listen: ['smtps://127.0.0.1:0', 'https://127.0.0.1:0'] });
    const [smtps = 0, https = 0] = ports;
    for (const [port, wrong, right] of [
      [smtps, ['h2', 'http/1.1'], 'smtp'],
      [https, ['smtp', 'imap'], 'http/1.1'],
    ] as const) {
      await expect(WireClient.openSecure(port, { ALPNProtocols: [...wrong] })).rejects.toThrow();
      const client = await WireClient.openSecure(port, { ALPNProtocols: [...wrong, right] });
      expect(client.tls.alpnProtocol).toBe(right);
      client.destroy();
    }
    const silent = await WireClient.openSecure(smtps);
    await silent.hear(/^220 /);
    silent.destroy();
  });

  it('closes a client too many before its handshake', async () => {
    const { port, listener } = await listen({}, true, 1);
    const first = await WireClient.openSecure(port);
    await first.hear(/^220 /);
    await expect(WireClient.openSecure(port)).rejects.toThrow();
    first.destroy();
    await until(() => listener.connections === 0);
    (await WireClient.openSecure(port)).destroy();
  });
});

describe('a client certificate', () => {
  it('is asked for where that is wanted, and its subject is kept; who has none is served too', async () => {
    const { daemon, ports } = await start({ listen: ['smtps://127.0.0.1:0'], tlsClientCert: true });
    const key = makeKey();
    const cert = await makeCertificate('client.test', key);
    const subjects: (string | undefined)[] = [];
    for (const own of [{ cert, key }, {}]) {
      const client = await WireClient.openSecure(ports[0]!, own);
      await client.hear(/^220 /);
      await client.hear(/\r\n/);
      for (const command of mail) await client.ask(command);
      client.end();
      await client.closed();
      const [newest] = (await daemon.store.list({ limit: 1 })).messages;
      subjects.push((await daemon.store.get(newest!.id))?.client.tls?.subject);
    }
    expect(subjects).toEqual(['CN=client.test', undefined]);
  });
});

describe('TLS tickets across listeners: a session', () => {
  async function resumes(port: number, session: Buffer | undefined, version: 'TLSv1.2' | 'TLSv1.3') {
    const options = { minVersion: version, maxVersion: version, ...(session && { session }) };
    const client = await WireClient.openSecure(port, options);
    await client.hear(/^220 /);
    const found = { reused: client.tls.isSessionReused(), session: session ?? (await client.ticket()) };
    client.destroy();
    return found;
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('goes on at its own listener and at no other (%s)', async (version) => {
    const listen = ['smtps://127.0.0.1:0', 'smtps://127.0.0.1:0', 'lmtps://127.0.0.1:0', 'smtp://127.0.0.1:0'];
    const { ports } = await start({ listen, tlsClientCert: true });
    const [own = 0, other = 0, lmtps = 0, starttls = 0] = ports;
    const { session } = await resumes(own, undefined, version);
    expect((await resumes(own, session, version)).reused).toBe(true);
    for (const port of [other, lmtps]) expect((await resumes(port, session, version)).reused).toBe(false);
    const client = await WireClient.open(starttls);
    await client.hear(/^220 .*\r\n/);
    await client.ask('STARTTLS');
    const socket = await client.upgrade({ minVersion: version, maxVersion: version, ...(session && { session }) });
    expect(socket.isSessionReused()).toBe(false);
    client.destroy();
  });

  it('goes on behind a reload that changed nothing', async () => {
    const { ports, daemon } = await start({ listen: ['smtps://127.0.0.1:0'] });
    const { session } = await resumes(ports[0]!, undefined, 'TLSv1.3');
    await daemon.reload();
    expect((await resumes(ports[0]!, session, 'TLSv1.3')).reused).toBe(true);
  });
});

describe('Dead sockets: a handshake', () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;

  it.each([true, false])('that never ends is cut and leaks nothing (from the first octet: %s)', async (implicit) => {
    const { port, listener } = await listen({ handshakeMs: 300 }, implicit);
    await pause(50);
    const base = descriptors();
    const clients = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const client = await WireClient.open(port);
        if (!implicit) {
          await client.hear(/^220 .*\r\n/);
          await client.ask('STARTTLS');
        }
        // nothing, the start of a record, and a drip that never makes one
        if (index % 3 === 1) client.send(Buffer.from('1603010200', 'hex'));
        if (index % 3 === 2) {
          const drip = setInterval(() => client.send(Buffer.from('16', 'hex')), 40);
          undo.push(() => clearInterval(drip));
        }
        return client;
      }),
    );
    await Promise.all(clients.map((client) => client.closed()));
    await until(() => listener.connections === 0);
    for (const { reason } of ends()) expect(['timeout', 'handshake']).toContain(reason);
    expect(ends()).toHaveLength(30);
    await until(() => descriptors() <= base);
  });

  it.each([true, false])('that breaks off leaves nothing behind (from the first octet: %s)', async (implicit) => {
    const { port, listener } = await listen({}, implicit);
    await pause(50);
    const base = descriptors();
    for (let count = 0; count < 30; count++) {
      const client = await WireClient.open(port);
      if (!implicit) {
        await client.hear(/^220 .*\r\n/);
        await client.ask('STARTTLS');
      }
      if (count % 2 === 0) client.send(Buffer.from('160301', 'hex'));
      if (count % 3 === 0) client.reset();
      else if (count % 3 === 1) client.end();
      else client.destroy();
      await client.closed();
    }
    await until(() => listener.connections === 0 && ends().length === 30);
    await until(() => descriptors() <= base);
    expect(reports.filter(({ type }) => type === 'crash')).toEqual([]);
  });

  it('under way is cut when the daemon stops', async () => {
    const { port, listener } = await listen({}, true);
    const client = await WireClient.open(port);
    await until(() => listener.connections === 1);
    await listener.stop(5_000);
    await client.closed();
    expect(ends()).toMatchObject([{ reason: 'shutdown' }]);
  });
});

describe('the pump on an encrypted connection', () => {
  it('answers what came before the client closed its half', async () => {
    const { port } = await listen({}, true);
    const client = await WireClient.openSecure(port);
    await client.hear(/^220 .*\r\n/);
    client.send('EHLO x.test\r\nNOOP\r\nMAIL FROM:<a@b.test>\r\n');
    client.end();
    expect(await client.closed()).toMatch(/250 2\.0\.0 OK\r\n250 2\.1\.0 Sender OK\r\n$/);
  });

  it('stops reading a client that does not read, and cuts it', async () => {
    const { port } = await listen({ writeMs: 300 }, true);
    const client = await WireClient.openSecure(port);
    await client.hear(/^220 .*\r\n/);
    client.tls.pause();
    const help = Buffer.from('HELP\r\n'.repeat(10_000));
    const more = setInterval(() => {
      if (client.tls.writableLength < 1 << 20) client.send(help);
    }, 1);
    undo.push(() => clearInterval(more));
    await until(() => ends().length === 1);
    expect(['unread', 'failures']).toContain(ends()[0]?.reason);
    client.destroy();
  });

  it('bounds the wait for a whole command', async () => {
    const { port } = await listen({ commandMs: 200 }, true);
    const client = await WireClient.openSecure(port);
    await client.hear(/^220 .*\r\n/);
    client.send('EHL');
    expect(await client.closed()).toMatch(/^421 4\.4\.2 /);
  });

  it('says its last word to a client that goes on sending', async () => {
    const { port } = await listen({ lingerMs: 300 }, true);
    const client = await WireClient.openSecure(port);
    await client.hear(/^220 .*\r\n/);
    client.send('GET / HTTP/1.1\r\n');
    client.send(Buffer.alloc(500_000, 'x\r\n'));
    await client.hear(/^421 4\.5\.2 .*\r\n/);
    client.destroy();
  });

  it('does not take a cut connection for the end of a message', async () => {
    const { daemon, ports } = await start({ listen: ['smtps://127.0.0.1:0'] });
    const client = await WireClient.openSecure(ports[0]!);
    await client.hear(/^220 .*\r\n/);
    for (const command of mail.slice(0, 4)) await client.ask(command);
    client.send('a message without an end\r\n');
    client.destroy(); // no close_notify
    await until(() => ends().length === 1);
    expect((await daemon.store.stats()).messages).toBe(0);
  });

  it('carries a megabyte each way in pieces of any size', async () => {
    const { daemon, ports } = await start({ listen: ['smtps://127.0.0.1:0'] });
    const client = await WireClient.openSecure(ports[0]!);
    await client.hear(/^220 .*\r\n/);
    for (const command of mail.slice(0, 4)) await client.ask(command);
    const line = `${'x'.repeat(70)}\r\n`;
    const content = Buffer.from(`Subject: big\r\n\r\n${line.repeat(15_000)}`);
    for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 30_011) {
      client.send(content.subarray(at, at + size));
    }
    expect(await client.ask('.')).toMatch(/^250 /);
    const [{ id = '' } = {}] = (await daemon.store.list({})).messages;
    const views: Buffer[] = [];
    for await (const view of (await daemon.store.content(id))!.stream()) views.push(view);
    expect(Buffer.concat(views).equals(content)).toBe(true);
    client.destroy();
  });
});

it('a listener on a UNIX socket has no STARTTLS unless its URL says so', async () => {
  const path = `/tmp/inboxd-tls-${process.pid}`;
  const { daemon } = await start({ listen: [`smtp://${path}.a`, `smtp://${path}.b?tls=offered`] });
  const answers: string[] = [];
  for (const { url } of daemon.listeners) {
    const client = await WireClient.open(url.slice('smtp://'.length));
    await client.hear(/^220 .*\r\n/);
    answers.push(await client.ask('EHLO x.test'));
    if (answers.length === 2) {
      await client.ask('STARTTLS');
      await client.upgrade();
      for (const command of mail) expect(await client.ask(command), command).toMatch(/^[23]/);
    }
    client.destroy();
  }
  expect(answers.map((answer) => answer.includes('STARTTLS'))).toEqual([false, true]);
  connect(`${path}.a`)
    .on('error', () => {})
    .destroy();
});
