/** What others' clients make of STARTTLS and of TLS from the first octet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCertificate } from '../../support/certificate-files.ts';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { run, runWell } from '../../support/run.ts';

const LISTEN = ['smtps://127.0.0.1:0', 'lmtp://127.0.0.1:0', 'https://127.0.0.1:0'];

let daemon: DaemonProcess;
let folder: string;
beforeAll(async () => {
  daemon = await startDaemon({ args: LISTEN.flatMap((url) => ['--listen', url]) });
  folder = mkdtempSync(join(tmpdir(), 'inboxd-peers-tls-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await daemon.stop();
});

const port = (protocol: string): number => Number(new URL(daemon.url(protocol)).port);
const trusted = (): string => join(daemon.data, 'tls', 'cert.pem');

/** What the log says of the newest message. */
async function newest(subject: string): Promise<Record<string, unknown>> {
  await expect.poll(async () => (await daemon.list()).messages[0]?.Subject, { timeout: 15_000 }).toBe(subject);
  const { ID } = (await daemon.list()).messages[0]!;
  return daemon.log.find(({ msg, id }) => msg === 'message' && id === ID)!;
}

describeWithPeers('openssl s_client', ['openssl'], ({ openssl }) => {
  const talk = (args: readonly string[], ...lines: readonly string[]) =>
    run(openssl, ['s_client', '-quiet', '-ign_eof', '-crlf', '-CAfile', trusted(), '-verify_return_error', ...args], {
      stdin: lines.map((line) => `${line}\n`).join(''),
    });
  const mail = (subject: string, hello = 'EHLO') => [
    ...[`${hello} x.test`, 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA'],
    ...[`Subject: ${subject}`, '', 'x', '.', 'QUIT'],
  ];

  it.each(['tls1_2', 'tls1_3'])('delivers behind STARTTLS with -%s', async (version) => {
    const subject = `starttls ${version}`;
    const args = [
      '-starttls',
      'smtp',
      `-${version}`,
      '-servername',
      'localhost',
      '-connect',
      `127.0.0.1:${port('smtp')}`,
    ];
    const { code, stdout } = await talk(args, ...mail(subject));
    expect([code, stdout.match(/^250 2\.0\.0 OK queued/gm)?.length]).toEqual([0, 1]);
    expect(await newest(subject)).toMatchObject({
      protocol: 'ESMTPS',
      tls: version === 'tls1_2' ? 'TLSv1.2' : 'TLSv1.3',
      serverName: 'localhost',
    });
  });

  it('delivers behind STARTTLS of LMTP and from the first octet of smtps', async () => {
    const lmtp = ['-starttls', 'lmtp', '-name', 'x.test', '-connect', `127.0.0.1:${port('lmtp')}`];
    expect((await talk(lmtp, ...mail('lmtp', 'LHLO'))).code).toBe(0);
    expect(await newest('lmtp')).toMatchObject({ protocol: 'LMTPS' });
    const smtps = ['-connect', `127.0.0.1:${port('smtps')}`];
    expect((await talk(smtps, ...mail('smtps'))).code).toBe(0);
    expect(await newest('smtps')).toMatchObject({ protocol: 'ESMTPS' });
  });

  it.each(['-tls1', '-tls1_1'])('gets nowhere with %s', async (version) => {
    const old = [version, '-cipher', 'ALL:@SECLEVEL=0', '-connect', `127.0.0.1:${port('smtps')}`];
    expect((await talk(old)).code).not.toBe(0);
  });

  it('cannot renegotiate', async () => {
    const at = ['-tls1_2', '-connect', `127.0.0.1:${port('smtps')}`];
    const { stdout, stderr } = await run(openssl, ['s_client', ...at], { stdin: 'R\nEHLO x.test\n' });
    expect(stderr).toMatch(/no renegotiation|handshake failure|RENEGOTIATING/);
    expect(stdout).not.toMatch(/^250/m);
  });

  it.each([
    ['smtps', []],
    ['smtp', ['-starttls', 'smtp']],
  ] as const)('TLS tickets across listeners: a session of %s opens no other', async (from, starttls) => {
    const ticket = join(folder, 'ticket');
    const at = (protocol: string): string[] => ['-connect', `127.0.0.1:${port(protocol)}`];
    const first = await run(openssl, ['s_client', ...at(from), ...starttls, '-tls1_2', '-sess_out', ticket], {
      stdin: 'QUIT\r\n',
    });
    expect(first.stdout).toContain('New, TLSv1.2');
    const again = await run(openssl, ['s_client', ...at(from), ...starttls, '-tls1_2', '-sess_in', ticket], {
      stdin: 'QUIT\r\n',
    });
    expect(again.stdout).toContain('Reused, TLSv1.2');
    const elsewhere = from === 'smtps' ? [...at('smtp'), '-starttls', 'smtp'] : at('smtps');
    const other = await run(openssl, ['s_client', ...elsewhere, '-tls1_2', '-sess_in', ticket], { stdin: 'QUIT\r\n' });
    expect(other.stdout).toContain('New, TLSv1.2');
  });

  it('is shown new certificates after SIGHUP, and the old ones where the new are no good', async () => {
    const { cert, key } = await writeCertificate(folder, 'before.test', 'mx');
    const own = await startDaemon({ args: ['--tls-cert', cert, '--tls-key', key] });
    try {
      const subject = async (): Promise<string> => {
        const at = ['-starttls', 'smtp', '-connect', `127.0.0.1:${own.smtpPort}`];
        return (await run(openssl, ['s_client', ...at], { stdin: 'QUIT\r\n' })).stdout;
      };
      const logged = (text: string): boolean => own.log.some(({ msg }) => msg === text);
      expect(await subject()).toContain('CN = before.test');
      await writeCertificate(folder, 'after.test', 'mx');
      process.kill(own.pid, 'SIGHUP');
      await expect.poll(() => logged('reloaded'), { timeout: 15_000 }).toBe(true);
      expect(await subject()).toContain('CN = after.test');
      writeFileSync(cert, 'nonsense');
      process.kill(own.pid, 'SIGHUP');
      await expect
        .poll(() => logged('certificate files cannot be used, keeping the old certificates'), { timeout: 15_000 })
        .toBe(true);
      expect(await subject()).toContain('CN = after.test');
    } finally {
      await own.stop();
    }
  });
});

describeWithPeers('swaks over TLS', ['swaks'], ({ swaks }) => {
  it.each([
    ['--tls', 'smtp', 'ESMTPS'],
    ['--tlsc', 'smtps', 'ESMTPS'],
    ['--tls --protocol LMTP', 'lmtp', 'LMTPS'],
  ])('delivers with %s', async (flags, protocol, wanted) => {
    const subject = `swaks ${flags}`;
    const server = ['--server', '127.0.0.1', '--port', String(port(protocol))];
    const mail = ['--from', 'a@b.test', '--to', 'c@d.test', '--h-Subject', subject];
    await runWell(swaks, [...server, ...mail, ...flags.split(' ')]);
    expect(await newest(subject)).toMatchObject({ protocol: wanted });
  });
});

describeWithPeers('curl over TLS', ['curl'], ({ curl }) => {
  it.each([
    ['smtps', 'smtps', []],
    ['STARTTLS', 'smtp', ['--ssl-reqd']],
  ] as const)('delivers over %s and trusts the certificate of the data folder', async (name, protocol, flags) => {
    const file = join(folder, 'mail.eml');
    writeFileSync(file, `Subject: curl ${name}\r\n\r\nx\r\n`);
    const mail = ['--mail-from', 'a@b.test', '--mail-rcpt', 'c@d.test', '--upload-file', file];
    const url = `${protocol}://localhost:${port(protocol)}`;
    await runWell(curl, ['-sS', '--cacert', trusted(), ...flags, '--url', url, ...mail]);
    expect(await newest(`curl ${name}`)).toMatchObject({ protocol: 'ESMTPS' });
    expect((await run(curl, ['-sS', ...flags, '--url', url, ...mail])).code).toBe(60); // nobody vouches for it
  });

  it('reads the API over HTTPS', async () => {
    const url = `https://localhost:${port('https')}/api/info`;
    const { stdout } = await runWell(curl, ['-sS', '--cacert', trusted(), url]);
    expect(JSON.parse(stdout)).toMatchObject({
      listeners: expect.arrayContaining([{ protocol: 'https', url: daemon.url('https') }]),
    });
  });
});

describe('nodemailer over TLS', () => {
  it.each([
    ['STARTTLS', 'smtp', { requireTLS: true }],
    ['smtps', 'smtps', { secure: true }],
  ] as const)('delivers over %s', async (name, protocol, options) => {
    const { readFileSync } = await import('node:fs');
    const tls = { ca: readFileSync(trusted()), servername: 'localhost' };
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: port(protocol), tls, ...options });
    await transport.sendMail({ from: 'a@b.test', to: 'c@d.test', subject: `nodemailer ${name}`, text: 'x' });
    transport.close();
    expect(await newest(`nodemailer ${name}`)).toMatchObject({ protocol: 'ESMTPS', serverName: 'localhost' });
  });
});
