import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCertificate } from '../support/certificate-files.ts';
import type { RunResult } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { BIN, Folder, inboxd, plainEnvironment, type Serving, serve } from './support.ts';

async function send(port: number, subject: string): Promise<string> {
  const client = await SmtpClient.open(port);
  const content = Buffer.from(`From: a@b.example\r\nSubject: ${subject}\r\n\r\nhello\r\n`);
  const [id = ''] = await deliver(client, { from: 'a@b.example', to: ['ann@there.example'], content });
  await client.quit();
  return id;
}

const LISTEN = ['--listen', 'smtp://127.0.0.1:0', '--listen', 'https://127.0.0.1:0', '--no-http'];

describe('a daemon with HTTPS alone and a certificate of its own', { timeout: 120_000 }, () => {
  const folder = new Folder();
  const data = folder.at('data');
  let daemon: Serving;
  let id: string;
  const command = (...args: string[]): Promise<RunResult> => inboxd([...args, '--data', data]);

  beforeAll(async () => {
    daemon = await serve([...LISTEN, '--data', data]);
    id = await send(daemon.port('smtp'), 'Welcome');
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it('is found by its card by wait, search, tail and open', async () => {
    const good = { code: 0, stderr: '' };
    expect(await command('wait', 'ann@there.example', '--print', 'id')).toEqual({ ...good, stdout: `${id}\n` });
    expect(JSON.parse((await command('search', 'welcome', '--json')).stdout)).toMatchObject([{ id }]);
    const url = `https://127.0.0.1:${daemon.port('https')}`;
    expect(await command('open', 'ann@there.example')).toEqual({
      ...good,
      stdout: `${url}/#/inbox/ann%40there.example\n`,
    });
    const tail = spawn(process.execPath, [BIN, 'tail', '-n', '1', '--json', '--data', data], {
      env: { ...process.env, ...plainEnvironment() },
    });
    const ended = once(tail, 'close');
    const [line] = (await once(createInterface(tail.stdout), 'line')) as [string];
    expect(JSON.parse(line)).toMatchObject({ id });
    tail.kill();
    await ended;
  });

  it('is asked by rm, which cannot write beside it', async () => {
    const second = await send(daemon.port('smtp'), 'second');
    expect(await command('rm', second)).toEqual({ code: 0, stdout: 'removed 1 message\n', stderr: '' });
    expect(await command('show', second)).toMatchObject({ code: 1 });
  });

  it('is not trusted by its URL, where a message says what helps', async () => {
    const url = `https://127.0.0.1:${daemon.port('https')}`;
    const { code, stderr } = await inboxd(['wait', 'ann@there.example', '--url', url]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: the certificate of https:.* is not trusted .*--data.*NODE_EXTRA_CA_CERTS/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is told from another program at its port, which hears nothing of the request', async () => {
    const { cert, key } = await writeCertificate(folder.path, 'mx.test', 'impostor');
    const heard: string[] = [];
    const impostor = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
      socket.on('data', (chunk) => heard.push(chunk.toString()));
      socket.on('error', () => {}); // it is cut, as it must be
    });
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    try {
      using other = new Folder();
      const card = JSON.parse(readFileSync(`${data}/inboxd.json`, 'utf8')) as { fingerprints: string[] };
      expect(card.fingerprints).toEqual([expect.stringMatching(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)]);
      const listeners = [{ protocol: 'https', url: `https://127.0.0.1:${(impostor.address() as AddressInfo).port}` }];
      writeFileSync(other.at('inboxd.json'), JSON.stringify({ ...card, listeners, token: 'secret' }));
      const { code, stderr } = await inboxd(['search', 'welcome', '--data', other.path]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/its certificate is not the one of the daemon that left its card/);
      expect(heard).toEqual([]);
    } finally {
      impostor.close();
    }
  });
});

describe('a daemon with HTTPS alone and a certificate of the operator', { timeout: 120_000 }, () => {
  it('is found by its card behind a change of the certificate too, and by a URL that the system trusts', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    const { cert, key } = await writeCertificate(folder.path, 'localhost');
    await using daemon = await serve([...LISTEN, '--data', data, '--tls-cert', cert, '--tls-key', key]);
    const id = await send(daemon.port('smtp'), 'Welcome');
    const found = { code: 0, stdout: `${id}\n`, stderr: '' };
    const wait = ['wait', 'ann@there.example', '--print', 'id'];
    expect(await inboxd([...wait, '--data', data])).toEqual(found);
    const url = `https://localhost:${daemon.port('https')}`;
    expect(await inboxd([...wait, '--url', url], { SSL_CERT_FILE: cert })).toEqual(found);

    const card = (): string => readFileSync(`${data}/inboxd.json`, 'utf8');
    const before = card();
    await writeCertificate(folder.path, 'localhost');
    daemon.signal('SIGHUP');
    await daemon.logged('reloaded');
    await until(() => card() !== before);
    expect(await inboxd([...wait, '--data', data])).toEqual(found);
  });
});
