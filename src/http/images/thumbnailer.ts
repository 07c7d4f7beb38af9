import { createKillableThread, type KillableThread, threadEntry } from '../../mail/killable-thread.ts';
import type { Reporter } from '../../mail/report.ts';

const THREAD = Object.freeze({ jobMs: 10_000, waitingJobs: 256, heapMebibytes: 256, idleMs: 15_000 });
const KEPT = 512;

/** Makes thumbnails in a thread, and keeps the last ones: a page shows the same ones again and again. */
export class Thumbnailer {
  readonly #thread: KillableThread<Uint8Array | null, Uint8Array | undefined>;
  readonly #kept = new Map<string, Promise<Buffer | undefined>>(); // least recently used first
  #blank: Promise<Buffer | undefined> | undefined;

  constructor(report: Reporter, limits: Partial<typeof THREAD> = {}) {
    const entry = threadEntry('./thumbnail-thread', import.meta.url);
    this.#thread = createKillableThread({ name: 'thumbnailer', entry, report, ...THREAD, ...limits });
  }

  /**
   * Gives a thumbnail, blank for what is no picture, is too large or cannot be decoded in time.
   * @param key names the content, e.g. its checksum
   */
  async thumbnail(key: string, content: Buffer): Promise<Buffer | undefined> {
    const known = this.#kept.get(key);
    if (known === undefined && this.#thread.isBusy) return this.blank();
    const made = known ?? this.#make(content);
    this.#kept.delete(key);
    this.#kept.set(key, made);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
    }
    return (await made) ?? this.blank();
  }

  /** Gives a white one; undefined if the thread has too much to do. */
  async blank(): Promise<Buffer | undefined> {
    this.#blank ??= this.#make(null);
    const blank = await this.#blank;
    if (blank === undefined) this.#blank = undefined;
    return blank;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #make(content: Uint8Array | null): Promise<Buffer | undefined> {
    const made = await this.#thread.run(content);
    return made && Buffer.from(made.buffer, made.byteOffset, made.byteLength);
  }
}
