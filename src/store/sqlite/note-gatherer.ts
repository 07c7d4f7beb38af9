import type { Note } from './annotations.ts';
import type { Thread } from './thread.ts';
import type { CommittedEvent, WriteMethods } from './writer-thread.ts';

interface Waiting {
  readonly note: Note;
  readonly done: PromiseWithResolvers<boolean>;
}

/** Annotations that are written in one transaction at most. */
const BATCH = 200;

/** Writes annotations together that come while others are being written: each transaction costs an fsync. */
export class NoteGatherer {
  readonly #writer: Thread<WriteMethods, CommittedEvent>;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(writer: Thread<WriteMethods, CommittedEvent>) {
    this.#writer = writer;
  }

  add(note: Note): Promise<boolean> {
    const done = Promise.withResolvers<boolean>();
    this.#waiting.push({ note, done });
    this.#writing ??= this.#write();
    return done.promise;
  }

  /** Resolves when nothing waits. */
  async drain(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    await null; // whatever comes in the same turn goes along
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const known = await this.#writer.call(
          'annotate',
          batch.map(({ note }) => note),
        );
        for (const [place, { done }] of batch.entries()) done.resolve(known[place] ?? false);
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#writing = undefined;
  }
}
