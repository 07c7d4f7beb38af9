import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Annotation } from '../../mail/store.ts';
import type { Journal } from './journal.ts';
import { SUMMARY_COLUMNS, type SummaryRow } from './rows.ts';

/** An annotation on its way to the writer thread. */
export interface Note {
  readonly id: string;
  readonly annotation: Annotation;
}

/** Writes down what is learnt about messages after they were taken. */
export class Annotations {
  readonly #journal: Journal;
  readonly #row: StatementSync;
  readonly #places: StatementSync;
  readonly #update: StatementSync;

  constructor(database: DatabaseSync, journal: Journal) {
    this.#journal = journal;
    this.#row = database.prepare(
      `SELECT ${SUMMARY_COLUMNS} FROM messages m LEFT JOIN texts t ON t.seq = m.seq WHERE m.id = ?`,
    );
    this.#places = database.prepare(
      'SELECT name FROM placements JOIN inboxes USING (inbox) WHERE seq = ? ORDER BY name',
    );
    this.#update = database.prepare('UPDATE messages SET verification = ?, is_pending = ? WHERE seq = ?');
  }

  /** @returns whether there is such a message */
  apply({ id, annotation }: Note): boolean {
    const row = this.#row.get(id) as SummaryRow | undefined;
    if (!row) return false;
    if (annotation.verification === undefined) return true;
    const verification = JSON.stringify(annotation.verification);
    if (verification === row.verification) return true;
    this.#update.run(verification, annotation.verification.status === 'pending' ? 1 : 0, row.seq);
    const inboxes = this.#places.all(row.seq).map(({ name }) => String(name));
    this.#journal.add('changed', id, inboxes, { ...row, verification });
    return true;
  }
}
