import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';

/**
 * The bytes of a message exactly as they were sent (dot-unstuffed, nothing else), readable any number of times.
 *
 * Small ones stay in memory; past a limit they go to a spool file while they arrive, so that memory never holds a
 * large message. Who receives a Content never changes it; who made it calls `release` when nobody reads it any more.
 */
export interface Content {
  readonly bytes: number;
  /** True if a CR without LF or an LF without CR is in it (accepted only under `--bare-newlines keep`). */
  readonly bareNewlines: boolean;
  /** Where the bytes are: in memory as views in order, in a file, or nowhere when only their number was wanted. */
  readonly at: ContentPlace;
  /** Reads it from the start; may be called again. */
  stream(): AsyncIterable<Buffer>;
  /** Drops the memory or removes the spool file, unless a sink has moved that away. Safe to call twice. */
  release(): void;
}

export type ContentPlace =
  | { readonly kind: 'memory'; readonly views: readonly Buffer[] }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'counted' };

/** Takes the bytes of one message as they arrive. */
export interface ContentWriter {
  readonly bytes: number;
  /** Takes a view that is good until the call returns. A promise asks the caller to wait before it brings more; it rejects with the system's error (ENOSPC ...). */
  write(view: Buffer): void | Promise<void>;
  /** All bytes are in: gives the Content. Rejects with the system's error if the spool file could not be written. */
  finish(bareNewlines: boolean): Content | Promise<Content>;
  /** Gives up: memory and spool file are gone afterwards. */
  abort(): void;
}

/** Makes a writer for each message. */
export type Spool = () => ContentWriter;

export interface SpoolOptions {
  /** Where spool files go; made when first needed. */
  readonly directory: string;
  /** Contents up to this many octets stay in memory. */
  readonly memoryBytes?: number;
}

/** Octets a message may have before it goes to a file; the store keeps smaller ones in its database. */
export const SPOOL_MEMORY_BYTES = 128 * 1024;

/** Keeps small contents in memory and streams larger ones into files of their own. */
export function createSpool({ directory, memoryBytes = SPOOL_MEMORY_BYTES }: SpoolOptions): Spool {
  return () => new SpoolWriter(directory, memoryBytes);
}

/** Keeps every content in memory, whatever its size. */
export function createMemorySpool(): Spool {
  return () => new SpoolWriter('', Number.POSITIVE_INFINITY);
}

/** Counts octets and keeps none. */
export const countingSpool: Spool = () => new CountingWriter();

class CountingWriter implements ContentWriter {
  bytes = 0;

  write(view: Buffer): void {
    this.bytes += view.length;
  }

  finish(bareNewlines: boolean): Content {
    return new HeldContent(this.bytes, bareNewlines, { kind: 'counted' });
  }

  abort(): void {}
}

/** Wraps bytes that are in memory already as a Content. */
export function contentOf(views: readonly Buffer[], bareNewlines = false): Content {
  let bytes = 0;
  for (const view of views) bytes += view.length;
  return new HeldContent(bytes, bareNewlines, { kind: 'memory', views });
}

/** Octets of the first slab of a content, and of the largest. */
const FIRST_SLAB_BYTES = 1024;
const SLAB_BYTES = 16 * 1024;

/**
 * What arrived, copied into slabs that grow with the number of octets they hold: a client that sends one byte per
 * packet costs no object per byte.
 */
class Views {
  readonly list: Buffer[] = [];
  bytes = 0;
  #slab: Buffer | undefined;
  #end = 0;
  /** Memory of views that a file has now, to be used again. */
  readonly #spare: Buffer[] | undefined;
  /** What can be used again once these views are in a file. */
  readonly slabs: Buffer[] = [];

  /** @param spare slabs that others have done with; absent for what stays in memory */
  constructor(spare?: Buffer[]) {
    this.#spare = spare;
  }

  add(view: Buffer): void {
    const { length } = view;
    if (length === 0) return;
    this.bytes += length;
    const slab = this.#slab;
    if (slab && this.#end + length <= slab.length) {
      view.copy(slab, this.#end);
      this.#end += length;
      this.list[this.list.length - 1] = slab.subarray(0, this.#end);
      return;
    }
    const next = this.#spare ? this.#fileSlab(length) : memorySlab(length, slab);
    view.copy(next);
    this.#slab = next;
    this.#end = length;
    this.list.push(next.length === length ? next : next.subarray(0, length));
  }

  /** Of one size, so that they serve for any view: fresh memory for each would be waste faster than it is collected. */
  #fileSlab(length: number): Buffer {
    const spare = length <= WRITE_BYTES ? this.#spare!.pop() : undefined;
    const slab = spare ?? Buffer.allocUnsafeSlow(Math.max(length, WRITE_BYTES));
    if (slab.length === WRITE_BYTES) this.slabs.push(slab);
    return slab;
  }
}

function memorySlab(length: number, before: Buffer | undefined): Buffer {
  const usual = before ? Math.min(before.length * 2, SLAB_BYTES) : FIRST_SLAB_BYTES;
  return Buffer.allocUnsafeSlow(Math.max(length, usual)); // not of the shared pool, which it would keep alive
}

/** Octets that are worth a write of their own, and from which on the writer is asked to wait. */
const WRITE_BYTES = 64 * 1024;
const WAITING_BYTES = 128 * 1024;

/** Gathers in memory; past the limit at most one write is under way while the next gathers. */
class SpoolWriter implements ContentWriter {
  bytes = 0;
  #views = new Views();
  readonly #spare: Buffer[] = [];
  readonly #directory: string;
  readonly #memoryBytes: number;
  #path = '';
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  /** Who was asked to wait until the views are taken. */
  #drained: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isAborted = false;

  constructor(directory: string, memoryBytes: number) {
    this.#directory = directory;
    this.#memoryBytes = memoryBytes;
  }

  write(view: Buffer): void | Promise<void> {
    this.bytes += view.length;
    if (this.#failure) return Promise.reject(this.#failure.error);
    this.#views.add(view);
    if (this.bytes <= this.#memoryBytes) return;
    if (this.#views.bytes < WRITE_BYTES) return;
    this.#writing ??= this.#drain();
    if (this.#views.bytes < WAITING_BYTES) return;
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  finish(bareNewlines: boolean): Content | Promise<Content> {
    if (this.bytes > this.#memoryBytes) return this.#finishFile(bareNewlines);
    return new HeldContent(this.bytes, bareNewlines, { kind: 'memory', views: this.#views.list });
  }

  abort(): void {
    this.#isAborted = true;
    this.#views = new Views();
    if (!this.#writing) void this.#discard();
  }

  async #finishFile(bareNewlines: boolean): Promise<Content> {
    await this.#writing;
    if (!this.#failure) await this.#drain();
    if (!this.#failure) {
      try {
        const handle = this.#handle;
        this.#handle = undefined;
        await handle?.close(); // NFS and quotas may tell only here that it does not fit
      } catch (error) {
        await this.#fail(error);
      }
    }
    if (this.#failure) throw this.#failure.error;
    return new HeldContent(this.bytes, bareNewlines, { kind: 'file', path: this.#path });
  }

  /** Writes until nothing waits. Never rejects: an error is kept for the next who writes or finishes. */
  async #drain(): Promise<void> {
    try {
      this.#handle ??= await this.#open();
      while (this.#views.bytes > 0) {
        const views = this.#views;
        this.#views = new Views(this.#spare);
        this.#drained?.resolve();
        this.#drained = undefined;
        await writeAll(this.#handle, views.list);
        this.#spare.push(...views.slabs);
      }
    } catch (error) {
      await this.#fail(error);
    }
    this.#writing = undefined;
    this.#drained?.resolve(); // aborted meanwhile
    this.#drained = undefined;
    if (this.#isAborted) await this.#discard();
  }

  async #open(): Promise<FileHandle> {
    this.#path = join(this.#directory, `${randomBytes(12).toString('hex')}.part`);
    try {
      return await open(this.#path, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      makeDirectory(this.#directory);
      return await open(this.#path, 'wx', 0o600);
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure = { error };
    this.#views = new Views();
    await this.#discard();
    this.#drained?.reject(error);
    this.#drained = undefined;
  }

  /** Closes and removes the file; an error here adds nothing to the one that brought us here. */
  async #discard(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle) await handle.close().catch(ignore);
    if (this.#path !== '') await unlink(this.#path).catch(ignore);
  }
}

/** Writes all of it: a disk that fills up may first take only a part. */
async function writeAll(handle: FileHandle, views: readonly Buffer[]): Promise<void> {
  let rest = views;
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest);
    let whole = 0;
    while (whole < rest.length && bytesWritten >= rest[whole]!.length) bytesWritten -= rest[whole++]!.length;
    rest = rest.slice(whole);
    if (bytesWritten > 0) rest = [rest[0]!.subarray(bytesWritten), ...rest.slice(1)];
  }
}

class HeldContent implements Content {
  readonly bytes: number;
  readonly bareNewlines: boolean;
  at: ContentPlace;
  #isReleased = false;

  constructor(bytes: number, bareNewlines: boolean, at: ContentPlace) {
    this.bytes = bytes;
    this.bareNewlines = bareNewlines;
    this.at = at;
  }

  async *stream(): AsyncGenerator<Buffer> {
    const { at } = this;
    if (this.#isReleased) throw new Error('The content was released');
    if (at.kind === 'counted') throw new Error('The content was counted, not kept');
    if (at.kind === 'memory') yield* at.views;
    else yield* createReadStream(at.path, { highWaterMark: WRITE_BYTES }) as AsyncIterable<Buffer>;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.at.kind === 'file') void unlink(this.at.path).catch(ignore);
    else if (this.at.kind === 'memory') this.at = { kind: 'memory', views: [] };
  }
}

/** For files on their way out: they may be gone already, and the store sweeps its spool folder when it opens. */
function ignore(): void {}
