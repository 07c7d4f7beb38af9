import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { addPageRoutes } from '../../../src/http/page.ts';
import { findCodes } from '../../../src/mail/codes.ts';
import { findEdits } from '../../../src/mail/edits.ts';
import { htmlToText } from '../../../src/mail/html-text.ts';
import { findLinks } from '../../../src/mail/links.ts';
import { createId } from '../../../src/mail/message.ts';
import { type ParsedMail, parseMessage, summarise } from '../../../src/mail/mime.ts';
import { findText, type PartNode } from '../../../src/mail/mime-tree.ts';
import type {
  Change,
  Edits,
  InboxSummary,
  Info,
  ManyMarks,
  Marks,
  Message,
  Part,
  Structure,
  Summary,
} from '../../../src/web/api/types.ts';

interface Kept {
  summary: Summary;
  readonly raw: Buffer;
  /** What came, where a filter has made `raw` of it. */
  readonly came?: Buffer | undefined;
}

/** What a filter did to a mail. */
interface Filtered {
  readonly came?: string;
  readonly quarantine?: string | null;
}

/**
 * The daemon as the page sees it, in one process and without a store: what `/api` promises and no more, so that a test
 * of the page fails for reasons of the page. Mails are taken apart by the daemon's own code. What it holds survives
 * `stop` and `start`.
 */
export class StandIn {
  kept: Kept[] = []; // newest first
  /** When set, asks for this token. */
  token = '';
  /** What was found out about who sent a mail, whichever it is. */
  verification: Message['verification'] = VERIFIED;
  /** Pages of messages that were asked for. */
  lists = 0;
  #app: FastifyInstance | undefined;
  #port = 0;
  #events: { readonly id: number; readonly change: Change }[] = [];
  #streams = new Set<FastifyReply>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const app = Fastify({ bodyLimit: 64 * 1024 * 1024, forceCloseConnections: true });
    addPageRoutes(app, { version: '0.0.0', hostname: 'localhost', listeners: () => [] });
    app.addHook('onRequest', async (request, reply) => {
      if (this.token === '' || !request.url.startsWith('/api/') || request.url === '/api/session') return;
      if (request.headers.cookie?.includes(`session=${this.token}`)) return;
      return problem(reply, 401, 'Who are you?');
    });
    app.post('/api/session', (request, reply) => {
      if (request.headers.authorization !== `Bearer ${this.token}`) return problem(reply, 401, 'Unknown token');
      return reply
        .header('set-cookie', `session=${this.token}; HttpOnly; SameSite=Strict; Path=/`)
        .send({ name: 'reader' });
    });
    this.#addLists(app);
    this.#addMessages(app);
    app.get<{ Querystring: { since?: string } }>('/api/events', (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.raw.write(': here\n\n');
      for (const event of this.#events) if (event.id > Number(request.query.since ?? 0)) write(reply, event);
      this.#streams.add(reply);
      request.raw.on('close', () => this.#streams.delete(reply));
    });
    await app.listen({ host: '127.0.0.1', port: this.#port });
    this.#port = (app.server.address() as AddressInfo).port;
    this.#app = app;
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.raw.end();
    this.#streams.clear();
    await this.#app?.close();
  }

  /** Takes a mail in; gives its id. */
  async deliver(
    raw: Buffer | string,
    to: readonly string[] = ['victim@in.example'],
    { came, quarantine = null }: Filtered = {},
  ): Promise<string> {
    const bytes = Buffer.from(raw);
    const { text: _, ...seen } = await summarise(bytes);
    const newest = Date.parse(this.kept[0]?.summary.receivedAt ?? '2026-01-01T00:00:00Z');
    const summary: Summary = {
      ...seen,
      id: createId(),
      inboxes: [...to],
      receivedAt: new Date(Math.max(Date.now(), newest + 1)).toISOString(),
      bytes: bytes.length,
      read: false,
      pinned: false,
      tags: [],
      bareNewlines: false,
      quarantine,
    };
    this.kept.unshift({ summary, raw: bytes, came: came === undefined ? undefined : Buffer.from(came) });
    this.#emit('received', summary);
    return summary.id;
  }

  /** Puts in many that look alike, older than all others, without telling anybody. */
  fill(count: number, inbox = 'many@in.example'): void {
    const start = Date.parse('2026-01-01T00:00:00Z');
    for (let at = 0; at < count; at++) {
      const summary: Summary = {
        id: `many${String(count - at).padStart(8, '0')}`,
        inboxes: [inbox],
        from: { name: `Sender ${at % 97}`, address: `s${at % 97}@out.example` },
        to: [{ name: '', address: inbox }],
        cc: [],
        bcc: [],
        replyTo: [],
        subject: `Message number ${at}`,
        messageId: `${at}@out.example`,
        receivedAt: new Date(start - at * 1_000).toISOString(),
        bytes: 2_000,
        attachments: 0,
        snippet: 'One of very many messages that all look alike.',
        read: at % 3 === 0,
        pinned: false,
        tags: [],
        bareNewlines: false,
        quarantine: null,
      };
      this.kept.push({ summary, raw: Buffer.from(`Subject: ${summary.subject}\r\n\r\nText ${at}\r\n`) });
    }
  }

  /** What answers to changes wait for; events do not. */
  answersAfter: Promise<void> | undefined;

  /** Tells that something about a message has changed. */
  touch(id: string): void {
    const one = this.kept.find(({ summary }) => summary.id === id);
    if (one !== undefined) this.#emit('changed', one.summary);
  }

  /** Deletes, as if somebody else had asked for it. */
  remove(ids: readonly string[]): void {
    const wanted = new Set(ids);
    const gone = this.kept.filter(({ summary }) => wanted.has(summary.id));
    this.kept = this.kept.filter(({ summary }) => !wanted.has(summary.id));
    for (const { summary } of gone) this.#emit('deleted', summary);
  }

  #addLists(app: FastifyInstance): void {
    app.get('/api/info', (): Info => {
      const messages = this.kept.length;
      const url = 'smtp://127.0.0.1:1025';
      return {
        version: '0.0.0',
        hostname: 'localhost',
        listeners: [{ protocol: 'smtp', url }],
        messages,
        unread: this.kept.filter(({ summary }) => !summary.read).length,
        inboxes: this.#inboxes().length,
        bytes: 0,
        feed: this.#events.at(-1)?.id ?? 0,
        auth: this.token === '' ? 'none' : 'required',
        rights: ['read', 'delete', 'admin'],
      };
    });
    app.get<{ Querystring: { query?: string } }>('/api/inboxes', (request) => ({
      inboxes: this.#inboxes().filter(({ inbox }) => inbox.includes(request.query.query ?? '')),
      next: null,
    }));
    type Lists = { Params: { inbox?: string }; Querystring: Record<'q' | 'limit' | 'cursor' | 'start', string> };
    for (const path of ['/api/search', '/api/inboxes/:inbox/messages']) {
      app.get<Lists>(path, (request, reply) => {
        const { q = '', limit = '50', cursor, start = '0' } = request.query;
        this.lists++;
        if (/:(\s|$)/.test(q)) return problem(reply, 400, 'a value is missing', q.search(/:(\s|$)/) + 1);
        const { inbox } = request.params;
        const found = this.#find(q).filter(({ summary }) => inbox === undefined || summary.inboxes.includes(inbox));
        // a cursor names the last message of a page, so that those that come later move nothing
        const behind = cursor === undefined ? 0 : found.findIndex(({ summary }) => summary.id === cursor) + 1;
        const from = behind + Number(start);
        const page = found.slice(from, from + Number(limit)).map(({ summary }) => summary);
        return {
          messages: page,
          next: from + page.length < found.length ? (page.at(-1)?.id ?? null) : null,
          ...(cursor === undefined && start === '0' && { matches: found.length }),
        };
      });
    }
    type Many = { Body: { ids?: string[]; query?: string } & ManyMarks };
    const chosen = ({ ids, query }: Many['Body']): Kept[] => {
      const wanted = new Set(ids ?? this.#find(query!).map(({ summary }) => summary.id));
      return this.kept.filter(({ summary }) => wanted.has(summary.id));
    };
    app.post<Many>('/api/messages/change', ({ body }) => {
      const changed: string[] = [];
      for (const one of chosen(body)) {
        const { tags } = one.summary;
        const kept = [...tags, ...(body.addTags ?? [])].filter((tag) => !body.removeTags?.includes(tag as never));
        const { read = one.summary.read, pinned = one.summary.pinned } = body;
        const next = { ...one.summary, read, pinned, tags: [...new Set(kept)].sort() };
        if (JSON.stringify(next) === JSON.stringify(one.summary)) continue;
        one.summary = next;
        changed.push(next.id);
        this.#emit('changed', next);
      }
      return { changed: changed.length, ids: changed };
    });
    app.post<Many>('/api/messages/delete', ({ body }) => {
      const gone = chosen(body);
      this.remove(gone.map(({ summary }) => summary.id));
      return { deleted: gone.length };
    });
  }

  #addMessages(app: FastifyInstance): void {
    type One = { Params: { id: string; part: string }; Body: Marks };
    const find = (id: string): Kept | undefined => this.kept.find(({ summary }) => summary.id === id);
    app.get<One>('/api/messages/:id', async ({ params: { id } }, reply) => {
      const one = find(id);
      return one === undefined
        ? problem(reply, 404, 'No such message')
        : { ...toMessage(one, await parseMessage(one.raw), this.verification), edits: await editsOf(one) };
    });
    app.patch<One>('/api/messages/:id', async ({ params: { id }, body }, reply) => {
      const one = find(id);
      if (one === undefined) return problem(reply, 404, 'No such message');
      const changed = { ...one.summary, ...body };
      one.summary = changed;
      this.#emit('changed', changed);
      await this.answersAfter;
      return changed;
    });
    for (const form of ['raw', 'eml']) {
      app.get<One>(`/api/messages/:id/${form}`, ({ params: { id }, query }, reply) => {
        const { form: wanted = form === 'raw' ? 'received' : 'edited' } = query as { form?: string };
        const one = find(id);
        return reply
          .type(form === 'raw' ? 'text/plain' : 'message/rfc822')
          .send(wanted === 'received' ? (one?.came ?? one?.raw) : one?.raw);
      });
    }
    app.get<One>('/api/messages/:id/parts/:part', async ({ params: { id, part } }, reply) => {
      const parsed = await parseMessage(find(id)!.raw);
      const found = parsed.parts.find(({ partId }) => partId === part);
      const place = findText(parsed.structure, part)?.text;
      if (place !== undefined) return reply.type('text/plain').send(parsed[place.of].slice(place.from, place.to));
      return reply
        .headers({ 'x-content-type-options': 'nosniff', 'content-security-policy': "sandbox; default-src 'none'" })
        .type(found?.contentType ?? 'application/octet-stream')
        .send(found?.content);
    });
  }

  #inboxes(): InboxSummary[] {
    const found = new Map<string, InboxSummary>();
    for (const { summary } of this.kept) {
      for (const inbox of summary.inboxes) {
        const known = found.get(inbox) ?? { inbox, messages: 0, unread: 0, bytes: 0, newest: summary.receivedAt };
        found.set(inbox, { ...known, messages: known.messages + 1, unread: known.unread + (summary.read ? 0 : 1) });
      }
    }
    return [...found.values()];
  }

  /** Words that must all occur, and what the page itself asks for. */
  #find(q: string): Kept[] {
    const terms = q.toLowerCase().match(/\w+:"[^"]*"|[^\s()]+/g) ?? [];
    return this.kept.filter(({ summary, raw }) =>
      terms.every((term) => {
        if (term === 'is:unread') return !summary.read;
        if (term === 'is:pinned') return summary.pinned;
        if (term === 'is:quarantined') return summary.quarantine !== null;
        if (term.startsWith('inbox:')) return summary.inboxes.includes(term.slice(6).replaceAll('"', ''));
        if (term.startsWith('before:')) return summary.receivedAt.toLowerCase() < term.slice(7);
        return raw.toString().toLowerCase().includes(term);
      }),
    );
  }

  #emit(type: Change['type'], summary: Summary): void {
    const { id, inboxes } = summary;
    const message = type === 'deleted' ? {} : { message: summary };
    const event = {
      id: this.#events.length + 1,
      change: { type, id, inboxes, at: new Date().toISOString(), ...message },
    };
    this.#events.push(event);
    for (const stream of this.#streams) write(stream, event);
  }
}

function write(
  stream: FastifyReply,
  { id, change: { type, ...data } }: { readonly id: number; readonly change: Change },
): void {
  stream.raw.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}

function problem(reply: FastifyReply, status: number, detail: string, at?: number): FastifyReply {
  return reply.code(status).type('application/problem+json').send({ title: 'No', status, detail, at });
}

const VERIFIED: Message['verification'] = {
  status: 'done',
  reason: '',
  spf: { result: 'pass', domain: 'out.example', reason: '', identity: 'mailfrom' },
  dkim: [{ result: 'pass', domain: 'out.example', reason: '', selector: 's1', algorithm: 'rsa-sha256' }],
  dmarc: { result: 'pass', domain: 'out.example', reason: '', policy: 'reject' },
  arc: null,
};

function toStructure({ partId: part, place: disposition, text: _, children, ...facts }: PartNode): Structure {
  return { part, disposition, ...facts, children: children.map(toStructure) };
}

async function editsOf({ raw, came, summary: { inboxes } }: Kept): Promise<Edits | null> {
  const to = inboxes.map((inbox) => ({ address: inbox, inbox, tag: '', params: {} }));
  const envelope = { from: 'sender@out.example', fromParams: {}, to };
  const received = came === undefined ? null : { envelope, bytes: came.length };
  return findEdits({ envelope, received, bytes: raw.length }, async (form) => ({
    async *stream() {
      yield form === 'received' ? (came ?? raw) : raw;
    },
  }));
}

function toMessage(
  { summary }: Kept,
  parsed: ParsedMail,
  verification: Message['verification'],
): Omit<Message, 'edits'> {
  const { subject, text, html, listUnsubscribe, parts } = parsed;
  const of = (place: string): Part[] =>
    parts
      .filter((part) => part.place === place)
      .map(({ content: _, partId, place: disposition, ...part }) => ({ ...part, part: partId, disposition }));
  return {
    ...summary,
    date: parsed.date?.toISOString() ?? null,
    text: text === '' ? htmlToText(html) : text,
    html: html === '' ? null : html,
    headers: parsed.headers,
    attachments: of('attachment'),
    inline: of('inline'),
    structure: toStructure(parsed.structure),
    envelope: {
      from: 'sender@out.example',
      fromParams: { SIZE: String(summary.bytes) },
      to: summary.inboxes.map((inbox) => ({ address: inbox, inbox, tag: '', params: {} })),
    },
    client: {
      address: '127.0.0.1',
      port: 40_000,
      hello: 'client.example',
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'mx.in.example' },
      login: { mechanism: 'PLAIN', user: 'ada' },
    },
    protocol: 'ESMTPSA',
    session: 'session',
    verification,
    transcript: ['S: 220 localhost ESMTP', 'C: EHLO client.example', 'S: 250 localhost'],
    codes: findCodes({ subject, text, html }),
    links: findLinks({ text, html, listUnsubscribe }),
  };
}
