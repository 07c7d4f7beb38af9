import type { SearchWriter, WordEntry } from './search-writer.ts';

/** Writing the index as methods of a thread: of one of its own, or of the writer's when the database is in its memory. */
export function searchMethods(search: () => SearchWriter) {
  return {
    putWords: ({ entries, upTo }: { readonly entries: readonly WordEntry[]; readonly upTo: number }) =>
      search().put(entries, upTo),
    forgetWords: (most: number) => search().forget(most),
    tidyWords: () => search().tidy(),
  };
}

export type SearchMethods = ReturnType<typeof searchMethods>;
