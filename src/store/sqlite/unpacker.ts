import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { type PackedPart, unpack } from './packing.ts';

/** Where each part lies until it is packed; then the column of `packed` with its name has it. */
const PLAIN: Readonly<Record<PackedPart, string>> = {
  content: 'SELECT content AS plain FROM contents WHERE seq = ?',
  text: 'SELECT text AS plain FROM search_texts WHERE seq = ?',
  facts: `SELECT coalesce((SELECT facts FROM contents c WHERE c.seq = m.seq), facts) AS plain FROM messages m
    WHERE seq = ? AND plain <> ''`,
};
/** Bases that are kept unpacked: of these messages, and no more than so many octets of one part. */
const KEPT_BASES = 8;
const KEPT_BASE_BYTES = 2 * 1024 * 1024;

/** Reads parts of messages, packed or not. */
export class Unpacker {
  readonly #database: DatabaseSync;
  readonly #plain = new Map<PackedPart, StatementSync>();
  readonly #packed = new Map<PackedPart, StatementSync>();
  readonly #frames = new Map<PackedPart, StatementSync>();
  readonly #bases = new Map<string, Buffer>(); // least recently used first
  #baseBytes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  content(seq: number): Uint8Array<ArrayBuffer> | undefined {
    const content = this.#part('content', seq);
    // zlib's own memory cannot move to another thread
    return Buffer.isBuffer(content) ? new Uint8Array(content) : (content as Uint8Array<ArrayBuffer> | undefined);
  }

  /** Folded as words.ts folds; empty while it is not known. */
  text(seq: number): string {
    return asText(this.#part('text', seq) ?? '');
  }

  facts(seq: number): string {
    return asText(this.#part('facts', seq) ?? '');
  }

  /** A part of a base; its number is never used twice, so what was once read holds. */
  base(base: number, part: PackedPart): Buffer | undefined {
    const key = `${base} ${part}`;
    const known = this.#bases.get(key);
    if (known) {
      this.#bases.delete(key);
      this.#bases.set(key, known);
      return known;
    }
    const frame = this.#statement(this.#frames, part, `SELECT ${part} AS frame FROM bases WHERE base = ?`).get(base);
    if (!frame) throw new StoreError('STORE_CORRUPT', `The base ${base} of packed messages is gone`);
    if (frame.frame === null) return undefined;
    const plain = unpack(frame.frame as Uint8Array);
    this.#bases.set(key, plain);
    this.#baseBytes += plain.length;
    for (const [oldest, { length }] of this.#bases) {
      if (this.#bases.size <= KEPT_BASES && this.#baseBytes <= KEPT_BASE_BYTES) break;
      this.#bases.delete(oldest);
      this.#baseBytes -= length;
    }
    return plain;
  }

  #part(part: PackedPart, seq: number): Uint8Array | string | undefined {
    const plain = this.#statement(this.#plain, part, PLAIN[part]).get(seq)?.plain;
    if (plain !== undefined) return plain as Uint8Array | string;
    const row = this.#statement(
      this.#packed,
      part,
      `SELECT base, ${part} AS frame FROM packed WHERE seq = ? AND ${part} IS NOT NULL`,
    ).get(seq);
    if (!row) return undefined;
    const base = row.base === null ? undefined : this.base(Number(row.base), part);
    return unpack(row.frame as Uint8Array, base);
  }

  /** Prepared when first needed: a database that is older has not all of the tables. */
  #statement(made: Map<PackedPart, StatementSync>, part: PackedPart, sql: string): StatementSync {
    let statement = made.get(part);
    if (!statement) {
      statement = this.#database.prepare(sql);
      made.set(part, statement);
    }
    return statement;
  }
}

function asText(part: Uint8Array | string): string {
  return typeof part === 'string' ? part : Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString();
}
