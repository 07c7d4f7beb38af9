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
  /** Takes a view that stays unchanged. A promise asks the caller to wait before it brings more; it rejects with the system's error (ENOSPC ...). */
  write(view: Buffer): void | Promise<void>;
  /** All bytes are in: gives the Content. Rejects with the system's error if the spool file could not be written. */
  finish(bareNewlines: boolean): Content | Promise<Content>;
  /** Gives up: memory and spool file are gone afterwards. */
  abort(): void;
}

/** Makes a writer for each message. */
export type Spool = () => ContentWriter;
