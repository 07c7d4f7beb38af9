import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Layout } from './layout.ts';

/**
 * Removes what a killed daemon left: messages that were still arriving, and content files whose row was never
 * committed or is deleted already. Reads two folders and an index of the large messages, nothing else.
 */
export function sweep(database: DatabaseSync, layout: Layout): void {
  for (const name of readdirSync(layout.spool)) rmSync(join(layout.spool, name), { force: true, recursive: true });
  const names = readdirSync(layout.contents);
  if (names.length === 0) return;
  const rows = database
    .prepare(
      `SELECT file FROM messages WHERE file IS NOT NULL
       UNION ALL SELECT file FROM received_contents WHERE file IS NOT NULL`,
    )
    .all();
  const known = new Set(rows.map(({ file }) => String(file)));
  for (const name of names) {
    if (!known.has(name)) rmSync(join(layout.contents, name), { force: true, recursive: true });
  }
}
