/* A process that holds a store open until it is killed: node hold.ts FOLDER */
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { sampleMessage } from './support.ts';

const store = await createSqliteStore({
  directory: process.argv[2]!,
  naming: 'full',
  keepPerInbox: 0,
  keepBytes: 0,
  keepAgeMs: 0,
  report: () => {},
});
await store.save(sampleMessage());
console.log('open');
