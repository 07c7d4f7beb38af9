import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

const PATIENCE_MS = 15_000;

/** A client that says octets, not commands, in clear text and then perhaps encrypted. */
export class WireClient {
  #socket: Socket;
  #text = '';
  #wake: (() => void) | undefined;
  #isClosed = false;
  #hasEnded = false;
  #tickets: readonly Buffer[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** @param where a port of this machine, or the path of a UNIX socket */
  static async open(where: number | string): Promise<WireClient> {
    const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
    await once(socket, 'connect');
    socket.setNoDelay(true);
    return new WireClient(socket);
  }

  /** Encrypted from the first octet. */
  static async openSecure(port: number, options: ConnectionOptions = {}): Promise<WireClient> {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    const tickets: Buffer[] = [];
    socket.on('session', (ticket) => tickets.push(ticket));
    await once(socket, 'secureConnect');
    const client = new WireClient(socket);
    client.#tickets = tickets;
    return client;
  }

  get tls(): TLSSocket {
    return this.#socket as TLSSocket;
  }

  /** A session to come back with, once one was given. */
  async ticket(): Promise<Buffer> {
    await this.#until(() => this.#tickets.length > 0, 'a session ticket');
    return this.#tickets[0]!;
  }

  send(octets: string | Buffer): void {
    this.#socket.write(octets);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Shakes hands on the same connection. What came in clear text and was not heard yet is dropped. */
  async upgrade(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const clear = this.#socket;
    clear.removeAllListeners('data').removeAllListeners('end');
    const socket = connectTls({ socket: clear, rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    this.#text = '';
    this.#socket = socket;
    this.#listen(socket);
    return socket;
  }

  /** Waits until all of the pattern was heard; gives it, and what was heard before it is forgotten. */
  async hear(pattern: RegExp): Promise<string> {
    await this.#until(() => pattern.test(this.#text) || this.#isClosed, String(pattern));
    const match = pattern.exec(this.#text);
    if (!match) throw new Error(`closed before ${pattern}; heard ${JSON.stringify(this.#text.slice(-500))}`);
    this.#text = this.#text.slice(match.index + match[0].length);
    return match[0];
  }

  /** Sends a command and waits for the last line of its reply. */
  async ask(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return this.hear(/^(?:\d{3}-[^\r]*\r\n)*\d{3} [^\r]*\r\n/);
  }

  /** Waits until the other end has hung up; gives all that was heard. */
  async closed(): Promise<string> {
    await this.#until(() => this.#isClosed, 'the end');
    return this.#text;
  }

  /** Waits until the other end says that nothing more comes. */
  async ended(): Promise<string> {
    await this.#until(() => this.#hasEnded || this.#isClosed, 'the end of what is said');
    return this.#text;
  }

  #listen(socket: Socket): void {
    socket.on('data', (view: Buffer) => {
      this.#text += view.toString('latin1');
      this.#wake?.();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  async #until(test: () => boolean, what: string): Promise<void> {
    const limit = performance.now() + PATIENCE_MS;
    while (!test()) {
      if (performance.now() > limit) throw new Error(`waited in vain for ${what}; heard ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed before ${event}`)));
  });
}
