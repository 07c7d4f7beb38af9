import type { WebSocket } from 'ws';
import type { ChangeEvent } from '../../mail/feed.ts';
import { snippetOf } from '../../mail/plain-mail.ts';
import type { Refusal } from '../../mail/report.ts';
import type { Summary } from '../../mail/store.ts';
import type { Context } from '../context.ts';
import { toSummary } from './mailpit-shapes.ts';

/**
 * Tells clients that hold a WebSocket what happens in the store, in Mailpit's frames.
 *
 * The store's feed is followed only while somebody listens. Deletions are gathered for a moment, since many at once are
 * one frame; so are figures, which would otherwise be asked for with every message of a burst.
 */
export const HUB_LIMITS = Object.freeze({
  clients: 1_000,
  /** What a client may leave unread before it is dropped. */
  unreadBytes: 1024 * 1024,
  pingMs: 54_000,
  statsMs: 250,
  deletesMs: 100,
  /** One refusal is told in this time. */
  refusalMs: 100,
  /** Deletions that are told one by one; more are one frame. */
  deletes: 200,
  /** Messages that wait to be told while one of them is still taken apart for its snippet. */
  waiting: 50,
  /** How long ids are remembered that a truncate has told of already. */
  truncatedMs: 10_000,
  /** Messages whose state is remembered, to tell what of it has changed. */
  known: 10_000,
});

type Later = 'stats' | 'deletes' | 'truncated' | 'refusals';

interface Client {
  readonly socket: WebSocket;
  /** False once whoever it is may listen no more. */
  readonly isGood: () => boolean;
  answersPings: boolean;
}

export class MailpitHub {
  readonly #context: Context;
  readonly #onEmpty: () => void;
  readonly #clients = new Set<Client>();
  readonly #known = new Map<string, { readonly read: boolean; readonly tags: string }>(); // oldest first
  readonly #deleted = new Set<string>();
  readonly #truncated = new Set<string>();
  readonly #timers = new Map<Later, NodeJS.Timeout>();
  #truncating = 0;
  #telling: Promise<void> = Promise.resolve();
  #waiting = 0;
  #pings: NodeJS.Timeout | undefined;
  #leaveFeed: (() => void) | undefined;
  #leaveRefusals: (() => void) | undefined;

  /** @param onEmpty told when the last client has gone */
  constructor(context: Context, onEmpty: () => void = () => {}) {
    this.#context = context;
    this.#onEmpty = onEmpty;
  }

  /** How many clients it has. */
  get size(): number {
    return this.#clients.size;
  }

  add(socket: WebSocket, isGood: () => boolean): void {
    const client: Client = { socket, isGood, answersPings: true };
    this.#clients.add(client);
    this.#leaveFeed ??= this.#context.store.feed.subscribe((event) => this.#receive(event));
    this.#leaveRefusals ??= this.#context.refusals((refusal) => this.#tellRefusal(refusal));
    this.#pings ??= setInterval(() => this.#ping(), HUB_LIMITS.pingMs).unref();
    socket.on('pong', () => {
      client.answersPings = true;
    });
    socket.on('error', () => socket.terminate()); // broken frames and resets: there is nobody to tell
    socket.on('close', () => this.#remove(client));
    this.#later('stats', 0, () => this.#tellStats());
  }

  /** Does what deletes all messages; clients are told of it in one frame. */
  async truncate(remove: () => Promise<readonly string[]>): Promise<void> {
    this.#truncating++;
    try {
      const ids = await remove();
      if (this.#clients.size === 0) return;
      for (const id of ids) this.#truncated.add(id);
      this.#later('truncated', HUB_LIMITS.truncatedMs, () => this.#truncated.clear());
      this.#broadcast('truncate', null);
      this.#statsSoon();
    } finally {
      this.#truncating--;
    }
  }

  /** Tells clients that so much has changed that they do better to ask for everything again. */
  prune(): void {
    this.#broadcast('prune', null);
  }

  /** Lets all clients go. */
  close(): void {
    for (const client of [...this.#clients]) {
      client.socket.terminate();
      this.#remove(client);
    }
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#leaveFeed?.();
    this.#leaveFeed = undefined;
    this.#leaveRefusals?.();
    this.#leaveRefusals = undefined;
    clearInterval(this.#pings);
    this.#pings = undefined;
    this.#known.clear();
    this.#onEmpty();
  }

  #ping(): void {
    for (const client of this.#clients) {
      if (!client.answersPings) client.socket.terminate();
      else if (!client.isGood()) client.socket.close(1008, 'credentials no longer hold');
      else {
        client.answersPings = false;
        client.socket.ping();
      }
    }
  }

  /** Takes an event; frames go out in the order of events, though some of them need to read first. */
  #receive(event: ChangeEvent): void {
    this.#waiting++;
    this.#telling = this.#telling
      .then(() => this.#tell(event))
      .catch((error: unknown) => this.#context.report({ type: 'crash', where: 'http', error }))
      .finally(() => {
        this.#waiting--;
      });
  }

  async #tell(event: ChangeEvent): Promise<void> {
    if (this.#clients.size === 0) return;
    if (event.type === 'deleted') {
      this.#deleted.add(event.message);
      this.#later('deletes', HUB_LIMITS.deletesMs, () => this.#tellDeleted());
    } else if (event.summary !== undefined) {
      if (event.type === 'received') await this.#tellNew(event.summary);
      else this.#tellChanged(event.summary);
    }
    this.#statsSoon();
  }

  async #tellNew(summary: Summary): Promise<void> {
    this.#know(summary);
    const { id: ID, tags: Tags } = summary;
    if (Tags.length > 0) this.#broadcast('update', { ID, Tags }); // in front, as there
    this.#broadcast('new', toSummary(await this.#complete(summary)));
  }

  /** Adds what the store has not read yet of a message that has just come, unless too many have. */
  async #complete(summary: Summary): Promise<Summary> {
    if (summary.snippet !== '' || this.#waiting > HUB_LIMITS.waiting) return summary;
    const parsed = await this.#context.reader.parsed(summary.id);
    if (parsed === undefined) return summary;
    const attachments = parsed.parts.filter(({ place }) => place === 'attachment').length;
    return { ...summary, attachments, snippet: snippetOf(parsed.htmlText || parsed.text) };
  }

  #tellChanged(summary: Summary): void {
    const before = this.#known.get(summary.id);
    this.#know(summary);
    const { id: ID, read: Read, tags: Tags } = summary;
    if (before === undefined || before.read !== Read) this.#broadcast('update', { ID, Read });
    if (before === undefined || before.tags !== JSON.stringify(Tags)) this.#broadcast('update', { ID, Tags });
  }

  #know({ id, read, tags }: Summary): void {
    this.#known.delete(id);
    this.#known.set(id, { read, tags: JSON.stringify(tags) });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= HUB_LIMITS.known) break;
      this.#known.delete(oldest);
    }
  }

  async #tellDeleted(): Promise<void> {
    if (this.#truncating > 0) {
      this.#later('deletes', HUB_LIMITS.deletesMs, () => this.#tellDeleted());
      return;
    }
    const ids = [...this.#deleted].filter((id) => !this.#truncated.has(id));
    this.#deleted.clear();
    if (ids.length > HUB_LIMITS.deletes) this.#broadcast('prune', null);
    else {
      for (const id of ids) {
        // a message that was taken out of one inbox may lie in another
        if ((await this.#context.store.get(id)) !== undefined) continue;
        this.#known.delete(id);
        this.#broadcast('delete', { ID: id });
      }
    }
  }

  /** Frames of a flood would say nothing more than its first do. */
  #tellRefusal({ protocol, address, text }: Refusal): void {
    if (this.#timers.has('refusals')) return;
    this.#later('refusals', HUB_LIMITS.refusalMs, () => {});
    const type = protocol === 'POP3' ? 'pop3' : 'smtpd';
    this.#broadcast('error', { Level: 'error', Type: type, IP: address, Message: text });
  }

  #statsSoon(): void {
    this.#later('stats', HUB_LIMITS.statsMs, () => this.#tellStats());
  }

  async #tellStats(): Promise<void> {
    const { messages, unread } = await this.#context.store.stats();
    this.#broadcast('stats', { Total: messages, Unread: unread, Version: this.#context.version });
  }

  /** Does something in a moment, once, however often it is asked for until then. */
  #later(name: Later, milliseconds: number, act: () => void | Promise<void>): void {
    if (this.#timers.has(name)) return;
    const run = async (): Promise<void> => {
      this.#timers.delete(name);
      try {
        await act();
      } catch (error) {
        this.#context.report({ type: 'crash', where: 'http', error });
      }
    };
    this.#timers.set(name, setTimeout(run, milliseconds).unref());
  }

  #broadcast(type: string, data: unknown): void {
    const frame = JSON.stringify({ Type: type, Data: data });
    for (const { socket } of this.#clients) {
      if (socket.bufferedAmount > HUB_LIMITS.unreadBytes) socket.terminate();
      else socket.send(frame);
    }
  }
}
