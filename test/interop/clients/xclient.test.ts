import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { run, runWell } from '../../support/run.ts';
import { SmtpClient } from '../../support/smtp-client.ts';
import { watch } from './watched.ts';

describeWithPeers('swaks plays another client by XCLIENT', ['swaks'], ({ swaks }) => {
  let trusting: DaemonProcess;
  let wary: DaemonProcess;
  beforeAll(async () => {
    [trusting, wary] = await Promise.all([
      startDaemon({ args: ['--xclient-from', '127.0.0.0/8', '--log-level', 'debug'] }),
      startDaemon({ args: ['--xclient-from', '192.0.2.0/24'] }),
    ]);
  });
  afterAll(() => Promise.all([trusting.stop(), wary.stop()]));

  const args = (port: number, ...more: readonly string[]) => [
    ...['--server', '127.0.0.1', '--port', String(port), '--from', 'ada@out.example', '--to', 'a@in.example', ...more],
  ];
  const claims = ['--xclient-addr', '198.51.100.7', '--xclient-name', 'spike.example.org', '--xclient-port', '4711'];

  it('and is taken for it, in the message and in the log', async () => {
    const more = [
      '--xclient-helo',
      'spike.example.org',
      '--xclient-login',
      'ann@example.org',
      '--xclient-proto',
      'ESMTP',
    ];
    const { ids, said } = await watch(trusting, (port) => runWell(swaks, args(port, ...claims, ...more)));
    expect(said).toMatch(/^XCLIENT /m);
    const message = await (await fetch(`${trusting.httpUrl}/api/messages/${ids[0]}`)).json();
    expect(message).toMatchObject({
      protocol: 'ESMTPA',
      client: {
        address: '198.51.100.7',
        port: 4711,
        name: 'spike.example.org',
        hello: 'spike.example.org',
        login: { mechanism: 'XCLIENT', user: 'ann@example.org' },
      },
    });
    const line = expect.objectContaining({ msg: 'speaks for', by: '127.0.0.1', client: '198.51.100.7' });
    expect(trusting.log).toContainEqual(line);
  });

  it('over IPv6, without a name', async () => {
    const more = ['--xclient-addr', 'IPV6:2001:db8::7', '--xclient-name', '[UNAVAILABLE]'];
    const { ids } = await watch(trusting, (port) => runWell(swaks, args(port, ...more)));
    const message = await (await fetch(`${trusting.httpUrl}/api/messages/${ids[0]}`)).json();
    expect(message).toMatchObject({ client: { address: '2001:db8::7' } });
  });

  it('but not where its address is not trusted', async () => {
    const { code, stdout } = await run(swaks, args(wary.smtpPort, ...claims));
    expect(code).not.toBe(0); // it is not announced
    expect(stdout).not.toContain('XCLIENT');
    const client = await SmtpClient.open(wary.smtpPort);
    await client.expect(550, 'XCLIENT ADDR=198.51.100.7');
    await client.quit();
  });
});
