import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon, type Report } from '../../src/index.ts';
import { Certificates } from '../../src/tls/certificates.ts';
import { readIdentity } from '../../src/tls/identity.ts';
import { ownIdentity } from '../../src/tls/own-identity.ts';
import { makeKey } from '../../src/tls/self-signed.ts';
import { writeCertificate } from '../support/certificate-files.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const DAY_MS = 86_400_000;
let folder: string;
let reports: Report[];
const undo: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-tls-'));
  reports = [];
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  rmSync(folder, { recursive: true });
});

const report = (one: Report): void => void reports.push(one);

async function start(config: Parameters<typeof createDaemon>[0]): Promise<{ daemon: Daemon; port: number }> {
  const daemon = await createDaemon({ data: ':memory:', listen: ['smtps://127.0.0.1:0'], ...config }, { report });
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return { daemon, port: Number(new URL(daemon.listeners[0]!.url).port) };
}

/** Names in the certificate that a server shows to who asks for a name. */
async function shown(port: number, servername?: string): Promise<string> {
  const client = await WireClient.openSecure(port, servername === undefined ? {} : { servername });
  const { subjectaltname, subject } = client.tls.getPeerCertificate();
  client.destroy();
  return /DNS:([^,]+)/.exec(subjectaltname ?? '')?.[1] ?? String(subject.CN);
}

describe('a certificate of our own', () => {
  it('is ECDSA on P-256 for the host and loopback, kept with its key locked away', async () => {
    const { identity, isNew } = await ownIdentity('mx.test', folder);
    expect(isNew).toBe(true);
    const leaf = new X509Certificate(readFileSync(join(folder, 'cert.pem')));
    expect(leaf.fingerprint256).toBe(identity.leaf.fingerprint256);
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    for (const host of ['mx.test', 'localhost']) expect(leaf.checkHost(host), host).toBe(host);
    for (const address of ['127.0.0.1', '::1']) expect(leaf.checkIP(address), address).toBe(address);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(leaf.publicKey)).toBe(true);
    expect(identity.names).toEqual(['mx.test', 'localhost', '127.0.0.1', '::1']);
    expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
    chmodSync(join(folder, 'key.pem'), 0o644);
    expect((await ownIdentity('mx.test', folder)).isNew).toBe(false);
    expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
  });

  it('is made anew a month before its end and for another host, with the same key', async () => {
    const first = await ownIdentity('mx.test', folder);
    const end = first.identity.expires.getTime();
    const same = await ownIdentity('mx.test', folder, end - 31 * DAY_MS);
    expect([same.isNew, same.identity.leaf.fingerprint256]).toEqual([false, first.identity.leaf.fingerprint256]);
    const renewed = await ownIdentity('mx.test', folder, end - 29 * DAY_MS);
    expect(renewed.isNew).toBe(true);
    expect(renewed.identity.expires.getTime()).toBeGreaterThan(end + 300 * DAY_MS);
    const moved = await ownIdentity('other.test', folder);
    expect(moved.identity.names[0]).toBe('other.test');
    for (const { identity } of [renewed, moved]) expect(identity.key).toBe(first.identity.key);
  });

  it.each([
    ['a certificate that is none', 'cert.pem', 'not a certificate'],
    ['a key that is none', 'key.pem', 'not a key'],
    ['the key of another', 'key.pem', makeKey()],
  ])('is made anew in place of %s', async (_what, name, text) => {
    await ownIdentity('mx.test', folder);
    writeFileSync(join(folder, name), text);
    expect((await ownIdentity('mx.test', folder)).isNew).toBe(true);
    expect((await ownIdentity('mx.test', folder)).isNew).toBe(false);
  });

  it('is for a name of 255 characters too', async () => {
    const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.test`;
    expect((await ownIdentity(host, folder)).identity.leaf.checkHost(host)).toBe(host);
  });

  it('lasts as long as the process where it cannot be written down', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { identity, unkept } = await ownIdentity('mx.test', join(folder, 'file', 'tls'));
    expect(identity.names).toContain('mx.test');
    expect(unkept).toMatchObject({ code: 'ENOTDIR' });
  });

  it('is made once, and used again at the next start; its fingerprint is told', async () => {
    const data = join(folder, 'data');
    const first = await start({ data, hostname: 'mx.test' });
    const fingerprint = first.daemon.fingerprint;
    const client = await WireClient.openSecure(first.port);
    expect(client.tls.getPeerCertificate().fingerprint256).toBe(fingerprint);
    client.destroy();
    await first.daemon.stop({ graceMs: 0 });
    const second = await start({ data, hostname: 'mx.test' });
    expect(second.daemon.fingerprint).toBe(fingerprint);
    const events = reports.flatMap((one) => (one.type === 'certificate' ? [[one.event, one.fingerprint]] : []));
    expect(events).toEqual([
      ['made', fingerprint],
      ['loaded', fingerprint],
    ]);
  });
});

describe('certificate files', () => {
  it('are shown by the name that a client asks for: exact, wildcard, else the first', async () => {
    const hosts = ['default.test', 'mx.example.test', '*.example.test'];
    const files = await Promise.all(hosts.map((host, index) => writeCertificate(folder, host, `${index}`)));
    const { port, daemon } = await start({
      tlsCerts: files.map(({ cert }) => cert),
      tlsKeys: files.map(({ key }) => key),
    });
    expect(daemon.fingerprint).toBeUndefined();
    expect(await shown(port)).toBe('default.test');
    expect(await shown(port, 'default.test')).toBe('default.test');
    expect(await shown(port, 'MX.example.test')).toBe('mx.example.test');
    expect(await shown(port, 'other.example.test')).toBe('*.example.test');
    expect(await shown(port, 'a.b.example.test')).toBe('default.test'); // a wildcard is one label (RFC 9525 §6.3)
    expect(await shown(port, 'unknown.test')).toBe('default.test');
    expect(await shown(port, `${'x'.repeat(240)}.test`)).toBe('default.test');
  });

  it('may hold the key too', async () => {
    const { cert, key } = await writeCertificate(folder, 'mx.test');
    const both = join(folder, 'both.pem');
    writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
    const { port } = await start({ tlsCerts: [both] });
    expect(await shown(port)).toBe('mx.test');
  });

  it.each([
    ['is not there', (): void => {}, /cannot read the certificate file .*mx\.crt: there is no such file/],
    ['is a folder', (cert: string) => mkdirSync(cert), /cannot read the certificate file .*: it is a folder/],
    ['holds none', (cert: string) => writeFileSync(cert, 'hello'), /mx\.crt holds no certificate in PEM form/],
    [
      'is damaged',
      (cert: string) => writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /the certificate in .*mx\.crt cannot be read/,
    ],
  ])('keep the daemon from starting, in words, when the certificate %s', async (_what, spoil, words) => {
    const cert = join(folder, 'mx.crt');
    const key = join(folder, 'mx.key');
    writeFileSync(key, makeKey());
    spoil(cert);
    await expect(start({ tlsCerts: [cert], tlsKeys: [key] })).rejects.toMatchObject({
      code: 'TLS_UNUSABLE',
      message: expect.stringMatching(words),
    });
  });

  it.each([
    ['is that of another', makeKey(), /the key in .*mx\.key does not belong to the certificate in .*mx\.crt/],
    ['is none', 'hello', /mx\.key holds no private key in PEM form/],
    ['is damaged', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /the key in .* cannot be read/],
    ['is locked', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n', /locked with a passphrase/],
  ])('keep the daemon from starting, in words, when the key %s', async (_what, text, words) => {
    const { cert, key } = await writeCertificate(folder, 'mx.test', 'mx');
    writeFileSync(key, text);
    await expect(start({ tlsCerts: [cert], tlsKeys: [key] })).rejects.toMatchObject({
      code: 'TLS_UNUSABLE',
      message: expect.stringMatching(words),
    });
  });

  it('are warned of before their end, and when it is past', async () => {
    const now = Date.now();
    for (const [age, event] of [
      [380, 'expiring'],
      [400, 'expired'],
    ] as const) {
      reports = [];
      const { cert, key } = await writeCertificate(folder, 'mx.test', 'mx', now - age * DAY_MS);
      const { port } = await start({ tlsCerts: [cert], tlsKeys: [key] });
      expect(await shown(port)).toBe('mx.test'); // an old certificate is better than none: most senders do not look
      const events = reports.flatMap((one) => (one.type === 'certificate' ? [one.event] : []));
      expect(events).toEqual(['loaded', event]);
    }
  });
});

describe('a reload', () => {
  it('brings new certificates to new sessions and leaves those that run', async () => {
    const { cert, key } = await writeCertificate(folder, 'old.test', 'mx');
    const { daemon, port } = await start({ tlsCerts: [cert], tlsKeys: [key] });
    const running = await WireClient.openSecure(port);
    await running.hear(/^220 .*\r\n/);
    expect(await running.ask('EHLO x.test')).toMatch(/^250/);
    await writeCertificate(folder, 'new.test', 'mx');
    await daemon.reload();
    expect(await shown(port)).toBe('new.test');
    expect(await running.ask('MAIL FROM:<a@b.test>')).toMatch(/^250 /);
    expect(await running.ask('RCPT TO:<c@d.test>')).toMatch(/^250 /);
    running.destroy();
  });

  it('keeps the old ones and says why when the new cannot be used, until they can', async () => {
    const { cert, key } = await writeCertificate(folder, 'old.test', 'mx');
    const { daemon, port } = await start({ tlsCerts: [cert], tlsKeys: [key] });
    const good = readFileSync(cert, 'utf8');
    for (const bad of ['half of a certifi', '']) {
      reports = [];
      writeFileSync(cert, bad);
      await daemon.reload();
      expect(reports.filter(({ type }) => type === 'certificate-refused')).toMatchObject([
        { error: { message: expect.stringContaining(cert) } },
      ]);
      expect(await shown(port)).toBe('old.test');
    }
    rmSync(cert);
    await daemon.reload();
    expect(await shown(port)).toBe('old.test');
    writeFileSync(cert, good);
    await daemon.reload();
    await writeCertificate(folder, 'new.test', 'mx');
    await daemon.reload();
    expect(await shown(port)).toBe('new.test');
  });

  it('happens by itself when files are renamed into place, or a link on the way is turned, once they fit together', async () => {
    // as certbot does it: live/ holds links into archive/
    const archive = (round: number): string => join(folder, `archive-${round}`);
    for (const round of [1, 2]) {
      mkdirSync(archive(round));
      await writeCertificate(archive(round), `round-${round}.test`, 'mx');
    }
    const link = (name: string, round: number): void => {
      symlinkSync(join(archive(round), name), join(folder, `${name}.next`));
      renameSync(join(folder, `${name}.next`), join(folder, name));
    };
    for (const name of ['mx.crt', 'mx.key']) link(name, 1);
    const files = { cert: join(folder, 'mx.crt'), key: join(folder, 'mx.key') };
    const options = { hostname: 'mx.test', directory: undefined, report, watchMs: 20 };
    const certificates = await Certificates.open({ files: [files], ...options });
    undo.push(() => certificates.stop());
    const current = (): string | undefined => certificates.identities[0]?.names[0];
    expect(current()).toBe('round-1.test');
    link('mx.crt', 2); // its key comes later
    await until(() => reports.some(({ type }) => type === 'certificate-refused'));
    expect(current()).toBe('round-1.test');
    link('mx.key', 2);
    await until(() => current() === 'round-2.test');
    await writeCertificate(archive(2), 'round-3.test', 'mx');
    await until(() => current() === 'round-3.test');
  });

  it('serves RSA and ECDSA of one name together, each to who knows it', async () => {
    const { runWell } = await import('../support/run.ts');
    const rsa = { cert: join(folder, 'rsa.crt'), key: join(folder, 'rsa.key') };
    const names = 'subjectAltName=DNS:mx.test,DNS:localhost,IP:127.0.0.1,IP:::1';
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=mx.test', '-addext', names];
    await runWell('openssl', [...request, '-keyout', rsa.key, '-out', rsa.cert]);
    const ec = await writeCertificate(folder, 'mx.test', 'ec');
    expect((await readIdentity(rsa)).keyType).toBe('rsa');
    const { port } = await start({ tlsCerts: [ec.cert, rsa.cert], tlsKeys: [ec.key, rsa.key] });
    for (const [cipher, wanted] of [
      ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      ['DHE-RSA-AES128-GCM-SHA256', 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'],
    ] as const) {
      const client = await WireClient.openSecure(port, { ciphers: cipher, maxVersion: 'TLSv1.2' });
      expect(client.tls.getCipher().standardName).toBe(wanted);
      client.destroy();
    }
  });
});
