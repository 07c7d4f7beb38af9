import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { contentOf } from '../../mail/content.ts';
import { NO_PARAMS } from '../../mail/envelope.ts';
import { scanSummary } from '../../mail/headers.ts';
import { createId, idTime, type Message } from '../../mail/message.ts';
import type { MessageChange } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { decodeList } from './address-text.ts';
import { type Arrival, type Facts, pathOf } from './facts.ts';
import { graftFirstPage } from './graft.ts';
import { readIntake } from './intake-log.ts';
import { type Layout, layoutOf } from './layout.ts';
import { checkVersion } from './migrations.ts';

/*
 * Reads a store whose database is damaged, row by row: what one broken page takes down is the rows on it, and nothing
 * that needs an index or a count is asked for. All of it happens on a copy; in the folder itself nothing is written.
 *
 * SQLite keeps no checksums of its pages: a content whose octets have changed and whose length has not is given as it
 * is found.
 */

/** A message that could be read. */
export interface Salvaged {
  readonly kind: 'message';
  readonly message: Message;
  /** What people have said of it. */
  readonly state: MessageChange;
  /** What about it could not be read, for people; '' when it is whole. */
  readonly lacks: string;
}

/** A message of which too little is left. */
export interface Lost {
  readonly kind: 'lost';
  /** '' when not even that can be read. */
  readonly id: string;
  readonly subject: string;
  readonly why: string;
}

export type Find = Salvaged | Lost;

/** Beyond the last message that can be found by looking, so many more are tried. */
const TRY_BEYOND = 10_000;
const ID = /^[0-9A-Za-z_-]{1,64}$/;
/** Where mail goes that no longer says to whom it came. */
const UNKNOWN_INBOX = 'salvaged';

type Row = Record<string, unknown>;

export class DamagedStore {
  readonly #layout: Layout;
  readonly #work: string;
  #database: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync | undefined>();
  /** What SQLite said, each once. */
  readonly troubles = new Set<string>();

  /**
   * @param directory folder of the store
   * @param work empty folder for a copy of the database
   * @throws STORE_NEWER, and STORE_CORRUPT for what was never ours
   */
  constructor(directory: string, work: string) {
    this.#layout = layoutOf(directory);
    this.#work = work;
    this.#database = this.#open();
  }

  /** Everything that is left, oldest first; then what waits in the intake log, and files that nothing speaks of. */
  *finds(): Generator<Find> {
    const named = new Set<string>();
    let before = new Date(0);
    for (const seq of this.#seqs()) {
      const row = this.#row('SELECT * FROM messages WHERE seq = ?', seq);
      if (row && typeof row.file === 'string') named.add(row.file);
      const found = this.#find(seq, row, before);
      if (found?.kind === 'message') before = found.message.receivedAt;
      if (found) yield found;
    }
    for (const { arrival, content } of this.#intake()) {
      if (arrival.file !== null) named.add(arrival.file);
      const bytes = arrival.file === null ? content : this.#contentFile(arrival.file);
      if (bytes) yield { kind: 'message', message: arrivedMessage(arrival, bytes), state: {}, lacks: '' };
      else yield { kind: 'lost', id: arrival.id, subject: '', why: 'its file cannot be read' };
    }
    for (const file of this.#files()) {
      if (named.has(file)) continue;
      const [id = ''] = file.split('.');
      const receivedAt = new Date(idTime(id));
      const bytes = this.#attempt(() => readFileSync(join(this.#layout.contents, file)));
      if (bytes) yield withoutEnvelope(bytes, ID.test(id) ? id : createId(), receivedAt);
      else yield { kind: 'lost', id, subject: '', why: 'its file cannot be read' };
    }
  }

  /** Messages that were acknowledged and are not in the tables; all in the log if these do not say how far they are. */
  *#intake(): Generator<{ readonly arrival: Arrival; readonly content: Buffer }> {
    const loggedTo = this.#row('SELECT logged_to FROM totals WHERE only_row = ?', 1)?.logged_to;
    const frames = this.#attempt(() => readIntake(this.#layout, typeof loggedTo === 'number' ? loggedTo : undefined));
    for (const { arrivals, contents } of frames ?? []) {
      let at = 0;
      for (const arrival of JSON.parse(arrivals) as Arrival[]) {
        const end = arrival.file === null ? at + arrival.bytes : at;
        if (!this.#row('SELECT id FROM messages WHERE id = ?', arrival.id)) {
          yield { arrival, content: contents.subarray(at, end) };
        }
        at = end;
      }
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #find(seq: number, row: Row | undefined, before: Date): Find | undefined {
    const bytes = typeof row?.file === 'string' ? this.#contentFile(row.file) : this.#contentRow(seq);
    if (!row) {
      if (!bytes)
        return this.#isPlaced(seq)
          ? { kind: 'lost', id: '', subject: '', why: 'row and content are damaged' }
          : undefined;
      return withoutEnvelope(bytes, createId(before.getTime()), before);
    }
    const { id, subject } = { id: String(row.id), subject: String(row.subject ?? '') };
    if (!bytes) return { kind: 'lost', id, subject, why: 'its content cannot be read' };
    const facts = this.#attempt(() => JSON.parse(String(row.facts)) as Facts);
    const isSound = ID.test(id) && Number.isSafeInteger(row.received_at);
    if (!facts || !isSound) return withoutEnvelope(bytes, isSound ? id : createId(before.getTime()), before);
    const message = this.#attempt(() => messageOf(row, facts, bytes));
    if (!message) return withoutEnvelope(bytes, id, new Date(Number(row.received_at)));
    const lacks = bytes.length === row.bytes ? '' : `${bytes.length} of its ${row.bytes} octets are there`;
    return { kind: 'message', message, state: stateOf(row), lacks };
  }

  /** Every number that a message can have. */
  *#seqs(): Generator<number> {
    const places = [
      ...['messages', 'contents', 'placements', 'texts'].flatMap((table) => [
        `min(seq) AS seq FROM ${table}`,
        `max(seq) AS seq FROM ${table}`,
      ]),
      'seq FROM messages ORDER BY id LIMIT 1',
      'seq FROM messages ORDER BY id DESC LIMIT 1',
    ];
    const known = this.troubles.size;
    const ends = places.flatMap((place) => {
      const seq = this.#row(`SELECT ${place}`)?.seq;
      return Number.isSafeInteger(seq) && Number(seq) > 0 ? [Number(seq)] : [];
    });
    if (ends.length === 0 && this.troubles.size === known) return;
    const isUncertain = this.troubles.size > known;
    const first = isUncertain ? 1 : Math.min(...ends);
    const last = Math.max(0, ...ends) + (isUncertain ? TRY_BEYOND : 0);
    for (let seq = first; seq <= last; seq++) yield seq;
  }

  #contentRow(seq: number): Buffer | undefined {
    const content = this.#row('SELECT content FROM contents WHERE seq = ?', seq)?.content;
    return content instanceof Uint8Array
      ? Buffer.from(content.buffer, content.byteOffset, content.byteLength)
      : undefined;
  }

  #contentFile(name: string): Buffer | undefined {
    return name.includes('/') ? undefined : this.#attempt(() => readFileSync(join(this.#layout.contents, name)));
  }

  #isPlaced(seq: number): boolean {
    return this.#row('SELECT 1 AS found FROM placements WHERE seq = ? LIMIT 1', seq) !== undefined;
  }

  #files(): readonly string[] {
    return this.#attempt(() => readdirSync(this.#layout.contents).sort()) ?? [];
  }

  #row(sql: string, ...values: readonly (number | string)[]): Row | undefined {
    return this.#attempt(() => {
      if (!this.#statements.has(sql))
        this.#statements.set(
          sql,
          this.#attempt(() => this.#database?.prepare(sql)),
        );
      return this.#statements.get(sql)?.get(...values) as Row | undefined;
    });
  }

  /** Undefined where something is broken; the error is noted. */
  #attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.troubles.add((error as Error).message);
      return undefined;
    }
  }

  /** Opens the copy: as it is, without its log, or under a new first page; undefined when none of that works. */
  #open(): DatabaseSync | undefined {
    if (!existsSync(this.#layout.database)) return undefined;
    const copy = join(this.#work, 'inboxd.db');
    const log = `${copy}-wal`;
    const renew = (withLog: boolean): void => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true });
      copyFileSync(this.#layout.database, copy);
      if (withLog && existsSync(`${this.#layout.database}-wal`)) copyFileSync(`${this.#layout.database}-wal`, log);
    };
    const graft = (): void => {
      renew(false);
      graftFirstPage(copy, this.#work);
    };
    const ways = [() => renew(true), () => renew(false), graft];
    for (const prepare of ways) {
      const database = this.#attempt(() => {
        prepare();
        return openCopy(copy);
      });
      if (database instanceof StoreError) throw database;
      if (database) return database;
    }
    return undefined;
  }
}

/** @returns the error, where no other way of opening it would be right */
function openCopy(path: string): DatabaseSync | StoreError {
  const database = new DatabaseSync(path);
  try {
    checkVersion(database, path);
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    database.prepare('SELECT seq FROM messages LIMIT 0').get();
    return database;
  } catch (error) {
    database.close();
    if (error instanceof StoreError) return error;
    throw error;
  }
}

/**
 * Refuses a folder without a store, and one that a daemon has open: a copy made while somebody writes would be torn.
 * The lock is looked at, not taken: that would write.
 * @throws STORE_MISSING, STORE_LOCKED
 */
export function requireIdleStore(directory: string): void {
  const { database: path, contents, lock } = layoutOf(directory);
  if (!existsSync(path) && !existsSync(contents)) {
    throw new StoreError('STORE_MISSING', `There is no store in ${directory}`);
  }
  if (!existsSync(lock)) return;
  const database = new DatabaseSync(lock, { readOnly: true });
  try {
    database.prepare('SELECT count(*) FROM sqlite_master').get();
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === 5) throw new StoreError('STORE_LOCKED', `${directory} is in use by another inboxd; stop it first`);
    // anything else is the damage that brought us here
  } finally {
    database.close();
  }
}

function messageOf(row: Row, facts: Facts, bytes: Buffer): Message {
  return {
    id: String(row.id),
    envelope: {
      from: { path: facts.from === '' ? null : pathOf(facts.from), params: new Map(facts.fromParams) },
      to: facts.to.map(([address, , , params]) => ({ path: pathOf(address), params: new Map(params) })),
    },
    content: contentOf([bytes], row.has_bare_newlines === 1),
    receivedAt: new Date(Number(row.received_at)),
    client: facts.client,
    protocol: facts.protocol,
    session: facts.session,
    transcript: facts.transcript,
    ...(typeof row.verification === 'string' && { verification: JSON.parse(row.verification) }),
  };
}

function arrivedMessage(arrival: Arrival, bytes: Buffer): Message {
  const { id, from, fromParams, to, client, protocol, session, transcript, verification } = arrival;
  return {
    id,
    envelope: {
      from: { path: from === '' ? null : pathOf(from), params: new Map(fromParams) },
      to: to.map(({ params, ...path }) => ({ path, params: new Map(params) })),
    },
    content: contentOf([bytes], arrival.bareNewlines),
    receivedAt: new Date(arrival.receivedAt),
    client,
    protocol,
    session,
    transcript,
    ...(verification && { verification }),
  };
}

function stateOf(row: Row): MessageChange {
  const tags = decodeList(String(row.tags ?? ''));
  return { read: row.is_read === 1, pinned: row.is_pinned === 1, ...(tags.length > 0 && { tags }) };
}

/** A content whose row is gone: its own header says what there is to say. */
function withoutEnvelope(bytes: Buffer, id: string, receivedAt: Date): Salvaged {
  const header = scanSummary(bytes);
  const named = [...header.to, ...header.cc, ...header.bcc].map(({ address }) => address).filter((text) => text !== '');
  const to = named.length > 0 ? named : [UNKNOWN_INBOX];
  const message: Message = {
    id,
    envelope: {
      from: { path: header.from ? pathOf(header.from.address) : null, params: NO_PARAMS },
      to: to.map((address) => ({ path: pathOf(address), params: NO_PARAMS })),
    },
    content: contentOf([bytes]),
    receivedAt,
    client: { address: 'local', port: 0, hello: '' },
    protocol: 'SMTP',
    session: '',
    transcript: [],
  };
  return {
    kind: 'message',
    message,
    state: { tags: [UNKNOWN_INBOX] },
    lacks: 'its envelope is lost; sender and recipients are those of its header',
  };
}
