import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { describeStore, type StoreSettings } from '../contracts/store.ts';

const DEFAULTS = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0, report: () => {} } as const;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describeStore({
  name: 'SQLite in a folder',
  open(settings: StoreSettings) {
    const directory = mkdtempSync(join(tmpdir(), 'inboxd-store-'));
    folders.push(directory);
    return createSqliteStore({ ...DEFAULTS, ...settings, directory });
  },
});

describeStore({
  name: 'SQLite in memory',
  open: (settings) => createSqliteStore({ ...DEFAULTS, ...settings, directory: ':memory:' }),
});
