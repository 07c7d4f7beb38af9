import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import type { Layout } from './layout.ts';

/**
 * A file that only takes up room. Deleting writes too: on a disk that others have filled, a store could otherwise not
 * even remove messages. Then this file goes first; its room is enough to copy the WAL into the database, after which
 * the WAL starts anew.
 */
export class Reserve {
  readonly bytes: number;
  readonly #path: string;
  readonly #directory: string;
  #isThere: boolean;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor({ directory, database, reserve }: Layout) {
    this.#directory = directory;
    this.#path = reserve;
    const { blocks, bsize } = statfsSync(directory);
    const most = Math.max(MOST_BYTES, Math.min(MOST_OF_LARGE_BYTES, sizeOf(database) * PART));
    const wanted = Math.round(Math.min(most, Math.max(LEAST_BYTES, blocks * bsize * PART)));
    const kept = sizeOf(reserve);
    const isLargeEnough = kept >= wanted || this.#freeBytes() < PLENTY * wanted;
    this.#isThere = kept > 0 && isLargeEnough;
    this.bytes = this.#isThere ? Math.min(kept, wanted) : wanted;
  }

  /** Makes the file if it is missing and there is plenty of room; looks at the disk once a second at most. */
  restore(): void {
    if (this.#isThere || performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = performance.now();
    if (this.#freeBytes() < PLENTY * this.bytes) return;
    try {
      this.#make();
      this.#isThere = true;
    } catch {
      rmSync(this.#path, { force: true }); // someone was faster: without a reserve, as before
    }
  }

  /** True while what is left of its room is for removing messages only. */
  get isNeeded(): boolean {
    return !this.#isThere && this.#freeBytes() < this.bytes;
  }

  /** Gives its room away. @returns false if there was none */
  spend(): boolean {
    if (!this.#isThere) return false;
    rmSync(this.#path, { force: true });
    this.#isThere = false;
    return true;
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#directory);
    return bavail * bsize;
  }

  #make(): void {
    const descriptor = openSync(this.#path, 'w', 0o600);
    try {
      const noise = randomFillSync(Buffer.allocUnsafe(64 * 1024)); // some file systems keep no room for zeros
      for (let left = this.bytes; left > 0; left -= noise.length) {
        writeSync(descriptor, noise, 0, Math.min(left, noise.length));
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Its size: this part of the file system, within these; more for a large database, which wants a larger WAL. */
const PART = 1 / 32;
const LEAST_BYTES = 512 * 1024;
const MOST_BYTES = 12 * 1024 * 1024;
const MOST_OF_LARGE_BYTES = 48 * 1024 * 1024;
/** So many times its size must be free before it is made. */
const PLENTY = 3;
const LOOK_EVERY_MS = 1000;
