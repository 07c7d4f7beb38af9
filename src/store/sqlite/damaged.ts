import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { contentOf } from '../../mail/content.ts';
import { type Envelope, NO_PARAMS } from '../../mail/envelope.ts';
import { scanSummary } from '../../mail/headers.ts';
import { createId, idTime, type Message } from '../../mail/message.ts';
import type { MessageChange } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { decodeList } from './address-text.ts';
import {
  BLOCK_OF_PIECE,
  decodeListed,
  decodeParts,
  IS_PIECE,
  LISTED_COLUMNS,
  type Listed,
  type Parts,
  partsTogether,
} from './blocks.ts';
import { RECEIVED } from './content-files.ts';
import {
  type Arrival,
  type ArrivalEnvelope,
  type ArrivedBytes,
  cutContents,
  type EnvelopeFacts,
  type Facts,
  pathOf,
} from './facts.ts';
import { isThere } from './gone.ts';
import { graftFirstPage } from './graft.ts';
import { readIntake } from './intake-log.ts';
import { type Layout, layoutOf } from './layout.ts';
import { checkVersion } from './migrations.ts';
import { PACKED_PARTS, type PackedPart, unpack } from './packing.ts';

/*
 * Reads a store whose database is damaged, row by row: what one broken page takes down is the rows on it, and nothing
 * that needs an index or a count is asked for. All of it happens on a copy; in the folder itself nothing is written.
 *
 * SQLite keeps no checksums of its pages: a content that is not packed, and whose octets have changed and whose length has
 * not, is given as it is found. One that is packed bears a checksum.
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

/** What is missing of a message that filters changed, when one of its two forms is. */
const NO_RECEIVED = 'what came is lost, there is only what filters made of it';
const NO_EDITED = 'what filters made of it is lost, there is only what came';

type Row = Record<string, unknown>;

/** The contents of a message, as far as they can be read; `received` where filters changed what came. */
interface Contents {
  readonly own: Buffer | undefined;
  readonly received: Buffer | undefined;
}

export class DamagedStore {
  readonly #layout: Layout;
  readonly #work: string;
  #database: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync | undefined>();
  #keepsReceived: boolean | undefined;
  #readPieces: StatementSync | undefined;
  #lastListed: { readonly block: number; readonly messages: ReadonlyMap<number, Listed> } | undefined;
  #lastParts: { readonly block: number; readonly messages: ReadonlyMap<number, Parts> } | undefined;
  /** The block of each message; made when a row of one is lost. */
  #blockOf: ReadonlyMap<number, number> | undefined;
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
      const row = this.#message(seq);
      for (const name of [row?.file, this.#receivedRow(seq)?.file]) if (typeof name === 'string') named.add(name);
      const found = this.#find(seq, row, before);
      if (found?.kind === 'message') before = found.message.receivedAt;
      if (found) yield found;
    }
    for (const { arrival, content, receivedContent } of this.#intake()) {
      const { file, received } = arrival;
      for (const name of [file, received?.content?.file]) if (typeof name === 'string') named.add(name);
      const own = file === null ? content : this.#contentFile(file);
      const other = received?.content;
      const isOther = other !== undefined;
      const came =
        typeof other?.file === 'string' ? this.#contentFile(other.file) : isOther ? receivedContent : undefined;
      yield formed(arrivedMessage(arrival), { own, received: came }, isOther) ?? {
        kind: 'lost',
        id: arrival.id,
        subject: '',
        why: 'its file cannot be read',
      };
    }
    yield* this.#orphans(named);
  }

  /** What lies in files that nothing speaks of; two of one message are its two forms. */
  *#orphans(named: ReadonlySet<string>): Generator<Find> {
    const byId = new Map<string, string[]>();
    for (const file of this.#files()) {
      if (named.has(file)) continue;
      const [id = ''] = file.split('.');
      byId.set(id, [...(byId.get(id) ?? []), file]);
    }
    for (const [id, files] of byId) {
      const receivedAt = new Date(idTime(id));
      const read = (isWanted: (file: string) => boolean): Buffer | undefined => {
        const file = files.find(isWanted);
        return file === undefined ? undefined : this.#contentFile(file);
      };
      const own = read((file) => !file.endsWith(RECEIVED));
      const received = read((file) => file.endsWith(RECEIVED));
      const found = withoutEnvelope({ own, received }, ID.test(id) ? id : createId(), receivedAt);
      yield found ?? { kind: 'lost', id, subject: '', why: 'its file cannot be read' };
    }
  }

  /** Messages that were acknowledged and are not in the tables; all in the log if these do not say how far they are. */
  *#intake(): Generator<ArrivedBytes> {
    const loggedTo = this.#row('SELECT logged_to FROM totals WHERE only_row = ?', 1)?.logged_to;
    const frames = this.#attempt(() => readIntake(this.#layout, typeof loggedTo === 'number' ? loggedTo : undefined));
    for (const { arrivals, contents } of frames ?? []) {
      for (const arrived of cutContents(JSON.parse(arrivals) as Arrival[], contents)) {
        if (!this.#row('SELECT id FROM messages WHERE id = ?', arrived.arrival.id)) yield arrived;
      }
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** The row of a message, with the texts of lists wherever they are. */
  #message(seq: number): Row | undefined {
    const row = this.#row('SELECT * FROM messages WHERE seq = ?', seq);
    if (typeof row?.block !== 'number') return row;
    const texts = this.#listed(row.block).get(seq) ?? [];
    return { ...row, ...Object.fromEntries(LISTED_COLUMNS.map((column, place) => [column, texts[place] ?? ''])) };
  }

  #find(seq: number, row: Row | undefined, before: Date): Find | undefined {
    const contents = this.#contents(seq, row);
    if (!row) {
      const found = withoutEnvelope(contents, createId(before.getTime()), before);
      if (found || !this.#isPlaced(seq)) return found;
      return { kind: 'lost', id: '', subject: '', why: 'row and content are damaged' };
    }
    const { id, subject } = { id: String(row.id), subject: String(row.subject ?? '') };
    const facts = this.#attempt(() => JSON.parse(this.#factsOf(seq, row)) as Facts);
    const isSound = ID.test(id) && Number.isSafeInteger(row.received_at);
    const forms = facts && isSound ? this.#attempt(() => messageOf(row, facts)) : undefined;
    const found = forms
      ? formed(forms, contents, facts?.received?.bytes !== undefined)
      : withoutEnvelope(contents, isSound ? id : createId(before.getTime()), isSound ? dateOf(row) : before);
    if (!found) return { kind: 'lost', id, subject, why: 'its content cannot be read' };
    if (!forms) return found;
    const own = contents.own?.length;
    const isCut = own !== undefined && own !== row.bytes;
    return {
      ...found,
      state: stateOf(row),
      lacks: isCut ? `${own} of its ${row.bytes} octets are there` : found.lacks,
    };
  }

  #contents(seq: number, row: Row | undefined): Contents {
    const received = this.#receivedRow(seq);
    const own = typeof row?.file === 'string' ? this.#contentFile(row.file) : this.#contentRow(seq);
    return {
      own: row === undefined && own?.length === 0 ? undefined : own, // that of a message with a file is empty here
      received: typeof received?.file === 'string' ? this.#contentFile(received.file) : bufferOf(received?.content),
    };
  }

  #receivedRow(seq: number): Row | undefined {
    // a store of an older version has no such table
    this.#keepsReceived ??= this.#hasTable('received_contents');
    return this.#keepsReceived ? this.#row('SELECT * FROM received_contents WHERE seq = ?', seq) : undefined;
  }

  /** Every number that a message can have. */
  *#seqs(): Generator<number> {
    const places = [
      ...['messages', 'contents', 'placements', 'texts', ...(this.#isPacking ? ['packed'] : [])].flatMap((table) => [
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

  #factsOf(seq: number, row: Row): string {
    const written = this.#isPacking && this.#row('SELECT facts FROM contents WHERE seq = ?', seq)?.facts;
    if (typeof written === 'string') return written;
    return row.facts === '' ? String(this.#packedPart(seq, 'facts')) : String(row.facts);
  }

  #contentRow(seq: number): Buffer | undefined {
    return (
      bufferOf(this.#row('SELECT content FROM contents WHERE seq = ?', seq)?.content) ??
      this.#packedPart(seq, 'content')
    );
  }

  /** A part that is packed, in a block or alone. */
  #packedPart(seq: number, part: PackedPart): Buffer | undefined {
    if (!this.#isPacking) return undefined;
    const row = this.#row(`SELECT base, ${part} AS frame FROM packed WHERE seq = ?`, seq);
    if (!row) return bufferOf(this.#partsInBlock(seq)?.[part]);
    return this.#unpacked(row.frame, row.base, (base) => base[part]);
  }

  /** Unpacks a frame; where its base is damaged too, the copy of that serves. */
  #unpacked(
    frame: unknown,
    base: unknown,
    dictionaryOf: (base: Parts & { listed?: Buffer }) => Uint8Array | undefined,
  ): Buffer | undefined {
    if (!(frame instanceof Uint8Array)) return undefined;
    if (base === null) return this.#attempt(() => unpack(frame));
    for (const table of ['bases', 'base_copies']) {
      const row = this.#row(`SELECT * FROM ${table} WHERE base = ?`, Number(base));
      if (!row) continue;
      const plain = this.#attempt(() => unpack(frame, dictionaryOf(unpackedBase(row))));
      if (plain) return plain;
    }
    return undefined;
  }

  #listed(block: number): ReadonlyMap<number, Listed> {
    if (this.#lastListed?.block !== block) {
      const row = this.#row('SELECT base, listed FROM blocks WHERE block = ?', block);
      const plain = this.#unpacked(row?.listed, row?.base, ({ listed }) => listed);
      this.#lastListed = { block, messages: (plain && this.#attempt(() => decodeListed(plain))) ?? new Map() };
    }
    return this.#lastListed.messages;
  }

  /** The parts of a message of a block; where its row is lost, the block is found by what it holds. */
  #partsInBlock(seq: number): Parts | undefined {
    if (!this.#hasTable('block_pieces')) return undefined;
    const block = this.#row('SELECT block FROM messages WHERE seq = ?', seq)?.block ?? this.#blockHolding(seq);
    if (typeof block !== 'number') return undefined;
    if (this.#lastParts?.block !== block) this.#lastParts = { block, messages: this.#allParts(block) };
    return this.#lastParts.messages.get(seq);
  }

  #allParts(block: number): ReadonlyMap<number, Parts> {
    const rows = this.#attempt(() => this.#pieces(block)) ?? [];
    const frame = Buffer.concat(rows.map(({ bytes }) => bytes as Uint8Array));
    const plain = rows.length === 0 ? undefined : this.#unpacked(frame, rows[0]!.base, partsTogether);
    return (plain && this.#attempt(() => decodeParts(plain))) ?? new Map();
  }

  #pieces(block: number): readonly Row[] {
    this.#readPieces ??= this.#database?.prepare(
      `SELECT base, bytes FROM block_pieces WHERE ${IS_PIECE} ORDER BY piece`,
    );
    return this.#readPieces?.all(block) ?? [];
  }

  #blockHolding(seq: number): number | undefined {
    this.#blockOf ??= this.#blocksBySeq();
    return this.#blockOf.get(seq);
  }

  /** Of all that can be read; what was removed from the store and is in a block still is left out. */
  #blocksBySeq(): Map<number, number> {
    const blockOf = new Map<number, number>();
    const [first, last] = ['min', 'max'].map((end) =>
      Number(this.#row(`SELECT ${end}(${BLOCK_OF_PIECE}) AS n FROM block_pieces`)?.n),
    );
    for (let block = first!; block <= last!; block++) {
      const seqs = [...this.#allParts(block).keys()];
      const isWhole = this.#row('SELECT messages FROM blocks WHERE block = ?', block)?.messages === seqs.length;
      for (const seq of seqs) if (isWhole || this.#isPlaced(seq)) blockOf.set(seq, block);
    }
    return blockOf;
  }

  /** False for a store of a version that packed nothing, whose tables are not to be missed. */
  get #isPacking(): boolean {
    return this.#hasTable('packed');
  }

  #hasTable(name: string): boolean {
    return this.#row('SELECT 1 AS found FROM sqlite_master WHERE name = ?', name) !== undefined;
  }

  #contentFile(name: string): Buffer | undefined {
    return name.includes('/') ? undefined : this.#attempt(() => readFileSync(join(this.#layout.contents, name)));
  }

  #isPlaced(seq: number): boolean {
    const place = 'SELECT 1 AS found FROM placements WHERE seq = ?';
    return this.#row(this.#hasTable('gone') ? `${place} AND ${isThere('seq')}` : place, seq) !== undefined;
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

/** @throws STORE_CORRUPT */
function unpackedBase(row: Row): Parts & { listed?: Buffer } {
  const plain: Parts & { listed?: Buffer } = {};
  for (const part of [...PACKED_PARTS, 'listed'] as const) {
    const frame = row[part];
    if (frame instanceof Uint8Array) plain[part] = unpack(frame);
  }
  return plain;
}

function bufferOf(content: unknown): Buffer | undefined {
  return content instanceof Uint8Array
    ? Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    : undefined;
}

/** All of a message but its contents, and the envelope that came, where filters changed anything. */
interface Described {
  readonly message: Omit<Message, 'content' | 'original'>;
  readonly bareNewlines: boolean;
  readonly received: Envelope | undefined;
}

/**
 * A message with its contents; undefined when there is none. Of one that is not in both its forms the one that is there
 * is taken for the message.
 * @param isChanged filters changed the content
 */
function formed(
  { message, bareNewlines, received: envelope }: Described,
  { own, received }: Contents,
  isChanged: boolean,
): Salvaged | undefined {
  const shown = own ?? received;
  if (shown === undefined) return undefined;
  const found = { ...message, content: contentOf([shown], bareNewlines) };
  const lacks = own === undefined ? NO_EDITED : isChanged && received === undefined ? NO_RECEIVED : '';
  if (lacks !== '' || envelope === undefined) return { kind: 'message', message: found, state: {}, lacks };
  const content = isChanged && received ? contentOf([received], bareNewlines) : found.content;
  const original = { ...message, envelope, content };
  return { kind: 'message', message: { ...found, original }, state: {}, lacks };
}

function messageOf(row: Row, facts: Facts): Described {
  return {
    message: {
      id: String(row.id),
      envelope: envelopeOf(facts),
      receivedAt: dateOf(row),
      client: facts.client,
      protocol: facts.protocol,
      session: facts.session,
      transcript: facts.transcript,
      ...(typeof row.verification === 'string' && { verification: JSON.parse(row.verification) }),
      ...(typeof row.quarantine === 'string' && { quarantine: row.quarantine }),
    },
    bareNewlines: row.has_bare_newlines === 1,
    received: facts.received && envelopeOf(facts.received),
  };
}

function envelopeOf({ from, fromParams, to }: EnvelopeFacts): Envelope {
  return {
    from: { path: from === '' ? null : pathOf(from), params: new Map(fromParams) },
    to: to.map(([address, , , params]) => ({ path: pathOf(address), params: new Map(params) })),
  };
}

function arrivedMessage(arrival: Arrival): Described {
  const { id, client, protocol, session, transcript, verification, quarantine, received } = arrival;
  return {
    message: {
      id,
      envelope: arrivedEnvelope(arrival),
      receivedAt: new Date(arrival.receivedAt),
      client,
      protocol,
      session,
      transcript,
      ...(verification && { verification }),
      ...(quarantine !== undefined && { quarantine }),
    },
    bareNewlines: arrival.bareNewlines,
    received: received && arrivedEnvelope(received),
  };
}

function arrivedEnvelope({ from, fromParams, to }: ArrivalEnvelope): Envelope {
  return {
    from: { path: from === '' ? null : pathOf(from), params: new Map(fromParams) },
    to: to.map(({ params, ...path }) => ({ path, params: new Map(params) })),
  };
}

function dateOf(row: Row): Date {
  return new Date(Number(row.received_at));
}

function stateOf(row: Row): MessageChange {
  const tags = decodeList(String(row.tags ?? ''));
  return { read: row.is_read === 1, pinned: row.is_pinned === 1, ...(tags.length > 0 && { tags }) };
}

/** Contents whose row is gone: their own header says what there is to say. */
function withoutEnvelope(contents: Contents, id: string, receivedAt: Date): Salvaged | undefined {
  const shown = contents.own ?? contents.received;
  if (shown === undefined) return undefined;
  const header = scanSummary(shown);
  const named = [...header.to, ...header.cc, ...header.bcc].map(({ address }) => address).filter((text) => text !== '');
  const to = named.length > 0 ? named : [UNKNOWN_INBOX];
  const envelope: Envelope = {
    from: { path: header.from ? pathOf(header.from.address) : null, params: NO_PARAMS },
    to: to.map((address) => ({ path: pathOf(address), params: NO_PARAMS })),
  };
  const message = {
    id,
    envelope,
    receivedAt,
    client: { address: 'local', port: 0, hello: '' },
    protocol: 'SMTP',
    session: '',
    transcript: [],
  } as const;
  const isChanged = contents.received !== undefined;
  const received = isChanged ? envelope : undefined;
  const found = formed({ message, bareNewlines: false, received }, contents, isChanged);
  const lacks = ['its envelope is lost; sender and recipients are those of its header', found?.lacks ?? ''];
  return found && { ...found, state: { tags: [UNKNOWN_INBOX] }, lacks: lacks.filter((one) => one !== '').join('; ') };
}
