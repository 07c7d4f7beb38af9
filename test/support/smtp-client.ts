/**
 * A small, strict SMTP and LMTP client for tests.
 *
 * It sends what it is told to the byte, and takes nothing for a reply that RFC 5321 §4.2 does not call one. What it
 * never does is help: no retries, no extension used unasked, no line ends repaired.
 */
import { connect, type Socket } from 'node:net';

export interface SmtpReply {
  readonly code: number;
  /** The text of each line, behind the code and its separator. */
  readonly lines: readonly string[];
  /** The text of the last line. */
  readonly text: string;
}

/** `from` is the address of the client's own end, such as 127.0.0.9. */
export type Target =
  | number
  | { readonly port: number; readonly host?: string; readonly from?: string }
  | { readonly path: string };

/** The server said no where the client needed a yes. */
export class SmtpRefusal extends Error {
  readonly reply: SmtpReply;
  constructor(said: string, reply: SmtpReply) {
    super(`${said} -> ${reply.code} ${reply.lines.join(' / ')}`);
    this.name = 'SmtpRefusal';
    this.reply = reply;
  }
}

/** The connection ended where a reply was due. */
export class SmtpClosed extends Error {
  constructor(why: string) {
    super(`connection closed: ${why}`);
    this.name = 'SmtpClosed';
  }
}

const MAX_REPLY_LINE_BYTES = 512; // RFC 5321 §4.5.3.1.5

export class SmtpClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone, whoever ended it and however. */
  readonly closed: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  readonly #replies: SmtpReply[] = [];
  readonly #waiting: { resolve(reply: SmtpReply): void; reject(error: Error): void }[] = [];
  #end: Error | undefined;

  /** Connects; the greeting is then the first `reply()`. */
  static async connect(target: Target): Promise<SmtpClient> {
    const to = typeof target === 'number' ? { port: target } : target;
    const socket =
      'path' in to
        ? connect(to.path)
        : connect({ port: to.port, host: to.host ?? '127.0.0.1', ...(to.from && { localAddress: to.from }) });
    const client = new SmtpClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Connects and says EHLO (or what else greets), throwing SmtpRefusal if that is not answered with 250. */
  static async open(target: Target, hello = 'EHLO client.example'): Promise<SmtpClient> {
    const client = await SmtpClient.connect(target);
    await client.greeted();
    await client.expect(250, hello);
    return client;
  }

  /** Speaks over a connection that is being made. */
  static over(socket: Socket): SmtpClient {
    return new SmtpClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#finish(new SmtpClosed(error.message)));
    this.closed = new Promise((resolve) =>
      socket.once('close', () => resolve(this.#finish(new SmtpClosed('by peer')))),
    );
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = this.#rest.indexOf('\n'); end >= 0; end = this.#rest.indexOf('\n')) {
      const line = this.#rest.subarray(0, end + 1);
      this.#rest = this.#rest.subarray(end + 1);
      try {
        this.#takeLine(line);
      } catch (error) {
        this.#finish(error as Error);
        this.socket.destroy();
        return;
      }
    }
  }

  #takeLine(bytes: Buffer): void {
    const shown = JSON.stringify(bytes.toString());
    if (bytes.length > MAX_REPLY_LINE_BYTES) throw new Error(`reply line of ${bytes.length} octets: ${shown}`);
    const match = /^([2-5][0-5][0-9])([ -])([^\r\n]*)\r\n$/.exec(bytes.toString());
    if (!match) throw new Error(`not a reply line: ${shown}`);
    const code = Number(match[1]);
    const previous = this.#lines[0];
    if (previous !== undefined && !previous.startsWith(String(code)))
      throw new Error(`code changes in reply: ${shown}`);
    this.#lines.push(`${code}${match[3]}`);
    if (match[2] === '-') return;
    const lines = this.#lines.map((line) => line.slice(3));
    this.#lines = [];
    const reply = { code, lines, text: lines.at(-1)! };
    const waiter = this.#waiting.shift();
    if (waiter) waiter.resolve(reply);
    else this.#replies.push(reply);
  }

  #finish(error: Error): void {
    this.#end ??= error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#end);
  }

  /** The next reply, in order; rejects with SmtpClosed when none can come any more. */
  reply(): Promise<SmtpReply> {
    const ready = this.#replies.shift();
    if (ready) return Promise.resolve(ready);
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** How many replies have come that nobody asked for yet. */
  get unread(): number {
    return this.#replies.length;
  }

  /** Sends bytes as they are; resolves when the kernel has taken them. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => (error ? reject(new SmtpClosed(error.message)) : resolve()));
    });
  }

  /** Sends one command line and gives its reply, whatever it is. */
  async command(line: string): Promise<SmtpReply> {
    this.write(`${line}\r\n`).catch(() => {}); // the reply tells: a server may answer and close before it has read all
    return await this.reply();
  }

  /** Sends one command line; throws SmtpRefusal unless it is answered with `code`. */
  async expect(code: number, line: string): Promise<SmtpReply> {
    return expectCode(code, line, await this.command(line));
  }

  async greeted(): Promise<SmtpReply> {
    return expectCode(220, 'connect', await this.reply());
  }

  async quit(): Promise<void> {
    await this.expect(221, 'QUIT');
    await this.closed;
  }

  /** Vanishes without a word, with FIN. */
  async drop(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  /** Vanishes without a word, with RST. */
  async reset(): Promise<void> {
    this.socket.resetAndDestroy();
    await this.closed;
  }
}

function expectCode(code: number, said: string, reply: SmtpReply): SmtpReply {
  if (reply.code !== code) throw new SmtpRefusal(said, reply);
  return reply;
}

export interface OutgoingMail {
  /** What stands between the angle brackets; '' is the null sender. */
  readonly from: string;
  readonly to: readonly string[];
  readonly content: Uint8Array;
  /** Parameters of MAIL, e.g. `BODY=8BITMIME SMTPUTF8`. */
  readonly params?: string;
}

export interface Delivery {
  /** DATA and dot-stuffing, or BDAT in chunks of `chunkBytes`. */
  readonly by?: 'DATA' | 'BDAT';
  readonly chunkBytes?: number;
  /** Sends everything up to DATA, or the whole of a BDAT transaction, in one write (RFC 2920). */
  readonly pipelined?: boolean;
  /** LMTP: one reply per recipient (RFC 2033 §4.2). */
  readonly lmtp?: boolean;
}

/**
 * Brings one mail to inboxd over an open session, and throws SmtpRefusal at the first reply that is not a yes.
 * @returns the ids that the final replies name: one, or one per recipient with LMTP
 */
export async function deliver(client: SmtpClient, mail: OutgoingMail, how: Delivery = {}): Promise<string[]> {
  return (await submit(client, mail, how)).map(queuedId);
}

/** As `deliver`, to any server; gives its final replies, all of them 250. */
export async function submit(client: SmtpClient, mail: OutgoingMail, how: Delivery = {}): Promise<SmtpReply[]> {
  const commands = [`MAIL FROM:<${mail.from}>${mail.params ? ` ${mail.params}` : ''}`];
  for (const to of mail.to) commands.push(`RCPT TO:<${to}>`);
  const chunks = how.by === 'BDAT' ? bdat(mail.content, how.chunkBytes ?? 64 * 1024) : [];
  if (how.by !== 'BDAT') commands.push('DATA');

  if (how.pipelined) {
    const train = Buffer.concat([Buffer.from(commands.map((line) => `${line}\r\n`).join('')), ...chunks]);
    client.write(train).catch(() => {});
    for (const line of commands) expectCode(line === 'DATA' ? 354 : 250, line, await client.reply());
  } else {
    for (const line of commands) await client.expect(line === 'DATA' ? 354 : 250, line);
  }

  if (how.by !== 'BDAT') client.write(dotStuff(mail.content)).catch(() => {});
  for (const [index, chunk] of chunks.entries()) {
    if (!how.pipelined) client.write(chunk).catch(() => {});
    if (index < chunks.length - 1) expectCode(250, `BDAT ${index}`, await client.reply());
  }
  const replies: SmtpReply[] = [];
  for (const _ of how.lmtp ? mail.to : [0]) replies.push(expectCode(250, 'end of content', await client.reply()));
  return replies;
}

/** The id that `250 2.0.0 OK queued as <id>` names; throws SmtpRefusal for any other reply. */
export function queuedId(reply: SmtpReply): string {
  const match = /^2\.0\.0 OK queued as ([0-9a-z]+)$/.exec(reply.text);
  if (reply.code !== 250 || !match) throw new SmtpRefusal('end of content', reply);
  return match[1]!;
}

/** The BDAT commands, each with its octets behind it (RFC 3030 §2). */
export function bdat(content: Uint8Array, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let start = 0; start === 0 || start < content.length; start += chunkBytes) {
    const octets = content.subarray(start, start + chunkBytes);
    const last = start + chunkBytes >= content.length ? ' LAST' : '';
    chunks.push(Buffer.concat([Buffer.from(`BDAT ${octets.length}${last}\r\n`), octets]));
  }
  return chunks;
}

/**
 * What follows 354: the content with a dot before every line that begins with one, then the lone dot (RFC 5321 §4.5.2).
 * DATA cannot carry a last line without CR LF, so content that has one is an error of the test.
 */
export function dotStuff(content: Uint8Array): Buffer {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes.length > 0 && bytes.subarray(-2).toString('latin1') !== '\r\n') {
    throw new Error('content for DATA must end in CR LF');
  }
  const pieces: Buffer[] = [];
  let start = 0;
  if (bytes[0] === 0x2e) pieces.push(Buffer.from('.'));
  for (let at = bytes.indexOf('\r\n.'); at >= 0; at = bytes.indexOf('\r\n.', at + 2)) {
    pieces.push(bytes.subarray(start, at + 2), Buffer.from('.'));
    start = at + 2;
  }
  pieces.push(bytes.subarray(start), Buffer.from('.\r\n'));
  return Buffer.concat(pieces);
}

/** Makes every line end CR LF: a bare LF and a bare CR become one, and a last line without any gets one. */
export function withCrlf(content: Uint8Array): Buffer {
  const text = Buffer.from(content)
    .toString('latin1')
    .replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}
