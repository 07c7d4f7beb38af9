import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Filter } from '../mail/filter.ts';
import type { LoadCause, Reporter } from '../mail/report.ts';
import type { Verdict } from '../mail/sink.ts';
import type { LoadLimits, StrainLimits } from './limits.ts';

/**
 * Watches what the daemon costs, and has new work refused while that is too much; what is in flight goes on.
 *
 * Two levels. Strained: many places are taken, or the event loop or memory is near its limit; clients get less time.
 * Overloaded: over a limit; new connections and new transactions are told to come later. A level is left only when all
 * has stayed well below its limit for a while, so that it does not flicker, and each change is reported once.
 */

/** What is measured, each as a share of its limit. */
export interface Measures {
  /** Mean delay of the event loop since the last look. */
  readonly lagMs: number;
  readonly memoryBytes: number;
  /** Share of the places for connections that are taken. */
  readonly places: number;
}

export type Level = 'calm' | 'strained' | 'overloaded';

/** Share of a limit at which the daemon is strained, and below which it is calm again. */
const STRAINED = 0.8;
const RELIEVED = 0.6;
/** Looks in a row that must be good before a level is left. */
const GOOD_LOOKS = 4;
const LOOK_MS = 500;

const BUSY: Verdict = { code: 421, enhanced: '4.3.2', text: 'Too busy, try again later' };
const NOT_NOW: Verdict = { code: 451, enhanced: '4.3.2', text: 'Too busy for more mail, try again later' };
const NO_MEMORY: Verdict = { code: 452, enhanced: '4.3.1', text: 'Out of memory for more mail, try again later' };

export interface LoadOptions {
  readonly limits: LoadLimits & StrainLimits;
  readonly places: () => number;
  readonly report: Reporter;
  /** Told of every change of level. */
  readonly changed?: (level: Level) => void;
}

export class Load {
  readonly #options: LoadOptions;
  #level: Level = 'calm';
  #cause: LoadCause = 'connections';
  #goodLooks = 0;
  #timer: NodeJS.Timeout | undefined;
  #delays: ReturnType<typeof monitorEventLoopDelay> | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get level(): Level {
    return this.#level;
  }

  /** Looks from now on, twice a second; `stop` ends it. */
  start(): void {
    if (this.#options.limits.lagMs > 0) {
      this.#delays = monitorEventLoopDelay({ resolution: 20 });
      this.#delays.enable();
    }
    this.#timer = setInterval(() => this.look(this.#measure()), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays?.disable();
  }

  #measure(): Measures {
    // a histogram without a sample gives NaN
    const lagMs = this.#delays && this.#delays.count > 0 ? this.#delays.mean / 1e6 : 0;
    this.#delays?.reset();
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    // heap that is empty will be used again, and may never be given back
    return { lagMs, memoryBytes: rss - (heapTotal - heapUsed), places: this.#options.places() };
  }

  /** Judges one look. */
  look({ lagMs, memoryBytes, places }: Measures): void {
    const { limits } = this.#options;
    const shares: readonly (readonly [LoadCause, number])[] = [
      ['lag', limits.lagMs > 0 ? lagMs / limits.lagMs : 0],
      ['memory', limits.memoryBytes > 0 ? memoryBytes / limits.memoryBytes : 0],
      ['connections', limits.strainPercent > 0 ? (places * STRAINED * 100) / limits.strainPercent : 0],
    ];
    const [cause, share] = shares.reduce((most, one) => (one[1] > most[1] ? one : most));
    // no place left is no overload: the gate refuses by itself, and those inside are served
    const over = shares.find(([what, part]) => what !== 'connections' && part >= 1);
    const level: Level = over ? 'overloaded' : share >= STRAINED ? 'strained' : 'calm';
    if (RANK[level] > RANK[this.#level]) {
      this.#change(level, over?.[0] ?? cause, over?.[1] ?? share);
      return;
    }
    const urgent = Math.max(...shares.map(([what, part]) => (what === 'connections' ? 0 : part)));
    const isGood = this.#level === 'overloaded' ? urgent < STRAINED : this.#level === 'strained' && share < RELIEVED;
    this.#goodLooks = isGood ? this.#goodLooks + 1 : 0;
    if (this.#goodLooks >= GOOD_LOOKS) this.#change(level, this.#cause, share);
  }

  #change(level: Level, cause: LoadCause, share: number): void {
    this.#level = level;
    this.#cause = cause;
    this.#goodLooks = 0;
    this.#options.report({ type: 'load', level, cause, percent: Math.round(share * 100) });
    this.#options.changed?.(level);
  }

  /** Why a new connection can't be let in, if so. */
  refusal(): { readonly verdict: Verdict; readonly reason: string } | undefined {
    return this.#level === 'overloaded' ? { verdict: BUSY, reason: 'busy' } : undefined;
  }

  /** Refuses new transactions while overloaded. */
  filter(): Filter {
    return {
      name: 'load',
      mail: () =>
        this.#level === 'overloaded'
          ? { verdict: this.#cause === 'memory' ? NO_MEMORY : NOT_NOW, reason: 'busy' }
          : undefined,
    };
  }
}

const RANK: Readonly<Record<Level, number>> = { calm: 0, strained: 1, overloaded: 2 };
