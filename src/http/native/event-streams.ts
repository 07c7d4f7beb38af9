import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { EventMatcher } from '../../mail/event-matcher.ts';
import type { ChangeEvent } from '../../mail/feed.ts';
import type { Query } from '../../mail/query.ts';
import { toSummary } from '../../mail/shapes.ts';
import type { Grant } from '../auth/grant.ts';
import { scopeEvent } from '../auth/scoped-store.ts';
import type { Context } from '../context.ts';
import { escapeMarkup } from '../replies.ts';
import { storeFor } from '../store-for.ts';

/** What of the feed a stream carries. */
export interface StreamFilter {
  readonly inbox?: string;
  readonly query: Query;
  readonly grant: Grant;
}

/** Events read from the feed at a time while a stream catches up. */
const PAGE = 200;

/**
 * The streams of live events. One listener on the feed serves them all, while there are any. A stream first catches up with what came after
 * the event that its client had last, then is told of each event as it comes; nothing falls between the two. A client
 * that reads slower than events come is cut off at a bound of unread octets, and goes on behind its last event when it
 * comes back.
 */
export class EventStreams {
  readonly #context: Context;
  readonly #matcher: EventMatcher;
  readonly #open = new Set<EventStream>();
  /** Set while there are streams: a feed without listeners costs its writers nothing. */
  #leaveFeed: (() => void) | undefined;
  readonly #heart: NodeJS.Timeout;

  constructor(context: Context) {
    this.#context = context;
    this.#matcher = new EventMatcher();
    this.#heart = setInterval(() => this.#beat(), context.limits.heartbeatMs).unref();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Turns a reply into a stream that starts behind an event, or with the next one; false if there are too many. */
  open(reply: FastifyReply, filter: StreamFilter, from: number | undefined): boolean {
    if (this.#open.size >= this.#context.limits.streams) return false;
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // proxies of that kind would hold events back
    });
    const stream = new EventStream(raw, filter, this.#context, this.#matcher);
    this.#open.add(stream);
    this.#leaveFeed ??= this.#context.store.feed.subscribe((event) => {
      this.#context.reader.expect();
      for (const one of this.#open) one.offer(event);
    });
    raw.once('close', () => {
      stream.end();
      this.#open.delete(stream);
      if (this.#open.size === 0) this.#stopFollowing();
    });
    stream.start(from);
    this.#context.reader.expect();
    return true;
  }

  /** Ends all streams; their clients come back by themselves. */
  close(): void {
    clearInterval(this.#heart);
    this.#stopFollowing();
    for (const stream of this.#open) stream.end();
  }

  #stopFollowing(): void {
    this.#leaveFeed?.();
    this.#leaveFeed = undefined;
  }

  #beat(): void {
    for (const stream of this.#open) stream.beat();
  }
}

class EventStream {
  readonly #raw: ServerResponse;
  readonly #filter: StreamFilter;
  readonly #context: Context;
  readonly #matcher: EventMatcher;
  /** Last event that was dealt with. */
  #at = 0;
  #isLive = false;
  #isCatchingUp = false;
  #isEnded = false;

  constructor(raw: ServerResponse, filter: StreamFilter, context: Context, matcher: EventMatcher) {
    this.#raw = raw;
    this.#filter = filter;
    this.#context = context;
    this.#matcher = matcher;
  }

  start(from: number | undefined): void {
    const latest = this.#context.store.feed.latest();
    // an id of another store, or of the future, is one that nothing is known behind
    const isKnown = from !== undefined && from <= latest;
    this.#at = isKnown ? from : latest;
    this.#raw.write(`retry: ${this.#context.limits.retryMs}\n`);
    if (from !== undefined && !isKnown) this.#reset();
    else this.#write(`id: ${this.#at}\n\n`); // so that a client that loses the line before any event can go on from here
    this.#catchUp();
  }

  /** Is told of an event after its commit. */
  offer(event: ChangeEvent): void {
    if (this.#isEnded || event.id <= this.#at) return;
    if (!this.#isLive) return; // it will be read from the feed
    const fits = this.#fits(event);
    if (typeof fits === 'boolean') this.#deliver(event, fits);
    else this.#catchUp(); // the answer takes a while, and what comes meanwhile has to wait its turn
  }

  beat(): void {
    if (this.#isEnded) return;
    if (!this.#context.access.isGood(this.#filter.grant)) this.end();
    else this.#write(':\n\n');
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#raw.end();
  }

  #catchUp(): void {
    this.#isLive = false;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    this.#readFeed().catch((error: unknown) => {
      // the client comes back, and finds the feed well again or is told
      this.#context.report({ type: 'crash', where: 'http events', error });
      this.#raw.destroy();
    });
  }

  async #readFeed(): Promise<void> {
    const { feed } = this.#context.store;
    while (!this.#isEnded) {
      const events = await feed.since(this.#at, PAGE);
      if (events === 'gone') {
        this.#at = feed.latest();
        this.#reset();
        continue;
      }
      for (const event of events) {
        const fits = await this.#fits(event);
        if (this.#isEnded) return;
        this.#deliver(event, fits);
        if (!(await this.#drained())) return;
      }
      // nothing can have come since `latest` was read: both happen in one turn
      if (this.#at >= feed.latest()) {
        this.#isLive = true;
        this.#isCatchingUp = false;
        return;
      }
    }
  }

  #fits(event: ChangeEvent): boolean | Promise<boolean> {
    const { inbox, grant, query } = this.#filter;
    const seen = scopeEvent(event, grant, this.#context.naming);
    if (seen === undefined || (inbox !== undefined && !seen.inboxes.includes(inbox))) return false;
    return event.type === 'deleted' || this.#matcher.fits(seen, query, inbox, storeFor({ grant }, this.#context));
  }

  #deliver(event: ChangeEvent, fits: boolean): void {
    this.#at = event.id;
    if (!fits) return;
    const { grant } = this.#filter;
    if (!this.#context.access.isGood(grant)) {
      this.end();
      return;
    }
    this.#write(
      grant.scope === undefined ? blockOf(event) : textOf(scopeEvent(event, grant, this.#context.naming) ?? event),
    );
  }

  #reset(): void {
    this.#write(`event: reset\nid: ${this.#at}\ndata: {}\n\n`);
  }

  #write(text: string): void {
    if (this.#isEnded) return;
    this.#raw.write(text);
    if (this.#raw.writableLength > this.#context.limits.unreadEventBytes) this.#raw.destroy();
  }

  /** While catching up the client sets the pace; false if the line is lost. */
  async #drained(): Promise<boolean> {
    if (!this.#raw.writableNeedDrain) return !this.#raw.destroyed;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#raw.destroy(), this.#context.limits.drainMs);
    this.#raw.once('drain', resolve).once('close', resolve);
    await promise;
    clearTimeout(timer);
    this.#raw.off('drain', resolve).off('close', resolve);
    return !this.#raw.destroyed;
  }
}

/** Text of events that many streams send alike. */
const blocks = new WeakMap<ChangeEvent, string>();

function blockOf(event: ChangeEvent): string {
  let block = blocks.get(event);
  if (block === undefined) {
    block = textOf(event);
    blocks.set(event, block);
  }
  return block;
}

function textOf({ id, type, message, inboxes, at, summary }: ChangeEvent): string {
  const data = { id: message, inboxes, at: at.toISOString(), ...(summary && { message: toSummary(summary) }) };
  return `event: ${type}\nid: ${id}\ndata: ${escapeMarkup(JSON.stringify(data))}\n\n`;
}
