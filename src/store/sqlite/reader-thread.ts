import { openToRead } from './database.ts';
import { layoutOf } from './layout.ts';
import { createQueries, type Queries } from './queries.ts';
import { readMethods } from './reads.ts';
import { serveThread } from './thread.ts';

function methodsOf() {
  let close = (): void => {};
  let queries: Queries | undefined;
  return {
    ...readMethods(() => queries!),
    /** Comes before everything else: a thread starts while the database is still being made. */
    open: (directory: string) => {
      const layout = layoutOf(directory);
      const database = openToRead(layout.database, layout.contents);
      queries = createQueries(database, layout);
      close = () => database.close();
    },
    close: () => close(),
  };
}

export type ReaderMethods = ReturnType<typeof methodsOf>;

serveThread(methodsOf);
