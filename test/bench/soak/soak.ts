import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DAEMON } from '../servers/inboxd.ts';
import { freePort, startServer } from '../servers/process.ts';
import type { ProbeLine } from './probe.ts';
import { browse, follow, type ReadCount } from './readers.ts';
import { type Sent, send } from './sender.ts';
import { judge, type Sample, type Trend } from './verdict.ts';

/*
 * A daemon at half of what it can take, for as long as one likes, with people reading at the same time. What must not
 * grow is memory, descriptors and the lag of the event loop.
 */

export interface SoakOptions {
  readonly seconds: number;
  readonly sampleSeconds: number;
  /** How long full speed is measured, to know what half of it is. */
  readonly calibrateSeconds: number;
  readonly onSample?: (sample: Sample) => void;
}

export interface SoakResult {
  readonly fullPerSecond: number;
  readonly wantedPerSecond: number;
  readonly sent: Sent;
  readonly seconds: number;
  readonly reads: ReadCount;
  readonly samples: readonly Sample[];
  readonly trends: readonly Trend[];
  /** Before anybody came, and after everybody left. */
  readonly descriptors: { readonly before: number; readonly after: number };
  /** Messages that the daemon has counted as received: neither lost nor doubled. */
  readonly accepted: number;
  /** Log lines from `warn` on. */
  readonly complaints: readonly string[];
}

const SESSIONS = 20;
const BROWSERS = 3;
const FOLLOWERS = 4;
const PROBE = fileURLToPath(new URL('./probe.ts', import.meta.url));
/** Bounded as a real one is, so that the store reaches its size during the warm-up. */
const ARGUMENTS = '--allow-root --keep-bytes 256MiB --keep-per-inbox 500 --log-level warn --log-format json'.split(' ');
const SETTLE_MS = 30_000;
const WARM_UP_REQUESTS = 60;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'inboxd-soak-'));
  const probe = join(folder, 'probe.jsonl');
  const log = join(folder, 'log.jsonl');
  const output = openSync(log, 'w');
  const [port, httpPort] = [await freePort(), await freePort()];
  const where = ['--port', String(port), '--http-port', String(httpPort), '--data', join(folder, 'data')];
  const daemon = await startServer(process.execPath, [...DAEMON, 'serve', ...where, ...ARGUMENTS], port, {
    env: { NODE_OPTIONS: `--import=${PROBE}`, SOAK_PROBE_FILE: probe },
    output,
  });
  const url = `http://127.0.0.1:${httpPort}`;
  const countDescriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;
  try {
    const to = { port, sessions: SESSIONS };
    const warmUp = { requests: 0, events: 0, troubles: [] };
    const first = await send({
      ...to,
      sessions: 1,
      messagesPerSecond: 100,
      signal: AbortSignal.timeout(2_000),
      seed: 0,
    });
    for (let tries = 0; warmUp.requests < WARM_UP_REQUESTS && tries < 60; tries++) {
      await browse(url, warmUp, AbortSignal.timeout(2_000), tries); // has started every thread that there will be
    }
    await pause(1_000); // the last connection is gone
    const before = countDescriptors();

    const quick = await send({
      ...to,
      messagesPerSecond: Number.POSITIVE_INFINITY,
      signal: AbortSignal.timeout(Math.round(options.calibrateSeconds * 1000)),
      seed: 1,
    });
    const fullPerSecond = quick.messages / options.calibrateSeconds;
    const wantedPerSecond = fullPerSecond / 2;
    const uncounted = first.messages + quick.messages;

    const end = new AbortController();
    const reads: ReadCount = { requests: 0, events: 0, troubles: [] };
    const started = performance.now();
    const working = [
      ...Array.from({ length: BROWSERS }, (_, n) => browse(url, reads, end.signal, n)),
      ...Array.from({ length: FOLLOWERS }, (_, n) => follow(url, reads, end.signal, n % 2 === 0)),
    ];
    const sending = send({ ...to, messagesPerSecond: wantedPerSecond, signal: end.signal, seed: 1000 });
    sending.catch(() => end.abort());

    const samples: Sample[] = [];
    for (;;) {
      const elapsed = (performance.now() - started) / 1000;
      if (elapsed >= options.seconds || end.signal.aborted) break;
      await pause(Math.min(options.sampleSeconds, options.seconds - elapsed) * 1000);
      const messages = (await acceptedBy(url)) - uncounted;
      const sample = { ...look(daemon.pid, probe), seconds: (performance.now() - started) / 1000, messages };
      samples.push(sample);
      options.onSample?.(sample);
    }
    const seconds = (performance.now() - started) / 1000;
    end.abort();
    const sent = await sending;
    await Promise.all(working);
    const accepted = (await acceptedBy(url)) - uncounted;
    const after = await settled(countDescriptors, before);
    return {
      fullPerSecond,
      wantedPerSecond,
      sent,
      seconds,
      reads,
      samples,
      trends: judge(samples),
      descriptors: { before, after },
      accepted,
      complaints: complaintsIn(log),
    };
  } finally {
    await daemon.stop();
    closeSync(output);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function acceptedBy(url: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/info`, { headers: { connection: 'close' } });
  const info = (await response.json()) as { RuntimeStats: { SMTPAccepted: number } };
  return info.RuntimeStats.SMTPAccepted;
}

function look(pid: number, probe: string): Omit<Sample, 'seconds' | 'messages'> {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const { lagP99Ms, heapBytes } = JSON.parse(readFileSync(probe, 'utf8').trimEnd().split('\n').at(-1)!) as ProbeLine;
  return {
    rssBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
    heapBytes,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    lagP99Ms,
  };
}

/** Waits until a number is back where it was, or patience ends; gives what it is then. */
async function settled(look: () => number, base: number): Promise<number> {
  const give = performance.now() + SETTLE_MS;
  while (look() > base && performance.now() < give) await pause(100);
  return look();
}

/** Lines of a log that is written from `warn` on. */
function complaintsIn(log: string): string[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
