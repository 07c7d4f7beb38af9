import { createKillableThread, JobTimeout, type KillableThread, threadEntry } from '../mail/killable-thread.ts';
import type { Reporter } from '../mail/report.ts';
import { Turns } from '../system/turns.ts';
import { type AgentFile, stampOf } from './agent-files.ts';
import type { AgentJob, AgentResult } from './agent-thread.ts';
import { RESPONDER_LIMITS } from './limits.ts';

export interface AgentRunnerOptions {
  /** What an agent may take for one mail. */
  readonly agentMs: number;
  /** Memory of the JavaScript of its thread. */
  readonly agentBytes: number;
  readonly report: Reporter;
  /** Gets what an agent prints. */
  readonly print: (agent: string, text: string) => void;
}

/** What came of running an agent, or of its thread. */
export type AgentOutcome =
  | AgentResult
  | { readonly kind: 'late'; readonly error: Error }
  | { readonly kind: 'crashed'; readonly error: Error };

/** A thread that has a version of a module loaded. */
interface Seat {
  readonly thread: KillableThread<AgentJob, AgentResult>;
  readonly source: string;
  readonly stamp: string;
  isBusy: boolean;
  /** Why its thread was given up. */
  failure: unknown;
  /** Characters printed for the mail at hand. */
  printed: number;
}

/**
 * Runs agents, each in a thread of its own: one that hangs, dies or wants too much memory takes nobody along. That keeps
 * faults apart and not enemies: an agent is a program of the operator's, with his rights.
 *
 * A few threads serve any number of agents. One that has loaded what a file no longer holds is ended, and so an agent is
 * always that of the file as it stands.
 */
export class AgentRunner {
  readonly #options: AgentRunnerOptions;
  readonly #turns = new Turns(RESPONDER_LIMITS.agentsAtOnce, Number.POSITIVE_INFINITY);
  readonly #stop = new AbortController();
  /** The one used latest is the last. */
  #seats: Seat[] = [];

  constructor(options: AgentRunnerOptions) {
    this.#options = options;
  }

  /** Loads an agent, to see whether that can be done. */
  check(agent: AgentFile): Promise<AgentOutcome> {
    return this.run(agent, undefined);
  }

  /**
   * Has an agent look at a mail.
   * @throws if the runner is closed meanwhile
   */
  async run(agent: AgentFile, mail: AgentJob['mail']): Promise<AgentOutcome> {
    return this.#turns.take(async () => {
      let stamp: string;
      try {
        stamp = await stampOf(agent);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { kind: 'unloadable', why: code === 'ENOENT' ? 'there is no such file' : message };
      }
      return this.#runIn(this.#seatFor(agent, stamp), { module: agent.url.href, mail });
    }, this.#stop.signal);
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the daemon is stopping'));
    await Promise.all(this.#seats.splice(0).map(({ thread }) => thread.close()));
  }

  async #runIn(seat: Seat, job: AgentJob): Promise<AgentOutcome> {
    seat.failure = undefined;
    seat.printed = 0;
    const result = await seat.thread.run(job);
    seat.isBusy = false;
    this.#stop.signal.throwIfAborted();
    if (result) return result;
    const { failure } = seat;
    const error = failure instanceof Error ? failure : new Error(String(failure));
    return { kind: error instanceof JobTimeout ? 'late' : 'crashed', error };
  }

  #seatFor({ source }: AgentFile, stamp: string): Seat {
    const isOld = (seat: Seat): boolean => !seat.isBusy && seat.source === source && seat.stamp !== stamp;
    for (const seat of this.#seats.filter(isOld)) this.#endSeat(seat);
    let seat = this.#seats.findLast((one) => !one.isBusy && one.source === source && one.stamp === stamp);
    if (!seat && this.#seats.length >= RESPONDER_LIMITS.agentsAtOnce)
      this.#endSeat(this.#seats.find((one) => !one.isBusy)!);
    seat ??= this.#makeSeat(source, stamp);
    seat.isBusy = true;
    this.#seats = [...this.#seats.filter((one) => one !== seat), seat];
    return seat;
  }

  #endSeat(seat: Seat): void {
    this.#seats = this.#seats.filter((one) => one !== seat);
    void seat.thread.close();
  }

  #makeSeat(source: string, stamp: string): Seat {
    const { agentMs, agentBytes, report, print } = this.#options;
    const { printedCharacters, idleMs } = RESPONDER_LIMITS;
    const thread = createKillableThread<AgentJob, AgentResult>({
      name: `agent ${source}`,
      entry: threadEntry('./agent-thread', import.meta.url),
      jobMs: agentMs,
      waitingJobs: 1,
      heapMebibytes: Math.ceil(agentBytes / 2 ** 20),
      idleMs,
      report: (one) => {
        // what ends a job is told with the job
        if (one.type === 'crash' && seat.isBusy) seat.failure = one.error;
        else report(one);
      },
      print: (text) => {
        if (seat.printed >= printedCharacters) return;
        seat.printed += text.length;
        print(source, text.slice(0, printedCharacters));
      },
    });
    const seat: Seat = { thread, source, stamp, isBusy: false, failure: undefined, printed: 0 };
    return seat;
  }
}
