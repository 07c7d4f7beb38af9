import { withoutForgedResults } from '../mail/authentication-results.ts';
import type { Store, StoredMessage } from '../mail/store.ts';
import { storedTraceHeaders } from '../mail/trace.ts';
import { DotWriter, LineEnds } from '../wire/dot-writer.ts';

/** What the maildrops of a daemon have in common. */
export interface MaildropServices {
  readonly store: Store;
  /** Our own name, for the trace. */
  readonly hostname: string;
  readonly sizes: Sizes;
  /** Messages of one maildrop. */
  readonly most: number;
}

const PAGE = 1_000;
const LINES_AT_ONCE = 1_000;
const LF = 0x0a;
const CR = 0x0d;
const END = Buffer.from('.\r\n');

interface Entry {
  readonly id: string;
  /** Octets as they are sent, but for stuffed dots; undefined until somebody asks. */
  octets: number | undefined;
  /** Whether its trace says who sent it; once told it stays so, since its octets have been counted. */
  hasResults: boolean | undefined;
}

/** A message as it leaves: its size, and its octets as often as they are asked for. */
export interface Departure {
  readonly octets: number;
  stream(): AsyncIterable<Buffer>;
}

/**
 * An inbox as one session sees it: the messages that lay there when it began, numbered from 1, oldest first, without
 * those in quarantine. They are given as filters left them. Reading changes nothing. Deleting marks, until `update` removes what is marked out of this inbox.
 */
export class Maildrop {
  readonly inbox: string;
  readonly #services: MaildropServices;
  readonly #entries: readonly Entry[];
  readonly #marked = new Set<number>();

  private constructor(inbox: string, services: MaildropServices, entries: readonly Entry[]) {
    this.inbox = inbox;
    this.#services = services;
    this.#entries = entries;
  }

  static async open(inbox: string, services: MaildropServices): Promise<Maildrop> {
    const { store, most } = services;
    const entries: Entry[] = [];
    let cursor: string | undefined;
    do {
      const limit = Math.min(PAGE, most - entries.length);
      const page = await store.list({ inbox, limit, oldestFirst: true, ...(cursor !== undefined && { cursor }) });
      for (const { id, quarantine } of page.messages) {
        if (quarantine === null) entries.push({ id, octets: undefined, hasResults: undefined });
      }
      cursor = page.next;
    } while (cursor !== undefined && entries.length < most);
    return new Maildrop(inbox, services, entries);
  }

  /** Numbers of the messages that are not marked. */
  *numbers(): Generator<number> {
    for (let number = 1; number <= this.#entries.length; number++) if (!this.#marked.has(number)) yield number;
  }

  /** Number of messages that are not marked. */
  get count(): number {
    return this.#entries.length - this.#marked.size;
  }

  has(number: number): boolean {
    return this.#entries[number - 1] !== undefined;
  }

  isMarked(number: number): boolean {
    return this.#marked.has(number);
  }

  mark(number: number): void {
    this.#marked.add(number);
  }

  unmarkAll(): void {
    this.#marked.clear();
  }

  /** Stable and unique: the message's own id. */
  uniqueId(number: number): string {
    return this.#entries[number - 1]!.id;
  }

  /** Octets of a message as it is sent, but for stuffed dots. 0 for one that is gone. */
  async octets(number: number): Promise<number> {
    const entry = this.#entries[number - 1]!;
    return entry.octets ?? (await this.retrieve(number))?.octets ?? 0;
  }

  /** Gets a message ready to leave; undefined if it is gone, or went into quarantine. */
  async retrieve(number: number): Promise<Departure | undefined> {
    const { store, sizes } = this.#services;
    const entry = this.#entries[number - 1]!;
    const [message, content] = await Promise.all([store.get(entry.id), store.content(entry.id, 'edited')]);
    if (!message || !content || message.quarantine !== null) return undefined;
    entry.hasResults ??= message.verification?.status === 'done';
    const shown = entry.hasResults ? message : { ...message, verification: null };
    const stream = () => this.#lines(shown, content.stream());
    const key = `${entry.id}${entry.hasResults ? '+' : '-'}`;
    entry.octets ??= sizes.get(key) ?? (await count(stream()));
    sizes.set(key, entry.octets);
    return { octets: entry.octets, stream };
  }

  /** The message with its trace in front, lines ended by CR LF. */
  async *#lines(message: StoredMessage, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { hostname } = this.#services;
    yield storedTraceHeaders(message, hostname);
    const ends = new LineEnds();
    for await (const view of withoutForgedResults(content, hostname)) yield ends.pass(view);
    yield ends.end();
  }

  /** Removes what is marked out of the inbox, all that is still there. */
  async update(): Promise<void> {
    if (this.#marked.size === 0) return;
    const ids = [...this.#marked].map((number) => this.uniqueId(number));
    await this.#services.store.remove({ inbox: this.inbox, ids });
  }
}

/** Sizes of messages, the ones used last; safe to share, since what is stored never changes. */
export class Sizes {
  readonly #most: number;
  readonly #known = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): number | undefined {
    return this.#known.get(key);
  }

  set(key: string, octets: number): void {
    this.#known.delete(key);
    this.#known.set(key, octets);
    if (this.#known.size <= this.#most) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

async function count(lines: AsyncIterable<Buffer>): Promise<number> {
  let octets = 0;
  for await (const view of lines) octets += view.length;
  return octets;
}

/** Octets for the wire: dots stuffed, and the lone dot at the end. */
export async function* stuffed(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const dots = new DotWriter();
  for await (const view of lines) if (view.length > 0) yield dots.pass(view);
  yield END;
}

/** The header, the empty line, and the first lines of the body; all of it if there are no more. */
export async function* top(lines: AsyncIterable<Buffer>, wanted: number): AsyncGenerator<Buffer> {
  let isBody = false;
  let left = wanted;
  let lineBytes = 0;
  let lastOctet = LF;
  for await (const view of lines) {
    let start = 0;
    for (let end = view.indexOf(LF); end !== -1; end = view.indexOf(LF, start)) {
      const before = end > start ? view[end - 1] : lastOctet;
      const isEmpty = lineBytes + end - start === 1 && before === CR;
      if (isBody) left--;
      else if (isEmpty) isBody = true;
      start = end + 1;
      lineBytes = 0;
      if (!isBody || left > 0) continue;
      yield view.subarray(0, start);
      return;
    }
    lineBytes += view.length - start;
    if (view.length > 0) lastOctet = view[view.length - 1]!;
    yield view;
  }
}

/** Lines of a listing, with the lone dot at the end. */
export async function* listing(lines: Iterable<string>): AsyncGenerator<Buffer> {
  let some: string[] = [];
  for (const line of lines) {
    if (some.push(`${line}\r\n`) < LINES_AT_ONCE) continue;
    yield Buffer.from(some.join(''), 'latin1');
    some = [];
  }
  yield Buffer.from(`${some.join('')}.\r\n`, 'latin1');
}
