import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ConfigInput, createDaemon, type Daemon } from '../../src/index.ts';
import { writeCertificate } from '../support/certificate-files.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';
import { AuthFile } from './auth/support.ts';

let folder: string;
const undo: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-https-'));
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  rmSync(folder, { recursive: true, force: true });
});

async function start(config: ConfigInput): Promise<Daemon> {
  const daemon = await createDaemon({ data: ':memory:', hostname: 'mx.test', verify: 'off', ...config });
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return daemon;
}

const portOf = ({ listeners }: Daemon, protocol: string): number =>
  Number(new URL(listeners.find((one) => one.protocol === protocol)!.url).port);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** SHA-256 of the certificate that the server showed. */
  readonly fingerprint: string | undefined;
}

/** One request on a connection of its own. */
function ask(url: string, options: { method?: string; body?: object; servername?: string } = {}): Promise<Answer> {
  const { method = 'GET', body, servername = '' } = options;
  const isSecure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const settings = { method, agent: false, rejectUnauthorized: false, servername } as const;
    const outgoing = isSecure ? request(url, settings) : requestPlain(url, { method, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const fingerprint = isSecure ? shownBy(incoming) : undefined;
      incoming.on('error', reject).on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, fingerprint });
      });
      incoming.resume();
    });
    outgoing.end(body && JSON.stringify(body));
  });
}

const shownBy = ({ socket }: IncomingMessage): string => (socket as TLSSocket).getPeerX509Certificate()!.fingerprint256;

describe('Strict-Transport-Security (RFC 6797)', () => {
  const hsts = async (daemon: Daemon, protocol: 'http' | 'https', path = '/api/info') =>
    (await ask(`${protocol}://127.0.0.1:${portOf(daemon, protocol)}${path}`)).headers['strict-transport-security'];

  it('is on every reply over HTTPS where others vouch for the certificate, and on none over HTTP (§7.2)', async () => {
    const { cert, key } = await writeCertificate(folder, 'mx.test');
    const listen = ['smtp://127.0.0.1:0', 'http://127.0.0.1:0', 'https://127.0.0.1:0'];
    const daemon = await start({ listen, tlsCerts: [cert], tlsKeys: [key] });
    for (const path of ['/', '/api/info', '/api/messages/none', '/nothing-here']) {
      expect(await hsts(daemon, 'https', path), path).toBe('max-age=31536000');
      expect(await hsts(daemon, 'http', path), path).toBeUndefined();
    }
  });

  it('is not there with a certificate of our own, which a browser told so would let nobody pass (§8.4)', async () => {
    expect(await hsts(await start({ listen: 'https://127.0.0.1:0' }), 'https')).toBeUndefined();
  });

  it('is not there where other machines may come by HTTP, since it holds for all ports (§8.3)', async () => {
    const { cert, key } = await writeCertificate(folder, 'mx.test');
    const listen = ['https://127.0.0.1:0', 'http://0.0.0.0:0'];
    const daemon = await start({ listen, httpOpen: true, tlsCerts: [cert], tlsKeys: [key] });
    expect(await hsts(daemon, 'https')).toBeUndefined();
  });
});

it('the cookie of a login is Secure (RFC 6265 §4.1.2.5) if it came by HTTPS, and so is the one that ends it', async () => {
  using file = new AuthFile();
  const token = await file.addToken({ rights: ['read'] });
  const daemon = await start({ listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'], httpAuth: file.path });
  for (const [protocol, isSecure] of [
    ['http', false],
    ['https', true],
  ] as const) {
    const url = `${protocol}://127.0.0.1:${portOf(daemon, protocol)}/api/session`;
    const login = await ask(url, { method: 'POST', body: { token } });
    const logout = await ask(url, { method: 'DELETE' });
    expect([login.status, logout.status]).toEqual([200, 204]);
    for (const { headers } of [login, logout]) {
      const attributes = headers['set-cookie']![0]!.split('; ').slice(1);
      expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict']));
      expect(attributes.includes('Secure')).toBe(isSecure);
    }
  }
});

describe('certificates that change', () => {
  it('are shown to the next connection, by name too, while a stream of events goes on', async () => {
    const files = [await writeCertificate(folder, 'mx.test'), await writeCertificate(folder, 'other.test')];
    const tls = { tlsCerts: files.map(({ cert }) => cert), tlsKeys: files.map(({ key }) => key) };
    const daemon = await start({ listen: ['smtp://127.0.0.1:0', 'https://127.0.0.1:0'], ...tls });
    const url = `https://127.0.0.1:${portOf(daemon, 'https')}`;
    const shown = () =>
      Promise.all(['', 'mx.test', 'other.test'].map(async (servername) => (await ask(`${url}/api/info`, { servername })).fingerprint)); // biome-ignore format: one line
    const before = await shown();
    expect(before[0]).toBe(before[1]);
    expect(before[2]).not.toBe(before[1]);

    let events = '';
    const stream = request(`${url}/api/events`, { agent: false, rejectUnauthorized: false });
    undo.push(() => stream.destroy());
    stream.on('response', (incoming) => incoming.on('data', (chunk: Buffer) => (events += chunk)));
    stream.end();
    const mail = async (): Promise<string> => {
      const client = await SmtpClient.open(portOf(daemon, 'smtp'));
      const content = Buffer.from('Subject: hi\r\n\r\nhello\r\n');
      const [id = ''] = await deliver(client, { from: 'a@b.test', to: ['c@d.test'], content });
      await client.quit();
      return id;
    };
    const first = await mail();
    await until(() => events.includes(first));

    for (const name of ['mx.test', 'other.test']) await writeCertificate(folder, name);
    await daemon.reload();
    const after = await shown();
    for (const [index, fingerprint] of after.entries()) expect(fingerprint).not.toBe(before[index]);
    expect(after[0]).toBe(after[1]);
    expect(after[2]).not.toBe(after[1]);
    const second = await mail();
    await until(() => events.includes(second));
  });
});

it('a WebSocket over HTTPS tells what comes, and is refused to pages of other origins', async () => {
  const daemon = await start({ listen: ['smtp://127.0.0.1:0', 'https://127.0.0.1:0'] });
  const port = portOf(daemon, 'https');
  const open = (origin: string): WebSocket =>
    new WebSocket(`wss://127.0.0.1:${port}/api/events`, { rejectUnauthorized: false, origin });
  const own = open(`https://127.0.0.1:${port}`);
  undo.push(() => own.terminate());
  const heard: string[] = [];
  own.on('message', (data) => heard.push(String(data)));
  await new Promise((resolve, reject) => own.once('open', resolve).once('error', reject));
  const client = await SmtpClient.open(portOf(daemon, 'smtp'));
  await deliver(client, { from: 'a@b.test', to: ['c@d.test'], content: Buffer.from('Subject: hi\r\n\r\nhello\r\n') });
  await client.quit();
  await until(() => heard.some((frame) => (JSON.parse(frame) as { Type: string }).Type === 'new'));
  const foreign = open('https://evil.example');
  await expect(new Promise((resolve, reject) => foreign.once('open', resolve).once('error', reject))).rejects.toThrow(
    '403',
  );
});

describe('ALPN (RFC 7301)', () => {
  it('is http/1.1 for browsers, which offer h2 first, and none for who offers nothing', async () => {
    const port = portOf(await start({ listen: 'https://127.0.0.1:0' }), 'https');
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'http/1.1'],
      [['http/1.1'], 'http/1.1'],
      [[], false],
    ] as const) {
      const client = await WireClient.openSecure(port, { ALPNProtocols: [...offered] });
      expect(client.tls.alpnProtocol).toBe(chosen);
      client.send('GET /api/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  it.each([['h2'], ['acme-tls/1'], ['smtp']])('ends the handshake of who speaks %s alone (§3.2)', async (protocol) => {
    const port = portOf(await start({ listen: 'https://127.0.0.1:0' }), 'https');
    await expect(WireClient.openSecure(port, { ALPNProtocols: [protocol] })).rejects.toThrow();
  });
});
