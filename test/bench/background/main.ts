import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../../src/mail/store.ts';
import { sampleMessage } from '../../store/support.ts';
import { createMails } from '../search/mails.ts';
import { median } from '../statistics.ts';
import { openUnbounded } from '../unbounded-store.ts';

export interface BackgroundOptions {
  readonly messages: number;
  readonly rounds: number;
}

interface Round {
  /** Messages accepted per second while the background works on a backlog, and while there is nothing to do. */
  readonly busy: number;
  readonly idle: number;
  /** Messages indexed per second, and per second of processor time, once none arrive. */
  readonly caughtUp: number;
  readonly perCore: number;
}

const INBOXES = 2000;
const CALLERS = 50;
/** Accepting is measured over so many that the intake log, which takes a few thousand at once, hides nothing. */
const BURST = 30_000;

/** Measures what the background work does to accepting, and how fast it is by itself. @returns Markdown */
export async function measureBackground({ messages, rounds }: BackgroundOptions): Promise<string> {
  const done: Round[] = [];
  for (let n = 0; n <= rounds; n++) {
    const round = await measure(messages);
    if (n > 0) done.push(round); // the first warms up
  }
  const of = (what: keyof Round): number => median(done.map((round) => round[what]));
  const ratio = median(done.map(({ busy, idle }) => busy / idle));
  const whole = (value: number): string => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return [
    `${whole(messages)} messages of 2 KB wait to be parsed, indexed and packed; medians of ${rounds} rounds.`,
    '',
    '| messages/s | |',
    '|---|---:|',
    `| accepted while nothing waits | ${whole(of('idle'))} |`,
    `| accepted while the background works | ${whole(of('busy'))} (${ratio.toFixed(2)}x) |`,
    `| indexed once none arrive | ${whole(of('caughtUp'))} |`,
    `| indexed per second of processor time | ${whole(of('perCore'))} |`,
  ].join('\n');
}

async function measure(messages: number): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), 'inboxd-bench-background-'));
  const store = await openUnbounded(directory);
  try {
    const mail = createMails(INBOXES);
    let made = 0;
    const accept = (count: number): Promise<number> => {
      const samples = Array.from({ length: count }, () => {
        const { raw, to } = mail(made++);
        return sampleMessage({ raw, to: [to] });
      });
      return rateOf(store, samples);
    };
    await accept(BURST);
    await indexed(store);
    const idle = await accept(BURST);
    await accept(messages);
    await delay(1000); // it has begun
    const busy = await accept(BURST);
    const { unindexed } = await store.stats();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await indexed(store);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { busy, idle, caughtUp: unindexed / seconds, perCore: unindexed / ((user + system) / 1e6) };
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

async function rateOf(store: Store, samples: readonly ReturnType<typeof sampleMessage>[]): Promise<number> {
  let next = 0;
  const began = performance.now();
  const caller = async (): Promise<void> => {
    while (next < samples.length) await store.accept(samples[next++]!);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return samples.length / ((performance.now() - began) / 1000);
}

async function indexed(store: Store): Promise<void> {
  while ((await store.stats()).unindexed > 0) await delay(100);
}
