/** A person with two terminals and netcat: in one the directory is spoken to, the other shows what comes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { runWell } from '../../support/run.ts';
import { deliver, SmtpClient } from '../../support/smtp-client.ts';
import { until } from '../../support/until.ts';

describeWithPeers('notices by netcat', ['nc', 'ss'], ({ nc, ss }) => {
  let daemon: DaemonProcess;
  let port: string;
  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--listen', 'eurechat://127.0.0.1:0'] });
    port = new URL(daemon.url('eurechat')).port;
  });
  afterAll(() => daemon.stop());

  const say = async (lines: readonly string[]): Promise<string> =>
    (await runWell(nc, ['-N', '127.0.0.1', port], { stdin: lines.map((line) => `${line}\n`).join('') })).stdout;

  it('are bound and shown as documented', { timeout: 60_000 }, async () => {
    const endpoint = await freePort(ss);
    // the line of README.md
    const loop = `while printf 'PONG 0\\n' | ${nc} -l 127.0.0.1 ${endpoint}; do echo; done`;
    const terminal = spawn('bash', ['-c', loop], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let shown = '';
    terminal.stdout.setEncoding('latin1').on('data', (text: string) => (shown += text));
    try {
      await until(async () => (await runWell(ss, ['-Hltn', `sport = :${endpoint}`])).stdout !== '');
      expect(await say(['USER 0 corrado', 'PASS 0 x', `BIND 0 127.0.0.1 ${endpoint}`, 'QUERY 0'])).toBe(
        frames(
          'ACK|hi corrado, authentication required',
          'ACK|successfully authenticated',
          `ACK|bound successfully to 127.0.0.1:${endpoint}`,
          `RESULT|corrado,127.0.0.1,${endpoint}`,
        ),
      );
      const client = await SmtpClient.open(daemon.smtpPort);
      for (const subject of ['one', '\x1b[31mtwo\x07']) {
        const content = Buffer.from(`From: ada@out.example\r\nSubject: ${subject}\r\n\r\n`);
        await deliver(client, { from: 'ada@out.example', to: ['corrado@in.example'], content });
      }
      await client.quit();
      await until(() => (shown.match(/ B\n/g) ?? []).length === 2);
      // control characters are no part of a subject; what is left of them is text
      const notice = (text: string): string =>
        `MESSAGE \\d+ inboxd\n[0-9a-z]{26}  ada@out\\.example  ${text}  \\d+ B\n`;
      expect(shown.trimStart()).toMatch(new RegExp(`^${notice('one')}${notice('\\[31mtwo')}`));
      await until(() => shown.includes('PING 0\n'));
      const [, , result] = (await say(['USER 0 corrado', 'PASS 0 x', 'QUERY 0', 'LEAVE 0'])).split(/(?=ACK|RESULT)/);
      expect(result).toBe(frames(`RESULT|corrado,127.0.0.1,${endpoint}`));
    } finally {
      process.kill(-terminal.pid!, 'SIGKILL');
      await once(terminal, 'exit');
    }
  });
});

function frames(...texts: readonly string[]): string {
  return texts
    .map((text) => text.split('|'))
    .map(([type, payload = '']) => `${type} ${payload.length}\n${payload}`)
    .join('');
}

/** A port that nobody uses now, of those that the system gives to nobody by itself. */
async function freePort(ss: string): Promise<number> {
  const { stdout } = await runWell(ss, ['-Htan']);
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); ; port++) if (!stdout.includes(`:${port} `)) return port;
}
