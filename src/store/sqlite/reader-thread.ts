import { openToRead } from './database.ts';
import { layoutOf } from './layout.ts';
import { createQueries } from './queries.ts';
import { readMethods } from './reads.ts';
import { attachSearch } from './search-database.ts';
import { serveThread } from './thread.ts';

function methodsOf(directory: string) {
  const layout = layoutOf(directory);
  const database = openToRead(layout.database, layout.contents);
  attachSearch(database, layout);
  const queries = createQueries(database, layout);
  return { ...readMethods(() => queries), close: () => database.close() };
}

export type ReaderMethods = ReturnType<typeof methodsOf>;

serveThread(methodsOf);
