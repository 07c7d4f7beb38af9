import { setPriority } from 'node:os';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BaseChoice, type Choice } from './base-choice.ts';
import { openToRead } from './database.ts';
import { layoutOf } from './layout.ts';
import { PACKED_PARTS, type PackedPart, pack } from './packing.ts';
import { serveThread } from './thread.ts';
import { Unpacker } from './unpacker.ts';

type Parts = Partial<Record<PackedPart, Uint8Array>>;
export type Frames = Parts;

/** A message as it is to be kept. */
export interface PackEntry {
  readonly seq: number;
  readonly id: string;
  readonly base: number | null;
  readonly frames: Frames;
  /** The base that is made with it, packed by itself. */
  readonly newBase?: Frames;
}

export interface PackStep {
  readonly entries: readonly PackEntry[];
  /** Once these are kept like this, every message up to this seq is. */
  readonly upTo: number;
}

interface Row {
  readonly seq: number;
  readonly id: string;
  readonly bytes: number;
}

/** Every message is read once and then no more. */
const CACHE_KIB = 2 * 1024;
/** As that of the thread that parses. */
const PRIORITY = 10;

/** Packs messages that are indexed, oldest first. Reads the database for itself; what comes of it the writer writes. */
class Packer {
  readonly #database: DatabaseSync;
  readonly #unpacker: Unpacker;
  readonly #isBase: StatementSync;
  #choice = new BaseChoice();
  /** Plain parts of bases that the database does not have yet. */
  readonly #made = new Map<number, Parts>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#unpacker = new Unpacker(database);
    this.#isBase = database.prepare('SELECT 1 FROM bases WHERE base = ?');
    this.reload();
  }

  /** What was made of the last step is not kept: the database alone says which bases there are. */
  reload(): void {
    this.#made.clear();
    this.#choice = new BaseChoice();
    const rows = this.#database.prepare('SELECT base FROM bases ORDER BY base DESC LIMIT 256').all().reverse();
    for (const { base } of rows) {
      const content = this.#unpacker.base(Number(base), 'content');
      if (content) this.#choice.know(Number(base), content);
    }
  }

  /** @param limits messages at most, and octets of their contents but for the first */
  step(limits: { readonly messages: number; readonly bytes: number }): PackStep {
    this.#database.exec('BEGIN');
    try {
      const rows = this.#database
        .prepare(
          `SELECT m.seq, m.id, m.bytes FROM totals CROSS JOIN messages m
           WHERE m.seq > packed_to AND m.seq <= indexed_to ORDER BY m.seq LIMIT ?`,
        )
        .all(limits.messages) as unknown as Row[];
      const entries: PackEntry[] = [];
      let bytes = 0;
      let upTo = 0;
      for (const row of rows) {
        bytes += row.bytes;
        if (upTo > 0 && bytes > limits.bytes) break;
        const entry = this.#entry(row);
        if (entry) entries.push(entry);
        upTo = row.seq;
      }
      return { entries, upTo };
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  /** The last step is kept: its bases can be read from the database. */
  kept(): void {
    this.#made.clear();
  }

  #entry({ seq, id }: Row): PackEntry | undefined {
    const parts = this.#plainParts(seq);
    if (!parts) return undefined;
    const choice = parts.content && this.#choose(seq, parts.content);
    const newBase = choice?.isNew ? packedAlone(parts) : undefined;
    if (newBase) this.#made.set(seq, parts);
    const frames: Frames = {};
    for (const part of PACKED_PARTS) {
      const plain = parts[part];
      if (plain) frames[part] = pack(plain, choice && this.#base(choice.base, part));
    }
    return { seq, id, base: choice?.base ?? null, frames, ...(newBase && { newBase }) };
  }

  /** Passes over bases that have gone with the last message that needed them. */
  #choose(seq: number, content: Uint8Array): Choice {
    for (;;) {
      const choice = this.#choice.choose(seq, content);
      if (!choice || choice.isNew || this.#made.has(choice.base) || this.#isBase.get(choice.base)) return choice;
      this.#choice.forget(choice.base);
    }
  }

  #base(base: number, part: PackedPart): Uint8Array | undefined {
    const made = this.#made.get(base);
    return made ? made[part] : this.#unpacker.base(base, part);
  }

  /** Undefined for a message that is packed already. */
  #plainParts(seq: number): Parts | undefined {
    const row = this.#database
      .prepare(
        `SELECT c.content, t.text, coalesce(c.facts, m.facts) AS facts FROM messages m
         LEFT JOIN contents c ON c.seq = m.seq LEFT JOIN search_texts t ON t.seq = m.seq
         LEFT JOIN packed p ON p.seq = m.seq WHERE m.seq = ? AND p.seq IS NULL`,
      )
      .get(seq) as Record<PackedPart, Uint8Array | string | null> | undefined;
    if (!row) return undefined;
    const parts: Parts = {};
    for (const part of PACKED_PARTS) {
      const plain = row[part];
      if (plain && plain.length > 0) parts[part] = typeof plain === 'string' ? Buffer.from(plain) : plain;
    }
    return parts;
  }
}

function packedAlone(parts: Parts): Frames {
  return Object.fromEntries(Object.entries(parts).map(([part, plain]) => [part, pack(plain)]));
}

function methodsOf(directory: string) {
  const layout = layoutOf(directory);
  const database = openToRead(layout.database, layout.contents);
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  const packer = new Packer(database);
  return {
    step: (limits: { readonly messages: number; readonly bytes: number }) => packer.step(limits),
    kept: () => packer.kept(),
    reload: () => packer.reload(),
    close: () => database.close(),
  };
}

export type PackerMethods = ReturnType<typeof methodsOf>;

serveThread((directory: string) => {
  if (process.platform === 'linux') setPriority(PRIORITY);
  return methodsOf(directory);
});
