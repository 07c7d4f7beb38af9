import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a daemon says of itself in its data folder, for commands of the same user on this machine. */
export interface CardFacts {
  readonly pid: number;
  readonly listeners: readonly { readonly protocol: string; readonly url: string }[];
  /** Where HTTP wants credentials: a token for who can read the card. */
  readonly token?: string;
  /** SHA-256 of the certificates that listeners for HTTPS show, as openssl prints it. */
  readonly fingerprints?: readonly string[];
}

/** Where the card of a data folder lies. */
export function cardPath(directory: string): string {
  return join(directory, 'inboxd.json');
}

/** The card of a running daemon: written at the start, again when its facts change, and taken back at the end. */
export class Card {
  readonly #path: string;
  readonly #facts: () => Omit<CardFacts, 'pid'>;
  #writing: Promise<void> = Promise.resolve();
  #isGone = false;

  constructor(directory: string, facts: () => Omit<CardFacts, 'pid'>) {
    this.#path = cardPath(directory);
    this.#facts = facts;
  }

  /** Writes it, whole or not at all, and for its own user alone. */
  write(): Promise<void> {
    const written = this.#writing.then(async () => {
      if (this.#isGone) return;
      const draft = `${this.#path}.new`;
      await rm(draft, { force: true }); // one that a killed daemon left may have been given other rights
      const text = JSON.stringify({ pid: process.pid, ...this.#facts() } satisfies CardFacts);
      await writeFile(draft, `${text}\n`, { mode: 0o600, flag: 'wx' });
      await rename(draft, this.#path);
    });
    this.#writing = written.catch(() => {}); // told to who asked for it; the next may succeed
    return written;
  }

  /** Takes it back, for good. */
  async remove(): Promise<void> {
    this.#isGone = true;
    await this.#writing;
    await rm(this.#path, { force: true });
  }
}
