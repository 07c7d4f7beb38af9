import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MessageChange } from '../../mail/store.ts';
import { fold } from '../../mail/words.ts';
import { decodeList, encodeList } from './address-text.ts';
import { quarantineText } from './arrivals.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { SUMMARY_COLUMNS, type SummaryRow } from './rows.ts';
import { foldTag, foldTags } from './tag-text.ts';

/** Changes what people say about messages: read, pinned, tags, quarantine. */
export class Changes {
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #row: StatementSync;
  readonly #places: StatementSync;
  readonly #update: StatementSync;
  readonly #clearTags: StatementSync;
  readonly #putTag: StatementSync;

  constructor(database: DatabaseSync, ledger: Ledger, journal: Journal) {
    this.#ledger = ledger;
    this.#journal = journal;
    this.#row = database.prepare(
      `SELECT ${SUMMARY_COLUMNS} FROM messages m LEFT JOIN texts t ON t.seq = m.seq WHERE m.seq = ?`,
    );
    this.#places = database.prepare('SELECT inbox FROM placements WHERE seq = ?');
    this.#update = database.prepare(
      'UPDATE messages SET is_read = ?, is_pinned = ?, tags = ?, quarantine = ? WHERE seq = ?',
    );
    this.#clearTags = database.prepare('DELETE FROM message_tags WHERE seq = ?');
    this.#putTag = database.prepare('INSERT INTO message_tags (folded, seq, tag) VALUES (?, ?, ?)');
  }

  /** @returns the id of the message, or undefined if it is gone or was like this already */
  apply(seq: number, change: MessageChange): string | undefined {
    const row = this.#row.get(seq) as unknown as SummaryRow | undefined;
    if (!row) return undefined;
    const isRead = change.read === undefined ? row.is_read : Number(change.read);
    const isPinned = change.pinned === undefined ? row.is_pinned : Number(change.pinned);
    const tags = changedTags(decodeList(row.tags), change);
    const joined = encodeList([...tags.values()]);
    const quarantine = changedQuarantine(row.quarantine, change);
    const isSame = isRead === row.is_read && isPinned === row.is_pinned && joined === row.tags;
    if (isSame && quarantine === row.quarantine) return undefined;
    this.#update.run(isRead, isPinned, joined, quarantine, seq);
    if (joined !== row.tags) {
      this.#clearTags.run(seq);
      for (const [folded, tag] of tags) this.#putTag.run(folded, seq, tag);
    }
    const inboxes = this.#count(seq, row.is_read - isRead, isPinned - row.is_pinned);
    this.#journal.add('changed', row.id, inboxes, {
      ...row,
      is_read: isRead,
      is_pinned: isPinned,
      tags: joined,
      quarantine,
    });
    return row.id;
  }

  /** Moves the counters. @returns the names of the message's inboxes */
  #count(seq: number, unread: number, pinned: number): string[] {
    const { totals } = this.#ledger;
    totals.revision += 1;
    totals.unread += unread;
    totals.pinned += pinned;
    return this.#places.all(seq).map(({ inbox }) => {
      const entry = this.#ledger.entry(Number(inbox));
      entry.unread += unread;
      entry.pinned += pinned;
      if (unread !== 0 || pinned !== 0) this.#ledger.touch(entry);
      return entry.name;
    });
  }
}

function changedQuarantine(old: string | null, { quarantine }: MessageChange): string | null {
  return typeof quarantine === 'string' ? quarantineText(quarantine) : quarantine === undefined ? old : null;
}

/** The tags that a message has after a change, by their folded form, in the order of that. */
function changedTags(old: readonly string[], change: MessageChange): Map<string, string> {
  if (!change.tags && !change.addTags && !change.removeTags) return new Map(old.map((tag) => [fold(tag), tag]));
  const removed = new Set(change.removeTags?.map(foldTag));
  const kept = [...foldTags(change.tags ?? old)].filter(([folded]) => !removed.has(folded)).map(([, tag]) => tag);
  return foldTags([...kept, ...(change.addTags ?? [])]);
}
