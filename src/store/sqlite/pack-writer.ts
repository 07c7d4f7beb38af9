import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { IS_PIECE, LISTED_COLUMNS, piecesOf } from './blocks.ts';
import type { NewBase, PackEntry, PackedBlock, PackStep } from './packer-thread.ts';

type Row = Record<string, SQLInputValue>;

/** Puts packed parts in the place of plain ones, as steps of the writer's transactions. */
export class PackWriter {
  readonly #database: DatabaseSync;
  readonly #isThere: StatementSync;
  readonly #isBase: StatementSync;
  readonly #isBlock: StatementSync;
  readonly #putBases: readonly StatementSync[];
  readonly #put: StatementSync;
  readonly #putBlock: StatementSync;
  readonly #clearPieces: StatementSync;
  readonly #putPiece: StatementSync;
  readonly #clear: readonly StatementSync[];
  readonly #messages: Rewriting;
  readonly #texts: Rewriting;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#isThere = database.prepare('SELECT 1 FROM messages WHERE seq = ? AND id = ? AND block IS NULL');
    this.#isBase = database.prepare('SELECT 1 FROM bases WHERE base = ?');
    this.#isBlock = database.prepare('SELECT 1 FROM blocks WHERE block = ?');
    this.#putBases = ['bases', 'base_copies'].map((table) =>
      database.prepare(`INSERT INTO ${table} (base, content, text, facts, listed) VALUES (?, ?, ?, ?, ?)`),
    );
    this.#put = database.prepare('INSERT INTO packed (seq, content, text, facts) VALUES (?, ?, ?, ?)');
    this.#putBlock = database.prepare(
      `INSERT INTO blocks (block, base, messages, listed) VALUES (?, ?, ?, ?)
       ON CONFLICT (block) DO UPDATE SET messages = messages + excluded.messages, listed = excluded.listed`,
    );
    this.#clearPieces = database.prepare(`DELETE FROM block_pieces WHERE ${IS_PIECE}`);
    this.#putPiece = database.prepare('INSERT INTO block_pieces (piece, base, bytes) VALUES (?, ?, ?)');
    this.#clear = [
      'DELETE FROM contents WHERE seq = ?',
      'DELETE FROM search_texts WHERE seq = ?',
      "UPDATE messages SET facts = '' WHERE seq = ? AND facts <> ''", // of an older version
    ].map((sql) => database.prepare(sql));
    this.#messages = new Rewriting(database, 'messages');
    this.#texts = new Rewriting(database, 'texts');
  }

  /**
   * Passes over messages that were removed meanwhile.
   * @returns false, and does nothing, if a base or a block is gone, its last message having been removed meanwhile
   */
  put({ entries, bases, blocks }: PackStep): boolean {
    const made = new Set(bases.map(({ base }) => base));
    const isKnown = ({ base, block, isNew }: PackedBlock): boolean =>
      (made.has(base) || this.#isBase.get(base) !== undefined) && (isNew || this.#isBlock.get(block) !== undefined);
    if (!blocks.every(isKnown)) return false;
    for (const base of bases) this.#putBase(base);
    for (const entry of entries) this.#putEntry(entry);
    const blockOf = new Map<number, number>();
    for (const block of blocks) {
      for (const seq of this.#putBlockOf(block)) blockOf.set(seq, block.block);
    }
    this.#moveTexts(blockOf);
    return true;
  }

  /** Removes bases that no message needs any more. */
  sweep(): void {
    for (const table of ['bases', 'base_copies']) {
      this.#database.exec(
        `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM packed WHERE packed.base = ${table}.base)
           AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocks.base = ${table}.base)`,
      );
    }
  }

  #putBase({ base, frames: { content, text, facts, listed } }: NewBase): void {
    // also that of a message that is gone: later ones need it
    for (const statement of this.#putBases) {
      statement.run(base, content ?? null, text ?? null, facts ?? null, listed ?? null);
    }
  }

  #putEntry({ seq, id, frames: { content, text, facts } }: PackEntry): void {
    if (!this.#isThere.get(seq, id)) return;
    this.#put.run(seq, content ?? null, text ?? null, facts ?? null);
    this.#clearPlain(seq);
  }

  /** @returns the messages that it holds now and did not before */
  #putBlockOf({ block, base, added, listed, parts }: PackedBlock): number[] {
    const seqs = added.filter(({ seq, id }) => this.#isThere.get(seq, id)).map(({ seq }) => seq);
    if (seqs.length === 0) return [];
    this.#putBlock.run(block, base, seqs.length, listed);
    this.#clearPieces.run(block);
    for (const [piece, bytes] of piecesOf(block, parts)) this.#putPiece.run(piece, base, bytes);
    for (const seq of seqs) this.#clearPlain(seq);
    return seqs;
  }

  #clearPlain(seq: number): void {
    for (const statement of this.#clear) statement.run(seq);
  }

  /** Has the rows of messages without the texts that are in blocks now. */
  #moveTexts(blockOf: ReadonlyMap<number, number>): void {
    const seqs = [...blockOf.keys()].sort((a, b) => a - b);
    const empty = Object.fromEntries(LISTED_COLUMNS.map((column) => [column, '']));
    this.#messages.run(seqs, (row) => ({ ...row, ...empty, block: blockOf.get(Number(row.seq)) ?? null }));
    this.#texts.run(seqs, (row) => ({ ...row, snippet: '', snippet_before: 0, snippet_after: 0 }));
  }
}

/**
 * Makes rows smaller. They are deleted and written again, all of them at once: SQLite gives no page back for an update,
 * however little is left on it.
 */
class Rewriting {
  readonly #columns: readonly string[];
  readonly #get: StatementSync;
  readonly #delete: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync, table: 'messages' | 'texts') {
    this.#columns = database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name));
    this.#get = database.prepare(`SELECT * FROM ${table} WHERE seq = ?`);
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE seq = ?`);
    this.#put = database.prepare(
      `INSERT INTO ${table} (${this.#columns.join(', ')}) VALUES (?${', ?'.repeat(this.#columns.length - 1)})`,
    );
  }

  /** @param seqs in order; passes over those that have no row */
  run(seqs: readonly number[], change: (row: Row) => Row): void {
    const rows = seqs.map((seq) => this.#get.get(seq) as Row | undefined).filter((row) => row !== undefined);
    for (const { seq } of rows) this.#delete.run(seq!);
    for (const row of rows) {
      const changed = change(row);
      this.#put.run(...this.#columns.map((column) => changed[column]!));
    }
  }
}
