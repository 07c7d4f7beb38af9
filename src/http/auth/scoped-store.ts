import { parseAddress } from '../../mail/address.ts';
import type { ChangeEvent, Feed } from '../../mail/feed.ts';
import { inboxOf, type Naming } from '../../mail/inbox.ts';
import type { OpenedMail } from '../../mail/opened-mail.ts';
import { matches, needsContent, type Query } from '../../mail/query.ts';
import type { ListQuery, Page, Selection, Store, StoredEnvelope, StoredMessage, Summary } from '../../mail/store.ts';
import { covers, type Grant } from './grant.ts';
import { scopeQuery } from './scoped-query.ts';

/** What it takes to show only a part of a store. */
export interface ScopeOptions {
  readonly store: Store;
  readonly grant: Grant;
  readonly naming: Naming;
  /** Takes a message apart; undefined for an unknown id. */
  readonly parsed: (id: string) => Promise<OpenedMail | undefined>;
}

const PAGE = 500;

/**
 * A store as credentials for some inboxes may see it: through here nothing tells of any other inbox. A message that lies
 * in some of theirs and in others shows only theirs: neither envelope nor blind copies nor transcript name the other
 * recipients, no search finds it by them, and deleting takes it out of theirs. What the mail says of itself, in its own
 * header, it says to everybody who got it.
 */
export function scopeStore(options: ScopeOptions): Store {
  const { store, grant } = options;
  const scope = grant.scope ?? [];

  const get = async (id: string): Promise<StoredMessage | undefined> => {
    const message = await store.get(id);
    return message?.inboxes.some((inbox) => covers(grant, inbox))
      ? hideEnvelope(hideOthers(message, options), grant)
      : undefined;
  };
  const list = (query: ListQuery): Promise<Page> => listWithin(query, options);
  /** The messages that a change is about, by id where only a look at them tells. */
  const within = async (selection: Selection): Promise<Selection> => {
    if ('inbox' in selection) return covers(grant, selection.inbox) ? selection : { ids: [], scope };
    if ('all' in selection) return { query: { kind: 'all' }, scope };
    if ('ids' in selection) return { ids: selection.ids, scope };
    const ids: string[] = [];
    for await (const { id } of everyMessage(list, selection.query)) ids.push(id);
    return { ids, scope };
  };

  const refuse = () => Promise.reject(new Error('A part of a store takes no messages'));
  return {
    save: refuse,
    accept: refuse,
    list,
    get,
    content: async (id, form) => ((await get(id)) === undefined ? undefined : store.content(id, form)),
    inboxes: (query) => store.inboxes({ ...query, scope }),
    remove: async (selection) => store.remove(await within(selection)),
    change: async (selection, change) => store.change(await within(selection), change),
    annotate: () => Promise.reject(new Error('A part of a store takes no annotations')),
    pending: () => Promise.reject(new Error('A part of a store does not tell what is pending')),
    async tags() {
      const counts = new Map<string, number>();
      for await (const { tags } of everyMessage(list, { kind: 'is', what: 'tagged' })) {
        for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      }
      return counts;
    },
    async stats() {
      const { location } = await store.stats();
      const { matches: messages = 0, unreadMatches: unread = 0 } = await store.list({ scope, limit: 1, counts: true });
      let inboxes = 0;
      let contentBytes = 0;
      let cursor: string | undefined;
      do {
        const page = await store.inboxes({ scope, limit: PAGE, ...(cursor !== undefined && { cursor }) });
        inboxes += page.inboxes.length;
        for (const { bytes } of page.inboxes) contentBytes += bytes;
        cursor = page.next;
      } while (cursor !== undefined);
      const ofOthers = { diskBytes: 0, reusableBytes: 0, unindexed: 0, deleted: 0 };
      return { messages, unread, inboxes, contentBytes, location, ...ofOthers };
    },
    ready: () => store.ready(),
    get isAlive() {
      return store.isAlive;
    },
    close: () => Promise.resolve(),
    feed: scopeFeed(options),
  };
}

/** Gives a page behind a cursor, without what was found in vain; it may be shorter than asked for and still not the last. */
type Look = (limit: number, cursor: string | undefined) => Promise<Page>;

/** Lists what a search finds. Where the store may find too much, what it finds is looked at again. */
async function listWithin(query: ListQuery, options: ScopeOptions): Promise<Page> {
  const { store, grant } = options;
  const { query: search = { kind: 'all' }, start = 0, limit, cursor, counts, countTo: _, ...rest } = query;
  const { wide, doubtful } = scopeQuery(search, grant);
  const scoped = { ...rest, query: wide, scope: grant.scope ?? [] };
  const show = (message: Summary): Summary => hideOthers(message, options);
  if (doubtful === 'none') {
    const page = await store.list({ ...query, ...scoped });
    return { ...page, messages: page.messages.map(show) };
  }
  const look: Look = async (most, at) => {
    const found = await store.list({ ...scoped, limit: most, ...(at !== undefined && { cursor: at }) });
    const messages: Summary[] = [];
    for (const message of found.messages) {
      const shown = show(message);
      const isSure = doubtful === 'shared' && shown.inboxes.length === message.inboxes.length;
      if (isSure || (await fits(shown, search, options))) messages.push(shown);
    }
    return { messages, ...(found.next !== undefined && { next: found.next }) };
  };
  const page = await fullPage(look, start, limit ?? Number.POSITIVE_INFINITY, cursor);
  return counts === true ? { ...page, ...(await countAll(look)) } : page;
}

/** Neither the length of a page nor whether another follows may tell of what was found in vain. */
async function fullPage(look: Look, start: number, limit: number, cursor: string | undefined): Promise<Page> {
  const messages: Summary[] = [];
  let next = cursor;
  for (let left = start + limit; left > 0; left = start + limit - messages.length) {
    // no more than are wanted: when the page is full, its last message is the last that was looked at
    const found = await look(Math.min(left, PAGE), next);
    messages.push(...found.messages);
    next = found.next;
    if (next === undefined) break;
  }
  const isMore = limit > 0 && next !== undefined && (await isAny(look, next));
  return { messages: messages.slice(start), ...(isMore && next !== undefined && { next }) };
}

async function isAny(look: Look, cursor: string): Promise<boolean> {
  for (let at: string | undefined = cursor; at !== undefined; ) {
    const found: Page = await look(PAGE, at);
    if (found.messages.length > 0) return true;
    at = found.next;
  }
  return false;
}

async function countAll(look: Look): Promise<Pick<Page, 'matches' | 'unreadMatches'>> {
  const count = { matches: 0, unreadMatches: 0 };
  let at: string | undefined;
  do {
    const found = await look(PAGE, at);
    count.matches += found.messages.length;
    count.unreadMatches += found.messages.filter(({ read }) => !read).length;
    at = found.next;
  } while (at !== undefined);
  return count;
}

/** True if a message is what a search asks for by what is seen of it. */
async function fits(message: Summary, query: Query, { store, grant, parsed }: ScopeOptions): Promise<boolean> {
  if (!needsContent(query)) return matches(query, message);
  const [stored, mail] = await Promise.all([store.get(message.id), parsed(message.id)]);
  if (stored === undefined || mail === undefined) return false;
  const { text, htmlText, headers, parts } = mail;
  const { from, to } = hideEnvelope(stored, grant).envelope;
  const fileNames = parts.map(({ fileName }) => fileName).filter((name) => name !== '');
  return matches(query, {
    ...message,
    envelope: [from, ...to.map(({ address }) => address)],
    headers,
    text: [text, htmlText, ...fileNames].join(' '),
    fileNames,
    inline: parts.filter(({ place }) => place === 'inline').length,
  });
}

async function* everyMessage(list: (query: ListQuery) => Promise<Page>, query: Query): AsyncGenerator<Summary> {
  let cursor: string | undefined;
  do {
    const page = await list({ query, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    yield* page.messages;
    cursor = page.next;
  } while (cursor !== undefined);
}

function scopeFeed({ store: { feed }, grant, naming }: ScopeOptions): Feed {
  return {
    latest: () => feed.latest(),
    async since(id, limit) {
      // nothing must mean that there is nothing more, and not that others had the last so many events
      for (let at = id; ; ) {
        const events = await feed.since(at, limit);
        if (events === 'gone' || events.length === 0) return events;
        const seen = events.flatMap((event) => scopeEvent(event, grant, naming) ?? []);
        if (seen.length > 0) return seen;
        at = events.at(-1)!.id;
      }
    },
    subscribe: (listener) =>
      feed.subscribe((event) => {
        const seen = scopeEvent(event, grant, naming);
        if (seen !== undefined) listener(seen);
      }),
  };
}

/** An event as a grant may see it; undefined if it is none of its business. */
export function scopeEvent(event: ChangeEvent, grant: Grant, naming: Naming): ChangeEvent | undefined {
  if (grant.scope === undefined) return event;
  const inboxes = event.inboxes.filter((inbox) => covers(grant, inbox));
  if (inboxes.length === 0) return undefined;
  const { id, type, message, at, summary } = event;
  return { id, type, message, at, inboxes, summary: summary && hideOthers(summary, { grant, naming }) };
}

function hideOthers<T extends Summary>(message: T, { grant, naming }: Pick<ScopeOptions, 'grant' | 'naming'>): T {
  const isTheirs = (address: string): boolean => {
    const path = parseAddress(address);
    return path !== undefined && covers(grant, inboxOf(path, naming).inbox);
  };
  return {
    ...message,
    inboxes: message.inboxes.filter((inbox) => covers(grant, inbox)),
    bcc: message.bcc.filter(({ address }) => isTheirs(address)),
  };
}

function hideEnvelope(message: StoredMessage, grant: Grant): StoredMessage {
  const hide = (envelope: StoredEnvelope): StoredEnvelope => ({
    ...envelope,
    to: envelope.to.filter(({ inbox }) => covers(grant, inbox)),
  });
  const envelope = hide(message.envelope);
  const received = message.received && { ...message.received, envelope: hide(message.received.envelope) };
  const to = [...envelope.to, ...(received?.envelope.to ?? [])];
  const theirs = to.map(({ address }) => `<${address.toLowerCase()}>`);
  // commands that name addresses stay only where the address is one of theirs
  const transcript = message.transcript.map((line) => {
    const names = /^C: *(?:RCPT|VRFY|EXPN)\b/i.test(line);
    return !names || theirs.some((address) => line.toLowerCase().includes(address)) ? line : 'C: (for another inbox)';
  });
  return { ...message, envelope, received, transcript };
}
