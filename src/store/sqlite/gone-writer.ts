import type { DatabaseSync, StatementSync } from 'node:sqlite';

const SEQS = 'SELECT value FROM json_each(?)';

/** Takes what messages left behind out of inboxes, as steps of the writer's transactions (see gone.ts). */
export class GoneWriter {
  readonly #places: StatementSync;
  readonly #deletePlace: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#places = database.prepare(`SELECT inbox, seq FROM placements WHERE seq IN (${SEQS}) ORDER BY inbox, seq`);
    this.#deletePlace = database.prepare('DELETE FROM placements WHERE inbox = ? AND seq = ?');
    this.#forget = database.prepare(`DELETE FROM gone WHERE seq IN (${SEQS})`);
  }

  /** @param seqs of messages whose words are not in the index any more */
  forget(seqs: readonly number[]): void {
    const list = JSON.stringify(seqs);
    for (const { inbox, seq } of this.#places.all(list)) this.#deletePlace.run(inbox!, seq!); // one inbox after the other
    this.#forget.run(list);
  }
}
