import { setPriority } from 'node:os';
import { StoreError } from '../errors.ts';
import { type Layout, layoutOf } from './layout.ts';
import { condemnSearch, isDamage, openSearch } from './search-database.ts';
import { searchMethods } from './search-methods.ts';
import { SearchWriter } from './search-writer.ts';
import { serveThread } from './thread.ts';

/** As that of the thread that parses. */
const PRIORITY = 10;

function methodsOf(directory: string) {
  const layout = layoutOf(directory);
  const database = openSearch(layout);
  const search = orCondemned(layout, () => new SearchWriter(database))();
  const methods = searchMethods(() => search);
  return {
    putWords: orCondemned(layout, methods.putWords),
    forgetWords: orCondemned(layout, methods.forgetWords),
    tidyWords: orCondemned(layout, methods.tidyWords),
    close: () => database.close(),
  };
}

/** Does what works on the index; one that proves to be damaged is made anew with the next start. */
function orCondemned<A extends readonly unknown[], R>(layout: Layout, work: (...values: A) => R): (...values: A) => R {
  return (...values) => {
    try {
      return work(...values);
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      condemnSearch(layout);
      const why = 'The index of words is damaged; it is made anew when inboxd is next started';
      throw new StoreError('STORE_CORRUPT', why, { cause });
    }
  };
}

export type SearchThreadMethods = ReturnType<typeof methodsOf>;

serveThread((directory: string) => {
  if (process.platform === 'linux') setPriority(PRIORITY);
  return methodsOf(directory);
});
