import { setPriority } from 'node:os';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BaseChoice, type Choice } from './base-choice.ts';
import { BlockContents, type Member } from './block-contents.ts';
import { encodeListed, encodeParts, LISTED_COLUMNS, type Parts, partsTogether } from './blocks.ts';
import { openToRead } from './database.ts';
import { layoutOf } from './layout.ts';
import { PACKED_PARTS, pack } from './packing.ts';
import { SNIPPET } from './rows.ts';
import { serveThread } from './thread.ts';
import { Unpacker } from './unpacker.ts';

export type Frames = Parts;

/** A message that is kept by itself, as it is to be. */
export interface PackEntry {
  readonly seq: number;
  readonly id: string;
  readonly frames: Frames;
}

/** A base that is made, packed by itself. */
export interface NewBase {
  readonly base: number;
  readonly frames: Frames & { readonly listed?: Uint8Array };
}

/** A block that is made or grows. */
export interface PackedBlock {
  readonly block: number;
  readonly base: number;
  readonly isNew: boolean;
  /** The messages that come into it. */
  readonly added: readonly { readonly seq: number; readonly id: string }[];
  readonly listed: Uint8Array;
  readonly parts: Uint8Array;
}

export interface PackStep {
  readonly entries: readonly PackEntry[];
  readonly bases: readonly NewBase[];
  readonly blocks: readonly PackedBlock[];
  /** Once these are kept like this, every message up to this seq is. */
  readonly upTo: number;
}

interface Row {
  readonly seq: number;
  readonly id: string;
  readonly bytes: number;
}

/** What is gathered in a step. */
interface Gathering {
  readonly entries: PackEntry[];
  readonly bases: NewBase[];
  /** By base. */
  readonly members: Map<number, Member[]>;
}

/** Bases whose last block is remembered, for as long as it is not full. */
const OPEN_BLOCKS = 256;
/** Every message is read once and then no more. */
const CACHE_KIB = 2 * 1024;
/** As that of the thread that parses. */
const PRIORITY = 10;

/** Packs messages that are indexed, oldest first. Reads the database for itself; what comes of it the writer writes. */
class Packer {
  readonly #database: DatabaseSync;
  readonly #unpacker: Unpacker;
  readonly #isBase: StatementSync;
  readonly #isBlock: StatementSync;
  readonly #isInBlock: StatementSync;
  readonly #message: StatementSync;
  #choice = new BaseChoice();
  /** Plain parts of bases that the database does not have yet. */
  readonly #made = new Map<number, { readonly parts: Buffer; readonly listed: Buffer }>();
  /** The last block of each base, if it is not full. */
  readonly #open = new Map<number, number>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#unpacker = new Unpacker(database);
    this.#isBase = database.prepare('SELECT 1 FROM bases WHERE base = ?');
    this.#isBlock = database.prepare('SELECT 1 FROM blocks WHERE block = ?');
    this.#isInBlock = database.prepare('SELECT 1 FROM messages WHERE seq = ? AND block = ?');
    this.#message = database.prepare(
      `SELECT c.content, s.text, coalesce(c.facts, m.facts) AS facts, ${LISTED_COLUMNS.join(', ')},
         coalesce(${SNIPPET}, '') AS snippet
       FROM messages m LEFT JOIN contents c ON c.seq = m.seq LEFT JOIN search_texts s ON s.seq = m.seq
       LEFT JOIN texts t ON t.seq = m.seq LEFT JOIN packed p ON p.seq = m.seq
       WHERE m.seq = ? AND m.block IS NULL AND p.seq IS NULL`,
    );
    this.reload();
  }

  /** What was made of the last step is not kept: the database alone says which bases there are. */
  reload(): void {
    this.#made.clear();
    this.#open.clear();
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
      const gathering: Gathering = { entries: [], bases: [], members: new Map() };
      let bytes = 0;
      let upTo = 0;
      for (const row of rows) {
        bytes += row.bytes;
        if (upTo > 0 && bytes > limits.bytes) break;
        this.#gather(row, gathering);
        upTo = row.seq;
      }
      const { entries, bases, members } = gathering;
      const blocks = [...members].flatMap(([base, some]) => this.#blocksOf(base, some));
      return { entries, bases, blocks, upTo };
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  /** The last step is kept: its bases can be read from the database. */
  kept(): void {
    this.#made.clear();
  }

  #gather({ seq, id }: Row, { entries, bases, members }: Gathering): void {
    const message = this.#read(seq);
    if (!message) return; // is packed already
    const { parts, listed } = message;
    const choice = parts.content && this.#choose(seq, parts.content);
    if (!choice) {
      entries.push({ seq, id, frames: packedAlone(parts) });
      return;
    }
    if (choice.isNew) {
      const plain = { parts: partsTogether(parts), listed: encodeListed(new Map([[seq, listed]])) };
      this.#made.set(seq, plain);
      bases.push({ base: seq, frames: { ...packedAlone(parts), listed: pack(plain.listed) } });
    }
    const others = members.get(choice.base);
    if (others) others.push({ seq, id, parts, listed });
    else members.set(choice.base, [{ seq, id, parts, listed }]);
  }

  /** Puts messages of one base into blocks: the last one, as long as it is not full, and new ones. */
  #blocksOf(base: number, members: readonly Member[]): PackedBlock[] {
    const blocks: PackedBlock[] = [];
    let contents = this.#lastBlock(base);
    for (const member of members) {
      if (!contents.takes(member)) {
        blocks.push(...this.#packed(base, contents));
        contents = new BlockContents();
      }
      contents.add(member);
    }
    blocks.push(...this.#packed(base, contents));
    this.#open.delete(base);
    if (!contents.isFull) this.#open.set(base, contents.block);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= OPEN_BLOCKS) break;
      this.#open.delete(oldest);
    }
    return blocks;
  }

  /** What the block that is not full has of messages that are still there; empty if there is none. */
  #lastBlock(base: number): BlockContents {
    const block = this.#open.get(base);
    if (block === undefined || !this.#isBlock.get(block)) return new BlockContents();
    const listed = this.#unpacker.allListed(block);
    const contents = new BlockContents(block);
    for (const [seq, parts] of this.#unpacker.allParts(block)) {
      if (this.#isInBlock.get(seq, block)) contents.put(seq, listed.get(seq) ?? [], parts);
    }
    return contents;
  }

  #packed(base: number, { block, isNew, added, listed, parts }: BlockContents): PackedBlock[] {
    if (added.length === 0) return []; // the last one was full
    return [
      {
        block,
        base,
        isNew,
        added,
        listed: pack(encodeListed(listed), this.#base(base, 'listed')),
        parts: pack(encodeParts(parts), this.#base(base, 'parts')),
      },
    ];
  }

  /** Passes over bases that have gone with the last message that needed them. */
  #choose(seq: number, content: Uint8Array): Choice {
    for (;;) {
      const choice = this.#choice.choose(seq, content);
      if (!choice || choice.isNew || this.#made.has(choice.base) || this.#isBase.get(choice.base)) return choice;
      this.#choice.forget(choice.base);
    }
  }

  #base(base: number, frame: 'parts' | 'listed'): Uint8Array | undefined {
    return this.#made.get(base)?.[frame] ?? this.#unpacker.base(base, frame);
  }

  /** Undefined for a message that is packed already. */
  #read(seq: number): Pick<Member, 'parts' | 'listed'> | undefined {
    const row = this.#message.get(seq) as Record<string, Uint8Array | string | null> | undefined;
    if (!row) return undefined;
    const parts: Parts = {};
    for (const part of PACKED_PARTS) {
      const plain = row[part];
      if (plain && plain.length > 0) parts[part] = typeof plain === 'string' ? Buffer.from(plain) : plain;
    }
    return { parts, listed: [...LISTED_COLUMNS, 'snippet'].map((column) => String(row[column])) };
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
