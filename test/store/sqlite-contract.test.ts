import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { describeStore } from '../contracts/store.ts';
import { describeAnnotations } from '../contracts/store-annotations.ts';
import { type DeliveriesVariant, describeDeliveries } from '../contracts/store-deliveries.ts';
import { describeStoreEdits } from '../contracts/store-edits.ts';
import { describeFeed } from '../contracts/store-feed.ts';
import { describeStoreSearch } from '../contracts/store-search.ts';

const DEFAULTS = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0, report: () => {} } as const;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const VARIANTS: readonly DeliveriesVariant[] = [
  {
    name: 'SQLite in a folder',
    open(settings) {
      const directory = mkdtempSync(join(tmpdir(), 'inboxd-store-'));
      folders.push(directory);
      return createSqliteStore({ ...DEFAULTS, ...settings, directory });
    },
  },
  {
    name: 'SQLite in memory',
    open: (settings) => createSqliteStore({ ...DEFAULTS, ...settings, directory: ':memory:' }),
  },
];

for (const variant of VARIANTS) {
  describeStore(variant);
  describeStoreSearch(variant);
  describeAnnotations(variant);
  describeStoreEdits(variant);
  describeFeed(variant);
  describeDeliveries(variant);
}
