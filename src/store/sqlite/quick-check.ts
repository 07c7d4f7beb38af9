import { DatabaseSync } from 'node:sqlite';
import { layoutOf } from './layout.ts';

/** What a look at a store without changing it found. */
export interface QuickCheck {
  /** What SQLite finds wrong with pages and rows; undefined if nothing. */
  readonly damage: string | undefined;
  readonly messages: number;
  /** When the newest message came. */
  readonly newest: Date | undefined;
}

/**
 * Checks pages and rows of a store, without its indexes, which takes a second per GiB or so. May run beside a daemon.
 * @throws the system's or SQLite's error if it cannot be opened
 */
export function quickCheck(directory: string): QuickCheck {
  const database = new DatabaseSync(layoutOf(directory).database, { readOnly: true, timeout: 5000 });
  try {
    const { quick_check: words } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    const row = database.prepare('SELECT count(*) AS messages, max(received_at) AS newest FROM messages').get();
    const newest = row?.newest === null ? undefined : new Date(Number(row?.newest));
    return { damage: words === 'ok' ? undefined : words, messages: Number(row?.messages), newest };
  } finally {
    database.close();
  }
}
