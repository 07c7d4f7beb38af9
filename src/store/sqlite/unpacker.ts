import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { decodeListed, decodeParts, IS_PIECE, type Listed, type Parts, partsTogether } from './blocks.ts';
import { PACKED_PARTS, type PackedPart, unpack } from './packing.ts';

/** Where each part lies until it is packed; then the column of `packed` with its name has it. */
const PLAIN: Readonly<Record<PackedPart, string>> = {
  content: 'SELECT content AS plain FROM contents WHERE seq = ?',
  text: 'SELECT text AS plain FROM search_texts WHERE seq = ?',
  facts: `SELECT coalesce((SELECT facts FROM contents c WHERE c.seq = m.seq), facts) AS plain FROM messages m
    WHERE seq = ? AND plain <> ''`,
};
/** Parts of bases that are kept unpacked, and no more than so many octets of them. */
const KEPT_BASES = 8;
const KEPT_BASE_BYTES = 2 * 1024 * 1024;

/** What of a base a frame was made with: one part, all that blocks hold of parts together, or what lists show. */
type BasePart = PackedPart | 'parts' | 'listed';

/** Where the two frames of a block are. */
const FRAMES = {
  listed: 'SELECT base, listed AS bytes FROM blocks WHERE block = ?',
  parts: `SELECT base, bytes FROM block_pieces WHERE ${IS_PIECE} ORDER BY piece`,
};

/** A frame of the block that was read last, unpacked: whoever reads on most often wants the next message of it. */
interface Unpacked<T> {
  readonly block: number;
  readonly messages: ReadonlyMap<number, T>;
}

/** Reads parts of messages, packed or not. */
export class Unpacker {
  readonly #database: DatabaseSync;
  readonly #plain = new Map<PackedPart, StatementSync>();
  readonly #packed = new Map<PackedPart, StatementSync>();
  readonly #blocks = new Map<string, StatementSync>();
  readonly #frames = new Map<string, StatementSync>();
  readonly #bases = new Map<string, Buffer>(); // least recently used first
  #baseBytes = 0;
  #listed: Unpacked<Listed> | undefined;
  #parts: Unpacked<Parts> | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  content(seq: number): Uint8Array<ArrayBuffer> | undefined {
    const content = this.#part('content', seq);
    // neither zlib's own memory can move to another thread, nor what others are in too
    return Buffer.isBuffer(content) ? new Uint8Array(content) : (content as Uint8Array<ArrayBuffer> | undefined);
  }

  /** Folded as words.ts folds; empty while it is not known. */
  text(seq: number): string {
    return asText(this.#part('text', seq) ?? '');
  }

  facts(seq: number): string {
    return asText(this.#part('facts', seq) ?? '');
  }

  /** What lists show of a message of a block. */
  listed(block: number, seq: number): Listed {
    if (this.#listed?.block !== block || !this.#listed.messages.has(seq)) {
      this.#listed = { block, messages: this.allListed(block) };
    }
    return memberOf(this.#listed, seq);
  }

  /** What lists show of all messages of a block, by seq. */
  allListed(block: number): ReadonlyMap<number, Listed> {
    return decodeListed(this.#blockFrame(block, 'listed'));
  }

  /** The parts of all messages of a block, by seq. */
  allParts(block: number): ReadonlyMap<number, Parts> {
    return decodeParts(this.#blockFrame(block, 'parts'));
  }

  /** A part of a base; its number is never used twice, so what was once read holds. */
  base(base: number, part: BasePart): Buffer | undefined {
    const key = `${base} ${part}`;
    const known = this.#bases.get(key);
    if (known) {
      this.#bases.delete(key);
      this.#bases.set(key, known);
      return known;
    }
    const plain = part === 'parts' ? this.#baseParts(base) : this.#basePart(base, part);
    if (plain) this.#keepBase(key, plain);
    return plain;
  }

  #baseParts(base: number): Buffer {
    const parts: Parts = {};
    for (const part of PACKED_PARTS) {
      const plain = this.#basePart(base, part);
      if (plain) parts[part] = plain;
    }
    return partsTogether(parts);
  }

  #basePart(base: number, part: PackedPart | 'listed'): Buffer | undefined {
    const frame = this.#statement(this.#frames, part, `SELECT ${part} AS frame FROM bases WHERE base = ?`).get(base);
    if (!frame) throw new StoreError('STORE_CORRUPT', `The base ${base} of packed messages is gone`);
    return frame.frame === null ? undefined : unpack(frame.frame as Uint8Array);
  }

  #keepBase(key: string, plain: Buffer): void {
    this.#bases.set(key, plain);
    this.#baseBytes += plain.length;
    for (const [oldest, { length }] of this.#bases) {
      if (this.#bases.size <= KEPT_BASES && this.#baseBytes <= KEPT_BASE_BYTES) break;
      this.#bases.delete(oldest);
      this.#baseBytes -= length;
    }
  }

  #part(part: PackedPart, seq: number): Uint8Array | string | undefined {
    const plain = this.#statement(this.#plain, part, PLAIN[part]).get(seq)?.plain;
    if (plain !== undefined) return plain as Uint8Array | string;
    const block = this.#blockOf(seq);
    if (block !== undefined) return this.#partOfBlock(part, seq, block);
    const row = this.#statement(
      this.#packed,
      part,
      `SELECT base, ${part} AS frame FROM packed WHERE seq = ? AND ${part} IS NOT NULL`,
    ).get(seq);
    if (!row) return undefined;
    const base = row.base === null ? undefined : this.base(Number(row.base), part);
    return unpack(row.frame as Uint8Array, base);
  }

  #blockOf(seq: number): number | undefined {
    const row = this.#statement(this.#blocks, 'block', 'SELECT block FROM messages WHERE seq = ?').get(seq);
    return typeof row?.block === 'number' ? row.block : undefined;
  }

  #partOfBlock(part: PackedPart, seq: number, block: number): Uint8Array | undefined {
    if (this.#parts?.block !== block || !this.#parts.messages.has(seq)) {
      this.#parts = { block, messages: this.allParts(block) };
    }
    return memberOf(this.#parts, seq)[part];
  }

  #blockFrame(block: number, frame: 'listed' | 'parts'): Buffer {
    const rows = this.#statement(this.#blocks, frame, FRAMES[frame]).all(block);
    if (rows.length === 0) throw new StoreError('STORE_CORRUPT', `The block ${block} of packed messages is gone`);
    const pieces = rows.map(({ bytes }) => bytes as Uint8Array);
    return unpack(Buffer.concat(pieces), this.base(Number(rows[0]!.base), frame));
  }

  /** Prepared when first needed: a database that is older has not all of the tables. */
  #statement<K>(made: Map<K, StatementSync>, part: K, sql: string): StatementSync {
    let statement = made.get(part);
    if (!statement) {
      statement = this.#database.prepare(sql);
      made.set(part, statement);
    }
    return statement;
  }
}

function memberOf<T>({ block, messages }: Unpacked<T>, seq: number): T {
  const member = messages.get(seq);
  if (member === undefined) throw new StoreError('STORE_CORRUPT', `The message ${seq} is not in its block ${block}`);
  return member;
}

function asText(part: Uint8Array | string): string {
  return typeof part === 'string' ? part : Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString();
}
