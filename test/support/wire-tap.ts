/**
 * A TCP relay in front of the daemon that remembers what went by, so that a test can say "these bytes, exactly"
 * of any client, whatever that client adds to a message before it sends it.
 *
 * What a client sent as content is read off here by other means than the daemon's own: the whole recording at once,
 * split at the first lone dot, unstuffed by a regular expression over latin1 text.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';

export interface Tapped {
  readonly from: 'client' | 'server';
  readonly bytes: Buffer;
}

export class WireTap {
  /** One recording per connection, in the order they were opened. */
  readonly sessions: Tapped[][] = [];
  readonly #server: Server;

  static async open(target: number): Promise<WireTap> {
    const tap = new WireTap(target);
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    return tap;
  }

  private constructor(target: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const session: Tapped[] = [];
      this.sessions.push(session);
      const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
      client.on('data', (bytes: Buffer) => session.push({ from: 'client', bytes }));
      server.on('data', (bytes: Buffer) => session.push({ from: 'server', bytes }));
      client.pipe(server);
      server.pipe(client);
      client.on('error', () => server.destroy());
      server.on('error', () => client.destroy());
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All that the clients sent. */
  said(): string {
    return this.#side('client');
  }

  /** All that the daemon answered. */
  heard(): string {
    return this.#side('server');
  }

  #side(from: Tapped['from']): string {
    const parts = this.sessions.flat().filter((part) => part.from === from);
    return Buffer.concat(parts.map((part) => part.bytes)).toString('latin1');
  }

  /** The contents that went through DATA, unstuffed, in order. */
  contents(): Buffer[] {
    return this.sessions.flatMap(contentsOf);
  }

  /** The ids that the daemon named in its final replies, in order. */
  ids(): string[] {
    return [...this.heard().matchAll(/^250 2\.0\.0 OK queued as ([0-9a-z]+)\r$/gm)].map((match) => match[1]!);
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function contentsOf(session: readonly Tapped[]): Buffer[] {
  const contents: Buffer[] = [];
  let taking = false;
  let text = '';
  for (const { from, bytes } of session) {
    if (from === 'server') {
      if (/^354 /m.test(bytes.toString('latin1'))) taking = true;
      continue;
    }
    if (!taking) continue;
    text += bytes.toString('latin1');
    const end = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2;
    if (end === 1) continue;
    contents.push(Buffer.from(text.slice(0, end).replace(/(^|\r\n)\./g, '$1'), 'latin1'));
    taking = false;
    text = '';
  }
  return contents;
}
