import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startDaemon } from '../../support/daemon-process.ts';
import { deliver, SmtpClient } from '../../support/smtp-client.ts';

/** How hard a daemon is hit, and for how long. */
export interface Flood {
  readonly seconds: number;
  /** Connections that are held open, clients that drip, and connections that send junk. */
  readonly held: number;
  readonly drips: number;
  readonly junk: number;
}

export interface Met {
  readonly connections: number;
  readonly greeted: number;
  readonly refused: number;
  readonly cut: number;
  readonly errors: number;
  readonly accepted: number;
}

export interface Outcome {
  readonly held: Met;
  readonly drips: Met;
  readonly junk: Met;
  /** Of an honest client a second: milliseconds from connecting to the 250 behind its mail. */
  readonly milliseconds: readonly number[];
  /** What became of honest mails that got no 250. */
  readonly failures: readonly string[];
  /** Ids that were acknowledged and are not there. */
  readonly lost: readonly string[];
  /** Lines of the log about load. */
  readonly loads: readonly unknown[];
  /** Messages that the daemon says it holds. */
  readonly stored: number;
  readonly rssBytes: number;
}

const ATTACKER = fileURLToPath(new URL('./attacker.ts', import.meta.url));

/** Runs a daemon under `--profile public` on loopback, floods it from child processes, and mails like an honest client. */
export async function flood({ seconds, held, drips, junk }: Flood): Promise<Outcome> {
  const args = ['--profile', 'public', '--exempt', 'none', '--keep-per-inbox', '0', '--log-format', 'json'];
  const daemon = await startDaemon({ args });
  try {
    const attack = (kind: string, clients: number, network: number): Promise<Met> =>
      runAttacker([kind, String(daemon.smtpPort), String(clients), String(seconds), String(network)]);
    const attackers = [
      ...[1, 2].map((network) => attack('hold', held / 2, network)),
      attack('drip', drips, 3),
      attack('junk', junk, 4),
    ];
    await sleep(Math.min(2000, (seconds * 1000) / 4)); // it has begun
    const honest = await mailHonestly(daemon.smtpPort, seconds - 4);
    const rssBytes = await rssOf(daemon.pid);
    const [first, second, dripped, sent] = await Promise.all(attackers);
    const lost: string[] = [];
    for (const id of honest.ids) if ((await daemon.api(`/message/${id}`)).status !== 200) lost.push(id);
    const { total } = (await (await daemon.api('/messages?limit=1')).json()) as { total: number };
    return {
      held: sum(first!, second!),
      drips: dripped!,
      junk: sent!,
      milliseconds: honest.milliseconds,
      failures: honest.failures,
      lost,
      loads: daemon.log.filter((entry) => 'load' in entry),
      stored: total,
      rssBytes,
    };
  } finally {
    await daemon.stop();
  }
}

async function runAttacker(args: readonly string[]): Promise<Met> {
  const child = spawn(process.execPath, [ATTACKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return JSON.parse(text) as Met;
}

function sum(one: Met, other: Met): Met {
  const keys = Object.keys(one) as (keyof Met)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + other[key]])) as unknown as Met;
}

interface Honest {
  readonly milliseconds: number[];
  readonly failures: string[];
  readonly ids: string[];
}

/** One client a second, whether or not those before it are done. */
async function mailHonestly(port: number, seconds: number): Promise<Honest> {
  const honest: Honest = { milliseconds: [], failures: [], ids: [] };
  const mails: Promise<void>[] = [];
  for (let number = 0; number < seconds; number++) {
    mails.push(mailOnce(port, number, honest));
    await sleep(1000);
  }
  await Promise.all(mails);
  return honest;
}

async function mailOnce(port: number, number: number, honest: Honest): Promise<void> {
  const from = performance.now();
  try {
    const client = await SmtpClient.open({ port, from: `127.9.0.${1 + (number % 20)}` });
    const content = Buffer.from(`Subject: honest mail ${number}\r\n\r\nhello\r\n`);
    const ids = await deliver(client, { from: 'me@honest.test', to: [`you${number}@here.test`], content });
    honest.milliseconds.push(performance.now() - from);
    honest.ids.push(...ids);
    await client.quit();
  } catch (error) {
    honest.failures.push(error instanceof Error ? error.message : String(error));
  }
}

async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
