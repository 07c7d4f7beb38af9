import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';

/** Opens a store that keeps everything; what goes wrong inside ends the bench. */
export function openUnbounded(directory: string): Promise<Store> {
  return createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: (report) => {
      if (report.type === 'crash') throw report.error;
    },
  });
}
