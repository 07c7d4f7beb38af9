import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret } from '../../../src/auth/secret.ts';
import { createToken } from '../../../src/auth/token.ts';
import { formatUsersLine } from '../../../src/auth/users-file.ts';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { run, runWell } from '../../support/run.ts';
import { SmtpClient } from '../../support/smtp-client.ts';
import { AWKWARD, watch } from './watched.ts';

const USER = 'ann@example.org';
const PASSWORD = 'Pe:n cïl-of-Ann';
const token = createToken();
const WRONG = 'not-Anns-at-all';

let daemon: DaemonProcess;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-auth-'));
  const file = join(folder, 'users');
  const lines = [
    formatUsersLine({ kind: 'user', user: USER, id: '', hash: await hashSecret(PASSWORD) }),
    formatUsersLine({ kind: 'token', user: USER, id: token.id, hash: await hashSecret(token.secret) }),
  ];
  appendFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  daemon = await startDaemon({ args: ['--auth', file, '--auth-required', '--log-level', 'trace'] });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

/** Sends, and expects the message to bear the login. */
async function expectLogin(mechanism: string, send: (port: number) => Promise<unknown>): Promise<void> {
  const { ids, said } = await watch(daemon, send);
  expect(said.toUpperCase()).toContain(`AUTH ${mechanism}`);
  const message = await (await fetch(`${daemon.httpUrl}/api/messages/${ids[0]}`)).json();
  expect(message).toMatchObject({ protocol: 'ESMTPA', client: { login: { mechanism, user: USER } } });
}

describe('nodemailer logs in', () => {
  const send = (port: number, auth: object) =>
    nodemailer
      .createTransport({ host: '127.0.0.1', port, auth, ignoreTLS: true } as object)
      .sendMail({ from: 'ada@out.example', to: 'a@in.example', text: 'Hello' });

  it.each(['PLAIN', 'LOGIN'])('with %s', (method) =>
    expectLogin(method, (port) => send(port, { method, user: USER, pass: PASSWORD })),
  );

  it('with XOAUTH2', () =>
    expectLogin('XOAUTH2', (port) => send(port, { type: 'OAuth2', user: USER, accessToken: token.text })));

  it('and learns that its password or token is wrong', async () => {
    await expect(send(daemon.smtpPort, { user: USER, pass: WRONG })).rejects.toMatchObject({ responseCode: 535 });
    await expect(send(daemon.smtpPort, { type: 'OAuth2', user: USER, accessToken: WRONG })).rejects.toMatchObject({
      code: 'EAUTH',
    });
  });
});

describeWithPeers('swaks logs in', ['swaks'], ({ swaks }) => {
  const args = (port: number, method: string, password: string) => [
    ...['--server', '127.0.0.1', '--port', String(port), '--from', 'ada@out.example', '--to', 'a@in.example'],
    ...['--auth', method, '--auth-user', USER, '--auth-password', password],
  ];

  it.each(['PLAIN', 'LOGIN'])('with %s', (method) =>
    expectLogin(method, (port) => runWell(swaks, args(port, method, PASSWORD))),
  );

  it('and learns that its password is wrong, and that a login is needed', async () => {
    const wrong = await run(swaks, args(daemon.smtpPort, 'PLAIN', WRONG));
    expect(wrong.code).not.toBe(0);
    expect(wrong.stdout).toMatch(/^<\*\* 535 5\.7\.8 /m);
    const [without] = [args(daemon.smtpPort, '', '').slice(0, 8)];
    expect((await run(swaks, without!)).stdout).toMatch(/^<\*\* 530 5\.7\.0 /m);
  });
});

describeWithPeers('curl logs in', ['curl'], ({ curl }) => {
  const args = (port: number, ...more: readonly string[]) => [
    ...['-sS', `smtp://127.0.0.1:${port}`, '--mail-from', 'ada@out.example', '--mail-rcpt', 'a@in.example'],
    ...['--upload-file', '-', ...more],
  ];
  const send = (port: number, ...more: readonly string[]) => runWell(curl, args(port, ...more), { stdin: AWKWARD });

  it.each(['PLAIN', 'LOGIN'])('with %s, with and without an initial response', async (method) => {
    // curl takes the first colon for the end of the name, and none of the rest
    const login = ['--user', `${USER}:${PASSWORD}`, '--login-options', `AUTH=${method}`];
    await expectLogin(method, (port) => send(port, ...login));
    await expectLogin(method, (port) => send(port, ...login, '--sasl-ir'));
  });

  it('with a token, by OAUTHBEARER as soon as that is offered, with and without an initial response', async () => {
    const login = ['--user', USER, '--oauth2-bearer', token.text];
    await expectLogin('OAUTHBEARER', (port) => send(port, ...login));
    await expectLogin('OAUTHBEARER', (port) => send(port, ...login, '--sasl-ir'));
  });

  it('and learns that its password or token is wrong', async () => {
    const wrong = ['--user', `${USER}:${WRONG}`];
    expect((await run(curl, args(daemon.smtpPort, ...wrong), { stdin: AWKWARD })).code).toBe(67);
    const bearer = ['--user', USER, '--oauth2-bearer', WRONG, '--login-options', 'AUTH=OAUTHBEARER'];
    expect((await run(curl, args(daemon.smtpPort, ...bearer), { stdin: AWKWARD })).code).toBe(67);
  });
});

describeWithPeers('Python smtplib logs in', ['python3'], ({ python3 }) => {
  const SCRIPT = `
import smtplib, sys
smtplib.SMTP.debuglevel = 0
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as smtp:
    smtp.ehlo()
    smtp.esmtp_features['auth'] = sys.argv[2]
    smtp.login('${USER}', sys.argv[3], initial_response_ok=sys.argv[4] == 'yes')
    smtp.sendmail('ada@out.example', ['a@in.example'], 'Subject: hi\\r\\n\\r\\nHello\\r\\n')
`;
  const ascii = 'pencil-of-Bob'; // smtplib encodes passwords as ASCII
  beforeAll(async () => {
    const line = formatUsersLine({ kind: 'user', user: 'bob', id: '', hash: await hashSecret(ascii) });
    appendFileSync(join(folder, 'users'), `${line}\n`);
  });

  it.each([
    ['PLAIN', 'yes'],
    ['PLAIN', 'no'],
    ['LOGIN', 'yes'],
    ['LOGIN', 'no'],
  ])('with %s, an initial response: %s', async (method, early) => {
    const script = SCRIPT.replace(USER, 'bob');
    const send = (port: number) => runWell(python3, ['-c', script, String(port), method, ascii, early]);
    // the file has changed, and the daemon looks once a second
    const patient = async (port: number) => {
      const until = performance.now() + 10_000;
      for (;;) {
        const { code, stderr } = await run(python3, ['-c', script, String(port), method, ascii, early]);
        if (code === 0) return;
        if (performance.now() > until || !stderr.includes('535')) throw new Error(stderr);
      }
    };
    await patient(daemon.smtpPort);
    const { ids } = await watch(daemon, send);
    const message = await (await fetch(`${daemon.httpUrl}/api/messages/${ids[0]}`)).json();
    expect(message).toMatchObject({ client: { login: { mechanism: method, user: 'bob' } } });
  });
});

describeWithPeers('msmtp logs in', ['msmtp'], ({ msmtp }) => {
  const args = (port: number, method: string, secret: string) => [
    ...['--file=/dev/null', '--host=127.0.0.1', `--port=${port}`, '--tls=off', `--auth=${method}`],
    ...[`--user=${USER}`, `--passwordeval=printf %s '${secret}'`, '--from=ada@out.example', 'a@in.example'],
  ];
  const content = AWKWARD.replaceAll('\r\n', '\n');

  it.each([
    ['plain', PASSWORD],
    ['login', PASSWORD],
    ['xoauth2', token.text],
    ['oauthbearer', token.text],
  ])('with %s', (method, secret) =>
    expectLogin(method.toUpperCase(), (port) => runWell(msmtp, args(port, method, secret), { stdin: content })),
  );

  it('and learns that its password or token is wrong', async () => {
    for (const method of ['plain', 'oauthbearer']) {
      const { code, stderr } = await run(msmtp, args(daemon.smtpPort, method, WRONG), { stdin: content });
      expect(code).toBe(77); // EX_NOPERM
      expect(stderr).toContain('535 5.7.8');
    }
  });
});

describe('what was said to log in', () => {
  it('is nowhere: not in log, store, API or pages, in no encoding, right or wrong', async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await client.expect(535, `AUTH PLAIN ${base64(`\0${WRONG}\0${WRONG}`)}`);
    await client.expect(334, 'AUTH LOGIN');
    await client.expect(501, `${base64(WRONG)}!`);
    await client.expect(500, base64(WRONG));
    await client.expect(504, `AUTH ${WRONG}`);
    await client.expect(334, `AUTH LOGIN ${base64(USER)}`);
    await client.expect(235, base64(PASSWORD));
    await client.expect(250, 'MAIL FROM:<a@b.test>');
    await client.expect(250, 'RCPT TO:<secrets@in.example>');
    await client.expect(354, 'DATA');
    const { text } = await client.expect(250, 'Subject: hi\r\n\r\nHello\r\n.');
    await client.quit();

    const id = text.split(' ').at(-1);
    const seen = [daemon.output()];
    for (const path of [`messages/${id}`, 'messages', 'events?limit=100']) {
      const abort = AbortSignal.timeout(path.startsWith('events') ? 500 : 10_000);
      const body = await fetch(`${daemon.httpUrl}/api/${path}`, { signal: abort })
        .then((response) => response.text())
        .catch(() => '');
      seen.push(body);
    }
    expect(seen[1]).toContain('"C: AUTH LOGIN ***"');
    expect(daemon.log).toContainEqual(expect.objectContaining({ msg: 'login', mechanism: 'LOGIN', user: USER }));
    expect(daemon.log).toContainEqual(expect.objectContaining({ msg: 'login refused', mechanism: 'PLAIN', user: '' }));
    for (const name of readdirSync(daemon.data, { recursive: true, encoding: 'utf8' })) {
      try {
        seen.push(readFileSync(join(daemon.data, name)).toString('latin1'));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toMatch(/^(EISDIR|ENOENT)$/);
      }
    }
    const everything = seen.join('\n');
    for (const secret of [PASSWORD, WRONG, token.text, token.secret]) {
      for (const form of [secret, base64(secret), base64(`\0${secret}\0${secret}`), base64(`\0${USER}\0${secret}`)]) {
        expect(everything).not.toContain(form);
        expect(everything).not.toContain(Buffer.from(form).toString('latin1'));
      }
    }
  });
});
