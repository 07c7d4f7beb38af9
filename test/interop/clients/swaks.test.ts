import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { run, runWell } from '../../support/run.ts';
import { AWKWARD, watch } from './watched.ts';

describeWithPeers('swaks', ['swaks'], ({ swaks }) => {
  let daemon: DaemonProcess;
  let folder: string;
  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--listen', 'lmtp://127.0.0.1:0'] });
    folder = mkdtempSync(join(tmpdir(), 'inboxd-swaks-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await daemon.stop();
  });

  const lmtpPort = () => Number(new URL(daemon.url('lmtp')).port);
  const send = (port: number, ...args: string[]) =>
    runWell(swaks, ['--server', '127.0.0.1', '--port', String(port), '--from', 'ada@out.example', ...args]);

  it('delivers a plain message, the way the README shows it', async () => {
    const { contents } = await watch(daemon, (port) =>
      send(port, '--to', 'anyone@anything.example', '--body', 'Hello'),
    );
    expect(contents[0]!.toString()).toContain('\r\n\r\nHello\r\n');
    expect((await daemon.list()).messages[0]!.Subject).toMatch(/^test /);
  });

  it('delivers attachments', async () => {
    const picture = join(folder, 'picture.png');
    writeFileSync(picture, Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7919) & 255)));
    const { contents } = await watch(daemon, (port) =>
      send(
        port,
        '--to',
        'a@in.example',
        '--body',
        'See these',
        '--attach-type',
        'image/png',
        '--attach',
        `@${picture}`,
        '--attach',
        'text',
      ),
    );
    expect(contents[0]!.length).toBeGreaterThan(90_000);
  });

  it('delivers to 500 recipients at once', async () => {
    const all = Array.from({ length: 500 }, (_, n) => `many-${n}@in.example`).join(',');
    const { said } = await watch(daemon, (port) => send(port, '--to', all));
    expect(said.match(/^RCPT TO:/gm)?.length).toBe(500);
  });

  it('delivers a pipelined transaction', async () => {
    const { heard } = await watch(daemon, (port) => send(port, '--to', 'a@in.example,b@in.example', '--pipeline'));
    expect(heard).toMatch(/^250[- ]PIPELINING\r$/m);
  });

  it.each(['SMTP', 'ESMTP'])('delivers over %s', async (protocol) => {
    const { said } = await watch(daemon, (port) => send(port, '--to', 'a@in.example', '--protocol', protocol));
    expect(said).toMatch(protocol === 'SMTP' ? /^HELO / : /^EHLO /);
  });

  it('delivers over LMTP, with a reply for each recipient', async () => {
    const { said, heard } = await watch(
      daemon,
      (port) => send(port, '--to', 'a@in.example,b@in.example,c@in.example', '--protocol', 'LMTP'),
      lmtpPort(),
    );
    expect(said).toMatch(/^LHLO /);
    expect(heard.match(/^250 2\.0\.0 OK queued as/gm)?.length).toBe(3);
  });

  it('is refused when it says EHLO to LMTP (RFC 2033 §4.1)', async () => {
    const { code, stdout } = await run(swaks, [
      '--server',
      '127.0.0.1',
      '--port',
      String(lmtpPort()),
      '--to',
      'a@in.example',
      '--protocol',
      'ESMTP',
    ]);
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/^<\*\* 5\d\d /m);
  });

  it('delivers UTF-8 headers and body', async () => {
    const { contents } = await watch(daemon, (port) =>
      send(port, '--to', 'a@in.example', '--h-Subject', 'Grüße aus 北京', '--body', 'Здравствуйте'),
    );
    expect(contents[0]!.toString()).toContain('Subject: Grüße aus 北京\r\n');
  });

  it('delivers a file of awkward lines unchanged', async () => {
    const file = join(folder, 'awkward.eml');
    writeFileSync(file, AWKWARD);
    const { contents } = await watch(daemon, (port) => send(port, '--to', 'a@in.example', '--data', `@${file}`));
    // what swaks itself does to a message it is given: one more line end behind it
    expect(contents[0]!.toString()).toBe(`${AWKWARD}\r\n`);
  });
});
