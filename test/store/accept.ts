/*
 * A process that accepts messages and dies before it could put the last into the tables: node accept.ts FOLDER COUNT
 * With `edited` behind that, messages that a filter has changed.
 */
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { editedMessage, sampleMessage } from './support.ts';

const [directory, count, kind] = process.argv.slice(2);
const store = await createSqliteStore({
  directory: directory!,
  naming: 'full',
  keepPerInbox: 0,
  keepBytes: 0,
  keepAgeMs: 0,
  report: () => {},
});
await store.accept(sampleMessage()); // what follows within milliseconds waits for its turn in the tables
const messages = Array.from({ length: Number(count) }, () => (kind === 'edited' ? editedMessage() : sampleMessage()));
await Promise.all(messages.map((message) => store.accept(message)));
process.stdout.write(`${JSON.stringify(messages.map(({ id }) => id))}\n`, () => process.kill(process.pid, 'SIGKILL'));
