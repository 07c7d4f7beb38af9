import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PackEntry, PackStep } from './packer-thread.ts';

/** Puts packed parts in the place of plain ones, as steps of the writer's transactions. */
export class PackWriter {
  readonly #database: DatabaseSync;
  readonly #isThere: StatementSync;
  readonly #isBase: StatementSync;
  readonly #putBases: readonly StatementSync[];
  readonly #put: StatementSync;
  readonly #clear: readonly StatementSync[];

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#isThere = database.prepare('SELECT 1 FROM messages WHERE seq = ? AND id = ?');
    this.#isBase = database.prepare('SELECT 1 FROM bases WHERE base = ?');
    this.#putBases = ['bases', 'base_copies'].map((table) =>
      database.prepare(`INSERT INTO ${table} (base, content, text, facts) VALUES (?, ?, ?, ?)`),
    );
    this.#put = database.prepare('INSERT INTO packed (seq, base, content, text, facts) VALUES (?, ?, ?, ?, ?)');
    this.#clear = [
      'DELETE FROM contents WHERE seq = ?',
      'DELETE FROM search_texts WHERE seq = ?',
      "UPDATE messages SET facts = '' WHERE seq = ? AND facts <> ''", // of an older version
    ].map((sql) => database.prepare(sql));
  }

  /**
   * Passes over messages that were removed meanwhile.
   * @returns false, and does nothing, if a base is gone, its last message having been removed meanwhile
   */
  put({ entries }: PackStep): boolean {
    const made = new Set(entries.flatMap(({ seq, newBase }) => (newBase ? [seq] : [])));
    const isKnown = (base: number): boolean => made.has(base) || this.#isBase.get(base) !== undefined;
    if (!entries.every(({ base }) => base === null || isKnown(base))) return false;
    for (const { seq, id, base, frames, newBase } of entries) {
      // also that of a message that is gone: later ones need it
      if (newBase) for (const statement of this.#putBases) statement.run(seq, ...columnsOf(newBase));
      if (!this.#isThere.get(seq, id)) continue;
      this.#put.run(seq, base, ...columnsOf(frames));
      for (const statement of this.#clear) statement.run(seq);
    }
    return true;
  }

  /** Removes bases that no message needs any more. */
  sweep(): void {
    for (const table of ['bases', 'base_copies']) {
      this.#database.exec(
        `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM packed WHERE packed.base = ${table}.base)`,
      );
    }
  }
}

function columnsOf({ content, text, facts }: PackEntry['frames']): (Uint8Array | null)[] {
  return [content ?? null, text ?? null, facts ?? null];
}
