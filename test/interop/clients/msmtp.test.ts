import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { runWell } from '../../support/run.ts';
import { AWKWARD, watch } from './watched.ts';

describeWithPeers('msmtp', ['msmtp'], ({ msmtp }) => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--listen', 'lmtp://127.0.0.1:0'] });
  });
  afterAll(() => daemon.stop());

  /** It reads local line ends, and leaves a message alone that has From, Date and Message-ID. */
  const send = (port: number, stdin: string, ...args: string[]) =>
    runWell(msmtp, ['--file=/dev/null', '--host=127.0.0.1', `--port=${port}`, '--tls=off', '--auth=off', ...args], {
      stdin,
    });

  const localLines = AWKWARD.replaceAll('\r\n', '\n');

  it('delivers a message unchanged', async () => {
    const { contents } = await watch(daemon, (port) =>
      send(port, localLines, '--from=ada@out.example', 'a@in.example', 'b@in.example'),
    );
    expect(contents[0]!.toString()).toBe(AWKWARD);
  });

  it('takes sender and recipients from the header, as sendmail -t does', async () => {
    const { contents, said } = await watch(daemon, (port) => send(port, localLines, '--read-envelope-from', '-t'));
    expect(contents[0]!.toString()).toBe(AWKWARD);
    expect(said).toMatch(/^MAIL FROM:<ada@out\.example>.*\r\nRCPT TO:<charles@in\.example>\r$/m);
  });

  it('asks for delivery status notifications (RFC 3461)', async () => {
    const dsn = ['--dsn-notify=failure,delay', '--dsn-return=headers'];
    const { said } = await watch(daemon, (port) =>
      send(port, localLines, '--from=ada@out.example', ...dsn, 'a@in.example'),
    );
    expect(said).toMatch(/ RET=HDRS\b/);
    expect(said).toMatch(/ NOTIFY=FAILURE,DELAY\b/);
  });

  it('delivers over LMTP', async () => {
    const port = Number(new URL(daemon.url('lmtp')).port);
    const { said } = await watch(
      daemon,
      (tap) => send(tap, localLines, '--protocol=lmtp', '--from=ada@out.example', 'a@in.example'),
      port,
    );
    expect(said).toMatch(/^LHLO /);
  });

  it('prints what the server offers', async () => {
    const { stdout } = await send(daemon.smtpPort, '', '--serverinfo');
    expect(stdout).toMatch(/SIZE \d+:/);
    expect(stdout).toMatch(/PIPELINING:/);
    expect(stdout).toMatch(/DSN:/);
  });
});
