/**
 * Runs servers against each other under the same load.
 *
 * The servers take turns within each round (A B C D, A B C D, ...), so that whatever else the machine does meets all
 * of them alike; a ratio is taken within a round, and the median of those is reported. Every server is a process of
 * its own that starts fresh for each load, is warmed up once and then stays up, idle while the others run: one that
 * keeps messages is emptied after its round, as it would parse and index them for a while.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from './statistics.ts';

/** A server in a process of its own, listening on loopback. */
export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** How many messages it says it holds; absent where it holds none. */
  held?(): Promise<number>;
  /** Removes what it holds, so that nothing of that is left to be done. */
  empty?(): Promise<void>;
  stop(): Promise<void>;
}

export interface Contestant {
  readonly name: string;
  readonly title: string;
  /** The part of a load's messages that it gets, where it is too slow for all of them; 1 if absent. */
  share?(load: Load): number;
  /** What is to be installed before it can be started here; absent where nothing may be missing. */
  lacks?(): string | undefined;
  start(): Promise<RunningServer>;
}

export interface Load {
  readonly name: string;
  readonly title: string;
  /** Whether each message comes over a connection of its own. */
  readonly reconnects: boolean;
  /** Messages per round; chosen so that a round takes 1 to 4 s. */
  readonly messages: number;
  /** Messages of the first round, which is not counted: enough for a just-in-time compiler; a quarter of the others if absent. */
  readonly warmUp?: number;
  /** Names of the servers that it cannot be put to. */
  readonly without?: readonly string[];
  /** Sends the messages; throws if one of them was not accepted. */
  run(port: number, messages: number): Promise<void>;
}

export interface Score {
  readonly contestant: Contestant;
  /** Messages per second of each round. */
  readonly rates: readonly number[];
  /** CPU time of the server's process in microseconds per message, of each round. */
  readonly cpuMicros: readonly number[];
}

export interface Result {
  readonly load: Load;
  readonly scores: readonly Score[];
}

interface Entrant {
  readonly contestant: Contestant;
  readonly server: RunningServer;
  readonly rates: number[];
  readonly cpuMicros: number[];
  /** Messages that it must hold now, if it holds any. */
  sent: number;
}

/** Compares what a server holds with what it was sent, and empties it if it can be. */
async function compare(entrant: Entrant): Promise<void> {
  const { contestant, server, sent } = entrant;
  const held = await server.held?.();
  if (held !== undefined && held !== sent) throw new Error(`${contestant.name} holds ${held} of ${sent} messages`);
  if (!server.empty) return;
  await server.empty();
  await rested(server.pid);
  entrant.sent = 0;
}

const REST = { lookMs: 250, shareOfCore: 0.05, mostMs: 20_000 };

/** Resolves when a process has come to rest. */
async function rested(pid: number): Promise<void> {
  const give = performance.now() + REST.mostMs;
  for (let before = cpuMicros(pid); performance.now() < give; ) {
    await pause(REST.lookMs);
    const now = cpuMicros(pid);
    if (now - before < REST.lookMs * 1000 * REST.shareOfCore) return;
    before = now;
  }
}

/** Runs one load against every contestant; throws if a message got lost on the way or in a store. */
export async function contest(load: Load, contestants: readonly Contestant[], rounds: number): Promise<Result> {
  const running: Entrant[] = [];
  try {
    for (const contestant of contestants) {
      if (load.without?.includes(contestant.name)) continue;
      running.push({ contestant, server: await contestant.start(), rates: [], cpuMicros: [], sent: 0 });
    }
    for (let round = 0; round <= rounds; round++) {
      for (const one of running) {
        const usual = round === 0 ? (load.warmUp ?? load.messages / 4) : load.messages;
        const messages = Math.round(usual * (one.contestant.share?.(load) ?? 1));
        const cpuBefore = cpuMicros(one.server.pid);
        const start = performance.now();
        await load.run(one.server.port, messages);
        const seconds = (performance.now() - start) / 1000;
        const cpuAfter = cpuMicros(one.server.pid);
        one.sent += messages;
        await compare(one);
        if (round === 0) continue;
        one.rates.push(messages / seconds);
        one.cpuMicros.push((cpuAfter - cpuBefore) / messages);
      }
    }
    return { load, scores: running.map(({ contestant, rates, cpuMicros }) => ({ contestant, rates, cpuMicros })) };
  } finally {
    for (const { server } of running) await server.stop();
  }
}

/** Median of the rates' ratios, each taken within one round. */
export function ratio(score: Score, to: Score): number {
  return median(score.rates.map((rate, round) => rate / to.rates[round]!));
}

const MICROS_PER_TICK = 10_000; // USER_HZ is 100 on every Linux that Node.js runs on

/** User and system time of a process with all its threads. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from field 3 on, behind the name
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}
