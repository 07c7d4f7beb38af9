import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { IS_PIECE } from './blocks.ts';
import { isOfOurTime, isThere } from './gone.ts';
import type { Journal } from './journal.ts';
import type { InboxEntry, Ledger } from './ledger.ts';

interface Gone {
  readonly id: string;
  /** Octets of its content in each form that is kept. */
  readonly bytes: number;
  readonly isRead: number;
  readonly isPinned: number;
  readonly file: string | null;
  /** Of the content as it came, where that is another. */
  readonly receivedFile: string | null;
  readonly receivedBytes: number;
  /** That it is packed in, if it is. */
  readonly block: number | null;
}

/** What a transaction took out of the store, for the steps after its commit. */
export interface Removed {
  readonly ids: string[];
  /** Content files to be unlinked. */
  readonly files: string[];
}

/** Takes messages out of inboxes and, when no inbox holds them any more, out of the store. */
export class Removal {
  #removed: Removed = { ids: [], files: [] };
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #message: StatementSync;
  readonly #places: StatementSync;
  readonly #isPlaced: StatementSync;
  readonly #newest: StatementSync;
  readonly #deletePlace: StatementSync;
  readonly #leave: StatementSync;
  readonly #deletes: readonly StatementSync[];
  readonly #leaveBlock: StatementSync;
  readonly #deleteBlock: readonly StatementSync[];

  constructor(database: DatabaseSync, ledger: Ledger, journal: Journal) {
    this.#ledger = ledger;
    this.#journal = journal;
    this.#message = database.prepare(
      `SELECT m.id, m.bytes + coalesce(r.bytes, 0) AS bytes, m.is_read AS isRead, m.is_pinned AS isPinned, m.file,
         r.file AS receivedFile, coalesce(r.bytes, 0) AS receivedBytes, m.block
       FROM messages m LEFT JOIN received_contents r ON r.seq = m.seq WHERE m.seq = ?`,
    );
    this.#places = database.prepare('SELECT inbox FROM placements WHERE seq = ?');
    this.#isPlaced = database.prepare('SELECT 1 FROM placements WHERE seq = ? LIMIT 1');
    this.#newest = database.prepare(
      `SELECT seq AS newest FROM placements WHERE inbox = ? AND ${isThere('seq')} AND ${isOfOurTime('seq')}
       ORDER BY seq DESC LIMIT 1`,
    );
    this.#deletePlace = database.prepare('DELETE FROM placements WHERE inbox = ? AND seq = ?');
    this.#leave = database.prepare('INSERT OR IGNORE INTO gone (seq) VALUES (?)');
    this.#deletes = [
      'texts',
      'contents',
      'received_contents',
      'search_texts',
      'packed',
      'message_tags',
      'messages',
    ].map((table) => database.prepare(`DELETE FROM ${table} WHERE seq = ?`));
    this.#leaveBlock = database.prepare('UPDATE blocks SET messages = messages - 1 WHERE block = ? RETURNING messages');
    this.#deleteBlock = ['blocks WHERE block = ?', `block_pieces WHERE ${IS_PIECE}`].map((rows) =>
      database.prepare(`DELETE FROM ${rows}`),
    );
  }

  /** Takes a message out of the store; its places in inboxes are left behind. */
  message(seq: number): void {
    const gone = this.#message.get(seq) as Gone | undefined;
    if (!gone) return;
    const entries = this.#places.all(seq).map(({ inbox }) => this.#ledger.entry(Number(inbox)));
    this.#tell(gone, entries);
    this.#delete(seq, gone);
    for (const entry of entries) this.#countOut(entry, seq, gone);
  }

  /** Takes a message out of inboxes. @returns false if it was in none of them */
  placements(entries: readonly InboxEntry[], seq: number): boolean {
    const gone = this.#message.get(seq) as Gone | undefined;
    if (!gone) return false;
    const left = entries.filter((entry) => this.#takeOut(entry, seq, gone));
    if (left.length === 0) return false;
    this.#tell(gone, left);
    if (!this.#isPlaced.get(seq)) this.#delete(seq, gone);
    return true;
  }

  /** What is gone since the last call; for a transaction that was rolled back, to be thrown away. */
  collect(): Removed {
    const removed = this.#removed;
    this.#removed = { ids: [], files: [] };
    return removed;
  }

  #tell({ id }: Gone, entries: readonly InboxEntry[]): void {
    this.#journal.add(
      'deleted',
      id,
      entries.map(({ name }) => name),
    );
  }

  #takeOut(entry: InboxEntry, seq: number, gone: Gone): boolean {
    if (this.#deletePlace.run(entry.inbox, seq).changes === 0) return false;
    this.#countOut(entry, seq, gone);
    return true;
  }

  #countOut(entry: InboxEntry, seq: number, { bytes, isRead, isPinned }: Gone): void {
    entry.messages -= 1;
    entry.bytes -= bytes;
    if (!isRead) entry.unread -= 1;
    if (isPinned) entry.pinned -= 1;
    this.#ledger.totals.revision += 1;
    if (entry.newest === seq) entry.newest = Number(this.#newest.get(entry.inbox)?.newest ?? 0);
    this.#ledger.touch(entry);
  }

  #delete(seq: number, { id, bytes, isRead, isPinned, file, receivedFile, receivedBytes, block }: Gone): void {
    this.#leave.run(seq); // also one that is just being indexed
    for (const statement of this.#deletes) statement.run(seq);
    // what the others of its block have in common with it stays there with them
    if (block !== null && this.#leaveBlock.get(block)?.messages === 0) {
      for (const statement of this.#deleteBlock) statement.run(block);
    }
    const { totals } = this.#ledger;
    totals.messages -= 1;
    totals.revision += 1;
    totals.bytes -= bytes;
    if (!isRead) totals.unread -= 1;
    if (isPinned) totals.pinned -= 1;
    this.#removed.ids.push(id);
    this.#drop(file, bytes - receivedBytes);
    this.#drop(receivedFile, receivedBytes);
  }

  #drop(file: string | null, bytes: number): void {
    if (file === null) return;
    this.#ledger.totals.fileBytes -= bytes;
    this.#removed.files.push(file);
  }
}
