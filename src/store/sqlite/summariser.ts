import type { IndexEntry } from './search-writer.ts';
import type { SummaryData, SummaryMethods, Unparsed } from './summary-thread.ts';
import { startThread, type Thread } from './thread.ts';

/** A mail whose parsing takes longer, or more memory, counts as one without text. */
const PARSE_MS = 30_000;
const PARSE_HEAP_MIB = 1024;
/** Until a thread with nothing to parse gives its memory back. */
const IDLE_MS = 60_000;

export interface SummariserTimes {
  /** What parsing what is given at once may take. */
  readonly parseMs?: number;
  readonly idleMs?: number;
}

/**
 * Parses mails in a thread that can be killed: what a mail does to the parser must end with that mail.
 * The thread is started when it is needed, and ended when it has not been for a while.
 */
export class Summariser {
  readonly #data: SummaryData;
  readonly #parseMs: number;
  readonly #idleMs: number;
  #thread: Promise<Thread<SummaryMethods>> | undefined;
  #idle: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;
  /** How many calls are not answered yet. */
  #calls = 0;
  #isEnded = false;

  constructor(data: SummaryData, { parseMs = PARSE_MS, idleMs = IDLE_MS }: SummariserTimes = {}) {
    this.#data = data;
    this.#parseMs = parseMs;
    this.#idleMs = idleMs;
  }

  /** Parses mails; whichever breaks the parser is given an empty entry, and one that is gone none. */
  async summarise(mails: readonly Unparsed[]): Promise<IndexEntry[]> {
    if (mails.length === 0) return [];
    try {
      return await this.#attempt(mails);
    } catch (error) {
      if (this.#isEnded) throw error;
    }
    const entries: IndexEntry[] = [];
    for (const mail of mails) {
      try {
        entries.push(...(await this.#attempt([mail])));
      } catch (error) {
        if (this.#isEnded) throw error;
        entries.push({
          seq: mail.seq,
          id: mail.id,
          snippet: '',
          attachments: 0,
          inline: 0,
          fileNames: [],
          text: '',
          words: [],
        });
      }
    }
    return entries;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#idle);
    await this.#kill();
    await this.#ending;
  }

  async #attempt(mails: readonly Unparsed[]): Promise<IndexEntry[]> {
    this.#thread ??= startThread<SummaryMethods>('summary-thread', {
      name: 'mail parser',
      data: this.#data,
      heapMiB: PARSE_HEAP_MIB,
    });
    clearTimeout(this.#idle);
    this.#calls += 1;
    let timer: NodeJS.Timeout | undefined;
    try {
      const thread = await this.#thread;
      timer = setTimeout(() => void thread.end(), this.#parseMs);
      return await thread.call('summarise', mails); // copied, not moved: they may have to be tried again
    } catch (error) {
      await this.#kill();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#calls -= 1;
      this.#restLater();
    }
  }

  #restLater(): void {
    if (this.#calls > 0 || this.#isEnded) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#ending = this.#kill();
    }, this.#idleMs).unref();
  }

  async #kill(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread)
      await thread.then(
        (started) => started.end(),
        () => {},
      );
  }
}
