/** A client of the directory and an endpoint that it can tell of, with frames read in their own way. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const PATIENCE_MS = 15_000;

/** A frame as text: its header, and its payload behind a line feed if it has one. */
export type FrameText = string;

/** Frames as they come over a socket. */
class Frames {
  #bytes = Buffer.alloc(0);
  #isOver = false;
  #wake = (): void => {};

  constructor(socket: Socket) {
    socket.on('data', (view) => {
      this.#bytes = Buffer.concat([this.#bytes, view]);
      this.#wake();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The next frame; undefined if the other end hung up instead. */
  async next(): Promise<FrameText | undefined> {
    for (const limit = performance.now() + PATIENCE_MS; ; ) {
      const end = this.#bytes.indexOf('\n');
      const header = this.#bytes.toString('utf8', 0, Math.max(0, end));
      const length = Number(header.split(' ')[1]);
      if (end >= 0 && this.#bytes.length > end + length) {
        const payload = this.#bytes.toString('utf8', end + 1, end + 1 + length);
        this.#bytes = this.#bytes.subarray(end + 1 + length);
        return payload === '' ? header : `${header}\n${payload}`;
      }
      if (this.#isOver) return undefined;
      if (performance.now() > limit) throw new Error(`waited in vain for a frame; heard ${this.#bytes}`);
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

/** A session with a directory. */
export class EurechatClient {
  readonly #socket: Socket;
  readonly #frames: Frames;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#frames = new Frames(socket);
  }

  /** @param url of the listener */
  static async open(url: string): Promise<EurechatClient> {
    const { protocol, hostname: host, port } = new URL(url.replace('0.0.0.0', '127.0.0.1'));
    const at = { host, port: Number(port) };
    const isSecure = protocol === 'eurechats:';
    const socket = isSecure ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return new EurechatClient(socket);
  }

  /** Logs in; throws if that is refused. */
  static async logIn(url: string, user: string, secret = 'any'): Promise<EurechatClient> {
    const client = await EurechatClient.open(url);
    const answers = [await client.ask(`USER 0 ${user}`), await client.ask(`PASS 0 ${secret}`)];
    if (!answers.every((answer) => answer?.startsWith('ACK '))) throw new Error(`login refused: ${answers.join(', ')}`);
    return client;
  }

  /** Sends a frame without payload and waits for the answer; undefined if there is none. */
  async ask(header: string): Promise<FrameText | undefined> {
    this.#socket.write(`${header}\n`);
    return this.#frames.next();
  }

  /** What comes unasked. */
  hear(): Promise<FrameText | undefined> {
    return this.#frames.next();
  }

  /** Sends octets as they are. */
  send(octets: string): void {
    this.#socket.write(octets);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** How an endpoint takes a PING: with a PONG, with none, with something else, or by hanging up. */
export type Manner = 'answers' | 'hangs' | 'errs' | 'hangs up';

/** Somebody who listens for notices, one frame a connection. */
export class TestEndpoint implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Frames that were heard. */
  readonly heard: FrameText[] = [];
  /** Connections that were taken. */
  calls = 0;
  manner: Manner;

  private constructor(manner: Manner) {
    this.manner = manner;
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  static async listen(manner: Manner = 'answers', host = '127.0.0.1'): Promise<TestEndpoint> {
    const endpoint = new TestEndpoint(manner);
    endpoint.#server.listen(0, host);
    await once(endpoint.#server, 'listening');
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Frames that are no PING. */
  get messages(): FrameText[] {
    return this.heard.filter((frame) => frame !== 'PING 0');
  }

  async #serve(socket: Socket): Promise<void> {
    this.calls++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const frame = await new Frames(socket).next();
    if (frame === undefined) return;
    this.heard.push(frame);
    if (frame !== 'PING 0') socket.end();
    else if (this.manner === 'answers') socket.end('PONG 0\n');
    else if (this.manner === 'errs') socket.end('ERR 2\nno');
    else if (this.manner === 'hangs up') socket.destroy();
  }

  /** Is there no more. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
