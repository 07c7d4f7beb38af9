import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { encodeList } from './address-text.ts';
import { INDEX_COLUMNS, inboxMark, kindMark, MARKS } from './search-index.ts';
import { SharedWords } from './shared-words.ts';

/** What parsing found out about a message. */
export interface IndexEntry {
  readonly seq: number;
  readonly id: string;
  readonly snippet: string;
  readonly attachments: number;
  readonly inline: number;
  /** Names of attachments and inline parts. */
  readonly fileNames: readonly string[];
  /** Folded. */
  readonly text: string;
  /** For each column of the index but `marks`; none for a mail that could not be parsed. */
  readonly words: readonly string[];
}

/**
 * Percent of a part of the index that is to be of messages that are gone before it is written anew without them. A store
 * that removes one message for each that comes writes the part that holds the oldest anew each time that so much of it is
 * gone: with the 10 of FTS5 that was two thirds of all that its writer did, with this next to nothing. In return up to
 * half of that part, and no more, lies there for nothing.
 */
const GONE_PERCENT = 50;

/** Writes texts and the index of their words. */
export class SearchWriter {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #putText: StatementSync;
  readonly #places: StatementSync;
  readonly #putWords: StatementSync;
  #isSet = false;
  readonly #shared: SharedWords;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#shared = new SharedWords(database);
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO texts (seq, snippet, snippet_before, snippet_after, attachments, inline, file_names, kind)
       SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM messages WHERE seq = ? AND id = ?`,
    );
    this.#putText = database.prepare(
      `INSERT OR REPLACE INTO search_texts (seq, text)
       SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM packed WHERE seq = ?1 AND text IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM messages WHERE seq = ?1 AND block IS NOT NULL)`,
    );
    this.#places = database.prepare('SELECT inbox FROM placements WHERE seq = ?');
    this.#putWords = database.prepare(
      `INSERT OR REPLACE INTO search (rowid, ${INDEX_COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(INDEX_COLUMNS.length)})`,
    );
  }

  /** Does nothing for a message that was removed meanwhile. */
  put({ seq, id, snippet, attachments, inline, fileNames, text, words }: IndexEntry): void {
    this.#set();
    const share = words.length === 0 ? undefined : this.#shared.share(words, snippet);
    const { before, own, after } = outsideOf(share?.snippet ?? '', snippet);
    const { changes } = this.#put.run(
      own,
      before,
      after,
      attachments,
      inline,
      encodeList(fileNames),
      share?.kind ?? null,
      seq,
      id,
    );
    if (changes === 0) return;
    this.#putText.run(seq, text);
    const marks = this.#places.all(seq).map(({ inbox }) => inboxMark(Number(inbox)));
    if (attachments > 0) marks.push(MARKS.attachment);
    if (inline > 0) marks.push(MARKS.inline);
    if (share) marks.push(kindMark(share.kind));
    const columns = INDEX_COLUMNS.slice(0, -1).map((_, place) => (share?.words ?? words)[place] ?? '');
    this.#putWords.run(seq, ...columns, marks.join(' '));
  }

  /** Has the index know when to write parts anew; it keeps that with itself. */
  #set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    const kept = this.#database.prepare("SELECT v FROM search_config WHERE k = 'deletemerge'").get();
    if (kept?.v === GONE_PERCENT) return;
    this.#database.exec(`INSERT INTO search (search, rank) VALUES ('deletemerge', ${GONE_PERCENT})`);
  }

  /** Removes what is kept for mail that is gone. */
  sweep(): void {
    this.#shared.sweep();
  }
}

/** What of a text is not at the ends of another one, and how many characters, as SQLite counts them, are. */
function outsideOf(other: string, text: string): { before: number; own: string; after: number } {
  const [others, all] = [[...other], [...text.toWellFormed()]];
  const most = Math.min(others.length, all.length);
  let before = 0;
  while (before < most && others[before] === all[before]) before += 1;
  let after = 0;
  while (after < most - before && others.at(-1 - after) === all.at(-1 - after)) after += 1;
  return { before, own: all.slice(before, all.length - after).join(''), after };
}
