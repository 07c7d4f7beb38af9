import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeWithPeers } from '../support/peers.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { freePort } from './mta/relay.ts';

/** Ways in which HAProxy introduces its clients. */
const WAYS = {
  'version 1': 'send-proxy',
  'version 2': 'send-proxy-v2',
  'version 2 with a checksum and an id': 'send-proxy-v2 proxy-v2-options crc32c,unique-id',
} as const;

describeWithPeers('HAProxy in front', ['haproxy', 'curl'], ({ haproxy, curl }) => {
  let daemon: DaemonProcess;
  let balancer: ChildProcess | undefined;
  let folder: string;
  const ports = new Map<string, number>();

  beforeAll(async () => {
    // clients come from 127.0.0.9, the balancer from 127.0.0.1
    daemon = await startDaemon({
      args: ['--proxy-from', '127.0.0.1/32', '--listen', 'smtps://127.0.0.1:0'],
    });
    folder = mkdtempSync(join(tmpdir(), 'inboxd-haproxy-'));
    const sections: string[] = [];
    const listen = async (name: string, to: number, how: string): Promise<void> => {
      const port = await freePort();
      ports.set(name, port);
      sections.push(
        `listen at${port}`,
        '  mode tcp',
        `  bind 127.0.0.1:${port}`,
        '  unique-id-format %[uuid()]',
        `  server inboxd 127.0.0.1:${to} source 127.0.0.1 ${how} check inter 200`,
      );
    };
    for (const [name, how] of Object.entries(WAYS)) await listen(name, daemon.smtpPort, how);
    await listen('TLS', Number(new URL(daemon.url('smtps')).port), 'send-proxy-v2');
    const settings = ['defaults', '  timeout connect 5s', '  timeout client 30s', '  timeout server 30s', ...sections];
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, `${settings.join('\n')}\n`);
    balancer = spawn(haproxy, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    for (const port of ports.values()) await until(() => canConnect(port));
  });
  afterAll(async () => {
    balancer?.kill('SIGKILL');
    await daemon.stop();
    rmSync(folder, { recursive: true });
  });

  const clientOf = async (id: string): Promise<unknown> => {
    const message = (await (await fetch(`${daemon.httpUrl}/api/messages/${id}`)).json()) as { client: unknown };
    return message.client;
  };

  it.each(Object.keys(WAYS))('brings its clients by %s', async (name) => {
    const socket = connect({ port: ports.get(name)!, host: '127.0.0.1', localAddress: '127.0.0.9' });
    const client = SmtpClient.over(socket);
    await client.greeted();
    await client.expect(250, 'EHLO client.example');
    const mail = {
      from: 'ada@out.example',
      to: ['a@in.example'],
      content: Buffer.from('Subject: hi\r\n\r\nHello\r\n'),
    };
    const [id] = await deliver(client, mail, { pipelined: true });
    const { localPort } = socket;
    await client.quit();
    expect(await clientOf(id!)).toMatchObject({ address: '127.0.0.9', port: localPort, hello: 'client.example' });
  });

  it('brings its clients to a listener that speaks TLS from the first octet', async () => {
    await runWell(
      curl,
      [
        ...['-sS', '--insecure', '--interface', '127.0.0.9', `smtps://127.0.0.1:${ports.get('TLS')}`],
        ...['--mail-from', 'ada@out.example', '--mail-rcpt', 'tls@in.example', '--upload-file', '-'],
      ],
      { stdin: 'Subject: hi\r\n\r\nHello\r\n' },
    );
    const { messages } = await daemon.list('limit=1');
    expect(await clientOf(messages[0]!.ID)).toMatchObject({ address: '127.0.0.9', tls: { version: 'TLSv1.3' } });
  });

  it('is itself the client of its health checks, which harm nobody', () => {
    expect(daemon.log.filter(({ msg }) => msg === 'crash')).toEqual([]);
  });
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
