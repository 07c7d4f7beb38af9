import { randomBytes } from 'node:crypto';
import { createDaemon, type Daemon } from '../daemon.ts';
import type { StoredMessage } from '../mail/store.ts';
import { Arrivals } from './arrivals.ts';
import { openMessage, type TestMessage } from './message.ts';
import { describeMessage, describeWanted, judgeOf, type Wanted } from './wanted.ts';

/** Below the 5 s that Vitest gives a whole test: so it is our error that one gets to see. */
const WAIT_MS = 4_000;
/** Messages that an error lists. */
const LISTED = 20;
const LABEL_CHARACTERS = 32;

export interface InboxOptions {
  /** Where SMTP listens; 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** Behind the `@` of new addresses; `inbox.test`. Mail for any other domain is taken too. */
  readonly domain?: string;
  /** How many milliseconds `wait` waits when it is not told; 4000. */
  readonly timeout?: number;
}

/** Mail as a test suite needs it. */
export interface TestInbox extends AsyncDisposable {
  /** An address that nobody else has; for more of them see `newAddress`. */
  readonly address: string;
  /** What the program under test has to be told. No login, no TLS. */
  readonly smtp: { readonly host: string; readonly port: number };
  /** Makes up an address that was never used, such as `sign-up-3f9c02a17be4@inbox.test`. */
  newAddress(label?: string): string;
  /**
   * Waits for a message. The oldest that fits and that no `wait` has given out before, whether it is there already or
   * yet to come: to wait twice means two messages.
   * @throws Error after `timeout` milliseconds; it says what did come
   */
  wait(wanted?: Wanted & { readonly timeout?: number }): Promise<TestMessage>;
  /** All messages that have come, the oldest first, or those that fit; `wait` takes nothing out of these. */
  messages(wanted?: Wanted): Promise<TestMessage[]>;
  /** Forgets all messages. */
  clear(): Promise<void>;
  /** Ends the daemon, and all waiting. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a daemon in this process that takes mail for any address and keeps it in memory until `stop`.
 * `await using inbox = await startInbox()` stops it by itself.
 */
export async function startInbox(options: InboxOptions = {}): Promise<TestInbox> {
  const { host = '127.0.0.1', port = 0, domain = 'inbox.test', timeout = WAIT_MS } = options;
  const listen = `smtp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const daemon = await createDaemon({ listen, data: ':memory:', keepPerInbox: 0, tls: 'off' });
  return new DaemonInbox(daemon, domain, timeout);
}

class DaemonInbox implements TestInbox {
  readonly address: string;
  readonly smtp: TestInbox['smtp'];
  readonly #daemon: Daemon;
  readonly #domain: string;
  readonly #waitMs: number;
  readonly #arrivals: Arrivals;

  constructor(daemon: Daemon, domain: string, waitMs: number) {
    this.#daemon = daemon;
    this.#domain = domain;
    this.#waitMs = waitMs;
    this.#arrivals = new Arrivals(daemon.store);
    const { hostname, port } = new URL(daemon.listeners[0]!.url.replace(/^smtp:/, 'http:'));
    this.smtp = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    this.address = this.newAddress();
  }

  newAddress(label = 'inbox'): string {
    const words = label.toLowerCase().match(/[a-z0-9]+/g) ?? ['inbox'];
    const name = words.join('-').slice(0, LABEL_CHARACTERS).replace(/-$/, '');
    return `${name}-${randomBytes(6).toString('hex')}@${this.#domain}`;
  }

  async wait({ timeout = this.#waitMs, ...wanted }: Wanted & { readonly timeout?: number } = {}): Promise<TestMessage> {
    // taken now, since at the end of the wait no line of the test is on the stack
    const place: { stack?: string } = {};
    Error.captureStackTrace(place, this.wait);
    const next = this.#arrivals.next(judgeOf(wanted));
    const late = new Error();
    const timer = setTimeout(() => next.leave(late), timeout);
    try {
      const stored = await next.message;
      return await this.#open(stored);
    } catch (error) {
      if (error !== late) throw error;
      throw withPlace(await this.#describeLate(wanted, timeout), place);
    } finally {
      clearTimeout(timer);
    }
  }

  async messages(wanted: Wanted = {}): Promise<TestMessage[]> {
    const there = (await this.#stored()).filter(judgeOf(wanted));
    return Promise.all(there.map((stored) => this.#open(stored)));
  }

  async clear(): Promise<void> {
    const removed = await this.#daemon.store.remove({ all: true });
    await this.#arrivals.forget(removed);
  }

  async stop(): Promise<void> {
    this.#arrivals.close(new Error('The inbox was stopped'));
    await this.#daemon.stop({ graceMs: 0 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #open(stored: StoredMessage): Promise<TestMessage> {
    const { store } = this.#daemon;
    const [sent, shown] = await Promise.all([store.content(stored.id), store.content(stored.id, 'edited')]);
    if (!sent || !shown) throw new Error('The mail was cleared while it was read');
    return openMessage(stored, { sent: sent.stream(), shown: shown.stream() });
  }

  /** Everything that is kept, the oldest first. */
  async #stored(): Promise<StoredMessage[]> {
    const { store } = this.#daemon;
    const { messages } = await store.list({});
    const stored = await Promise.all(messages.toReversed().map(({ id }) => store.get(id)));
    return stored.filter((message) => message !== undefined);
  }

  async #describeLate(wanted: Wanted, timeoutMs: number): Promise<string> {
    const stored = await this.#stored();
    const head = `No ${describeWanted(wanted)} within ${timeoutMs} ms.`;
    if (stored.length === 0) return `${head} No mail at all has come to ${this.smtp.host}:${this.smtp.port}.`;
    const lines = stored
      .slice(-LISTED)
      .map((message) => `  ${describeMessage(message)}${this.#arrivals.has(message.id) ? '' : ' (given out before)'}`);
    const more = stored.length > LISTED ? `, the last ${LISTED} of ${stored.length}` : '';
    return `${head} What has come${more}:\n${lines.join('\n')}`;
  }
}

/** An error that points at the line of the test. */
function withPlace(message: string, { stack = '' }: { readonly stack?: string }): Error {
  const error = new Error(message);
  const frames = stack.split('\n').slice(1).join('\n');
  error.stack = `Error: ${message}\n${frames}`;
  return error;
}
