import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { runWell } from '../../support/run.ts';
import { AWKWARD, watch } from './watched.ts';

describeWithPeers('curl', ['curl'], ({ curl }) => {
  let daemon: DaemonProcess;
  let folder: string;
  beforeAll(async () => {
    daemon = await startDaemon();
    folder = mkdtempSync(join(tmpdir(), 'inboxd-curl-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await daemon.stop();
  });

  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const send = (port: number, ...args: string[]) =>
    runWell(curl, ['-sS', `smtp://127.0.0.1:${port}/client.example`, '--mail-from', 'ada@out.example', ...args], {
      env: { LC_ALL: 'C.UTF-8' },
    });

  it('uploads a file unchanged, announcing its size', async () => {
    const path = file('awkward.eml', AWKWARD);
    const { contents, said } = await watch(daemon, (port) =>
      send(port, '--mail-rcpt', 'a@in.example', '--upload-file', path),
    );
    expect(contents[0]!.toString()).toBe(AWKWARD);
    expect(said).toContain(`SIZE=${Buffer.byteLength(AWKWARD)}`);
  });

  it('uploads to several recipients', async () => {
    const path = file('several.eml', AWKWARD);
    const rcpts = Array.from({ length: 20 }, (_, n) => ['--mail-rcpt', `r${n}@in.example`]).flat();
    const { contents } = await watch(daemon, (port) => send(port, ...rcpts, '--upload-file', path));
    expect(contents[0]!.toString()).toBe(AWKWARD);
  });

  it('uploads 2 MiB in which every line begins with a dot', async () => {
    const content = `Subject: dots\r\n\r\n${`.${'x'.repeat(60)}\r\n`.repeat(2 ** 15)}`;
    const path = file('dots.eml', content);
    const { contents } = await watch(daemon, (port) =>
      send(port, '--mail-rcpt', 'a@in.example', '--upload-file', path),
    );
    expect(contents[0]!.equals(Buffer.from(content))).toBe(true);
  });

  it('composes and sends a form as MIME', async () => {
    const picture = file('picture.png', Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7919) & 255)));
    const { contents } = await watch(daemon, (port) =>
      send(
        port,
        '--mail-rcpt',
        'a@in.example',
        '-F',
        '=Hello;type=text/plain',
        '-F',
        `=@${picture};encoder=base64`,
        '-H',
        'Subject: A form',
      ),
    );
    expect(contents[0]!.toString()).toContain('Subject: A form\r\n');
  });

  it('uses SMTPUTF8 for addresses that need it (RFC 6531)', async () => {
    const path = file('utf8.eml', AWKWARD);
    const { said } = await watch(daemon, (port) =>
      send(port, '--mail-rcpt', 'испытание@in.example', '--upload-file', path),
    );
    expect(said).toMatch(/^MAIL FROM:<ada@out\.example>.* SMTPUTF8/m);
  });

  it('gets help and verifies an address', async () => {
    const port = String(daemon.smtpPort);
    const help = await runWell(curl, ['-sS', `smtp://127.0.0.1:${port}`, '--request', 'HELP']);
    expect(help.stdout).toMatch(/^214/);
    const verified = await runWell(curl, ['-sS', `smtp://127.0.0.1:${port}`, '--mail-rcpt', 'someone@in.example']);
    expect(verified.stdout).toMatch(/^252 /);
  });
});
