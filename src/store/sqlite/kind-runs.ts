import { COLUMNS, markedPhrases, type Reach, reachesOf } from './runs.ts';
import type { IndexColumn } from './search-index.ts';

type Find = (sql: string, values: readonly number[]) => readonly Record<string, unknown>[];

/** What phrases can reach of the runs of each kind. A kind never changes, so each is read once. */
export class KindRuns {
  readonly #kinds = new Map<number, readonly Reach[]>();

  /** How a phrase stands in mails of all kinds, as far as marks of runs take part in it; in the language of FTS5. */
  across(find: Find, columns: readonly IndexColumn[], words: readonly string[], isPrefix: boolean): string[] {
    this.#refresh(find);
    const wanted = new Set(columns.map((column) => COLUMNS.indexOf(column)));
    const found: string[] = [];
    for (const reaches of this.#kinds.values()) {
      for (const column of wanted) {
        const runs = reaches.filter((reach) => reach.column === column);
        found.push(...markedPhrases({ words, isPrefix }, runs));
      }
    }
    return found;
  }

  #refresh(find: Find): void {
    const kinds = new Set(find('SELECT kind FROM kinds', []).map(({ kind }) => Number(kind)));
    for (const kind of this.#kinds.keys()) if (!kinds.has(kind)) this.#kinds.delete(kind);
    for (const kind of kinds) {
      if (this.#kinds.has(kind)) continue;
      const texts = String(find('SELECT runs FROM kinds WHERE kind = ?', [kind])[0]?.runs ?? '[]');
      this.#kinds.set(kind, reachesOf(kind, JSON.parse(texts) as string[][]));
    }
  }
}
