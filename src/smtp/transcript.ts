import type { SmtpReply } from './replies.ts';

interface Entry {
  /** The client's line, '' for what we said unasked. */
  readonly line: string;
  readonly reply: SmtpReply;
}

/**
 * What client and daemon said to each other, for the message that comes of it: the session's opening and the
 * transaction at hand. Entries are kept as they are and become text only when a message wants them.
 */
export class Transcript {
  readonly #limit: number;
  #entries: Entry[] = [];
  /** Entries that belong to every message of the session: all before the first transaction. */
  #opening = -1;
  #leftOut = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(line: string, reply: SmtpReply): void {
    if (this.#entries.length >= this.#limit) {
      this.#entries.splice(this.#limit >> 1, 1);
      this.#leftOut++;
    }
    this.#entries.push({ line, reply });
  }

  transactionOpens(): void {
    if (this.#opening === -1) this.#opening = this.#entries.length - 1;
  }

  transactionEnds(): void {
    this.#entries.length = Math.min(this.#entries.length, Math.max(0, this.#opening));
    this.#leftOut = 0;
  }

  /** What it holds now, as `C: ` and `S: ` lines; a gap says how much was left out. The lines are made when they are asked for. */
  snapshot(): () => readonly string[] {
    const entries = this.#entries.slice();
    const leftOut = this.#leftOut;
    const gapAt = this.#limit >> 1;
    return () => {
      const lines: string[] = [];
      for (const [index, { line, reply }] of entries.entries()) {
        if (leftOut > 0 && index === gapAt) lines.push(`... ${leftOut} commands left out`);
        if (line !== '') lines.push(`C: ${line}`);
        for (const said of reply.lines) lines.push(`S: ${said}`);
      }
      return lines;
    };
  }
}
