import { openToRead } from './database.ts';
import { layoutOf } from './layout.ts';
import { createQueries } from './queries.ts';
import { type ReadMethods, readMethods } from './reads.ts';
import { serveThread } from './thread.ts';

export interface ReaderData {
  readonly directory: string;
}

export type ReaderMethods = ReadMethods & { readonly close: () => void };

serveThread(({ directory }: ReaderData): ReaderMethods => {
  const layout = layoutOf(directory);
  const database = openToRead(layout.database, layout.contents);
  return { ...readMethods(createQueries(database, layout)), close: () => database.close() };
});
