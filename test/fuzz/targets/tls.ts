import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as encrypt, type TLSSocket } from 'node:tls';
import { createDaemon, type Daemon, type Report } from '../../../src/index.ts';
import { pick } from '../../support/random.ts';
import { mutate, noise, small } from '../generate.ts';
import { Finding, type Target } from '../target.ts';

/*
 * Records of TLS to a daemon on loopback: junk instead of a handshake, a handshake with records that were meddled with,
 * and junk behind one, where encryption comes first and behind STARTTLS. No message that was meddled with is taken, each
 * connection ends as soon as its client has gone, and whoever comes next is served.
 */

/** Far below the time that a handshake may take: who has hung up is not waited for. */
const PATIENCE_MS = 10_000;
/** Fits into a segment together with STARTTLS. */
const PIPELINED_BYTES = 1_000;
/** An honest client comes so often. */
const HONEST_PART = 1 / 50;

interface Stage {
  readonly daemon: Daemon;
  readonly implicit: number;
  readonly starttls: number;
  readonly crashes: unknown[];
  open: number;
  messages: number;
}

let staged: Promise<Stage> | undefined;

async function raise(): Promise<Stage> {
  const counts = { open: 0, messages: 0 };
  const crashes: unknown[] = [];
  const report = (one: Report): void => {
    if (one.type === 'session-start') counts.open++;
    else if (one.type === 'session-end') counts.open--;
    else if (one.type === 'message') counts.messages++;
    else if (one.type === 'crash') crashes.push(one.error);
  };
  const listen = ['smtps://127.0.0.1:0', 'smtp://127.0.0.1:0'];
  const daemon = await createDaemon({ listen, data: ':memory:', hostname: 'mx.test' }, { report });
  const [implicit = 0, starttls = 0] = daemon.listeners.map(({ url }) => Number(new URL(url).port));
  return Object.assign(counts, { daemon, implicit, starttls, crashes });
}

/** The types of records, the versions, and the lengths that a record may claim to have. */
const TYPES = [0, 20, 21, 22, 23, 24, 64, 128, 255];
const VERSIONS = [0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x7f1c, 0xffff];
const LENGTHS = [0, 1, 2, 16_383, 16_384, 16_385, 16_640, 18_432, 18_433, 65_535];

function record(random: () => number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = random() < 0.7 ? pick(random, [20, 21, 22, 23]) : pick(random, TYPES);
  head.writeUInt16BE(random() < 0.7 ? 0x0303 : pick(random, VERSIONS), 1);
  head.writeUInt16BE(random() < 0.8 ? body.length : pick(random, LENGTHS), 3);
  return Buffer.concat([head, body]);
}

/** The body of a record of a handshake: messages with types and lengths that need not be true. */
function handshake(random: () => number): Buffer {
  const body = noise(random, 600);
  const head = Buffer.alloc(4);
  head[0] = pick(random, [0, 1, 2, 4, 8, 11, 12, 13, 14, 15, 16, 20, 24, 254]);
  head.writeUIntBE(random() < 0.7 ? body.length : Math.floor(random() * 0xff_ffff), 1, 3);
  return Buffer.concat([head, body]);
}

/** Records that nobody agreed on. */
function records(random: () => number): Buffer {
  const some: Buffer[] = [];
  for (let count = small(random, 6); count >= 0; count--) {
    const kind = random();
    if (kind < 0.3) some.push(record(random, handshake(random)));
    else if (kind < 0.5) some.push(record(random, noise(random, 400)));
    else if (kind < 0.6) some.push(record(random, Buffer.from([pick(random, [1, 2, 3]), Math.floor(random() * 256)])));
    else if (kind < 0.7) some.push(record(random, Buffer.from([1])));
    else if (kind < 0.8) some.push(record(random, Buffer.alloc(pick(random, LENGTHS))));
    else if (kind < 0.9) some.push(noise(random, 300));
    else some.push(Buffer.from(pick(random, COMMANDS)));
  }
  return Buffer.concat(some);
}

const COMMANDS = [
  'EHLO x\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'STARTTLS\r\n',
  'QUIT\r\n',
  '\x80\x2e\x01\x03\x01',
  '\r\n',
];
const MAIL = ['MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', 'Subject: x\r\n\r\nx\r\n.'];

/** A connection whose client's octets pass through a hand that may change them. */
class Meddled extends Duplex {
  readonly #socket: Socket;
  #pass: (view: Buffer) => Buffer = (view) => view;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (view) => this.push(view));
    socket.on('close', () => {
      this.push(null);
      this.destroy();
    });
  }

  /** @param pass what is done to each piece from now on */
  meddle(pass: (view: Buffer) => Buffer): void {
    this.#pass = pass;
  }

  override _read(): void {
    // whatever comes is pushed
  }

  override _write(view: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#socket.write(this.#pass(view), () => done());
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }
}

class Client {
  readonly socket: Socket;
  heard = '';
  #isClosed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('close', () => (this.#isClosed = true));
    this.socket.on('error', () => {}); // a reset ends a connection as well as anything
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Hears what is said in the clear until it fits; false when the connection ended before. */
  async hear(wanted: RegExp): Promise<boolean> {
    const listen = (view: Buffer): void => void (this.heard += view.toString('latin1'));
    this.socket.on('data', listen);
    await until(() => wanted.test(this.heard) || this.#isClosed, `no ${wanted} in ${JSON.stringify(this.heard)}`);
    this.socket.off('data', listen);
    this.heard = '';
    return !this.#isClosed;
  }

  /**
   * As far as where the handshake begins.
   * @param behind what comes with STARTTLS, in one piece, and must be forgotten
   */
  async begin(isImplicit: boolean, behind: Buffer): Promise<boolean> {
    if (isImplicit) {
      await once(this.socket, 'connect');
      return true;
    }
    if (!(await this.hear(/^220 .*\r\n/))) return false;
    this.socket.write('EHLO x.test\r\n');
    if (!(await this.hear(/^250 .*\r\n/m))) return false;
    this.socket.write(Buffer.concat([Buffer.from('STARTTLS\r\n'), behind]));
    return this.hear(/^220 .*\r\n/m);
  }

  /** Hangs up, politely or not, and waits until the daemon has done so too. */
  async leave(random: () => number): Promise<void> {
    this.socket.resume();
    if (random() < 0.3) this.socket.resetAndDestroy();
    else this.socket.end();
    await until(() => this.#isClosed, 'the daemon keeps a connection whose client has gone');
  }
}

async function until(is: () => boolean, trouble: string): Promise<void> {
  const give = performance.now() + PATIENCE_MS;
  while (!is()) {
    if (performance.now() > give) throw new Finding(trouble, 'see the seed');
    await turn();
  }
}

/** A handshake over a socket, by a client that does its part. */
function shake(random: () => number, over: Duplex): TLSSocket {
  const maxVersion = random() < 0.5 ? 'TLSv1.3' : 'TLSv1.2';
  const secured = encrypt({ socket: over, rejectUnauthorized: false, maxVersion });
  secured.on('error', () => {}); // what was meddled with fails, on either side
  return secured;
}

async function heardBySecured(secured: TLSSocket, work: () => void, wanted: RegExp): Promise<string> {
  let heard = '';
  let isOver = secured.destroyed;
  const listen = (view: Buffer): void => void (heard += view.toString('latin1'));
  const end = (): void => void (isOver = true);
  secured.on('data', listen).on('close', end).on('end', end);
  work();
  await until(() => wanted.test(heard) || isOver, `no ${wanted} in ${JSON.stringify(heard)}`);
  secured.off('data', listen).off('close', end).off('end', end);
  return heard;
}

/** Junk where the handshake should be, or a ClientHello that is not as it was. */
async function instead(random: () => number, client: Client): Promise<void> {
  if (random() < 0.4) {
    client.socket.write(records(random));
    return;
  }
  const meddled = new Meddled(client.socket);
  const others = [records(random)];
  meddled.meddle((view) => mutate(random, view, others));
  const secured = shake(random, meddled);
  await turn(); // the ClientHello is under way
  secured.destroy();
}

/** A handshake of which one piece behind the first is changed, preceded or followed by junk. */
async function during(random: () => number, client: Client): Promise<void> {
  const meddled = new Meddled(client.socket);
  const from = Math.floor(random() * 3);
  let pieces = 0;
  meddled.meddle((view) => {
    if (pieces++ < from) return view;
    const junk = records(random);
    return random() < 0.5 ? mutate(random, view, [junk]) : Buffer.concat(random() < 0.5 ? [junk, view] : [view, junk]);
  });
  const secured = shake(random, meddled);
  let isOver = false;
  for (const event of ['secureConnect', 'close', 'error']) secured.once(event, () => (isOver = true));
  // junk may claim more octets than come: then both wait, until one of them hangs up
  for (let turns = 0; turns < 200 && !isOver; turns++) await turn();
  secured.destroy();
}

/** A handshake as it should be, perhaps a command or two, and then junk, or records that were meddled with. */
async function behind(random: () => number, client: Client, isImplicit: boolean): Promise<void> {
  const meddled = new Meddled(client.socket);
  const secured = shake(random, meddled);
  if (isImplicit) await heardBySecured(secured, () => {}, /^220 .*\r\n/);
  else await until(() => secured.encrypted && secured.getCipher() !== undefined, 'an honest handshake fails');
  for (const line of ['EHLO x.test', ...MAIL].slice(0, small(random, 5))) {
    await heardBySecured(secured, () => secured.write(`${line}\r\n`), /^\d{3} .*\r\n/m);
  }
  if (random() < 0.5) client.socket.write(records(random));
  else {
    const others = [records(random)];
    meddled.meddle((view) => damaged(random, view, others));
    for (const line of ['RSET', ...MAIL]) secured.write(`${line}\r\n`);
  }
  for (let turns = small(random, 20); turns > 0; turns--) await turn();
  secured.destroy();
}

/** Records that are not as they were encrypted: none of them can be taken for what was said. */
function damaged(random: () => number, view: Buffer, others: readonly Buffer[]): Buffer {
  const changed = mutate(random, view, others);
  if (view.length > 0 && changed.subarray(0, view.length).equals(view)) changed[5 % view.length]! ^= 1;
  return changed;
}

/** Somebody who does everything as it should be done. */
async function honest(random: () => number, stage: Stage, isImplicit: boolean): Promise<void> {
  const client = new Client(isImplicit ? stage.implicit : stage.starttls);
  if (!(await client.begin(isImplicit, Buffer.alloc(0)))) throw new Finding('an honest client is cut', 'see the seed');
  const secured = shake(random, new Meddled(client.socket));
  if (isImplicit) await heardBySecured(secured, () => {}, /^220 .*\r\n/);
  const before = stage.messages;
  for (const line of ['EHLO x.test', ...MAIL]) {
    const reply = await heardBySecured(secured, () => secured.write(`${line}\r\n`), /^\d{3} .*\r\n/m);
    if (!/^[23]/.test(reply)) throw new Finding(`${line} of an honest client is answered ${reply}`, 'see the seed');
  }
  if (stage.messages !== before + 1) throw new Finding('an honest mail is gone', 'see the seed');
  stage.messages = before;
  secured.destroy();
  await client.leave(random);
}

/** Junk and changed records of TLS before, in and behind handshakes. */
export const tls: Target = {
  name: 'tls',
  share: 1.5,
  deadlineMs: 5_000,
  async run(random) {
    staged ??= raise();
    const stage = await staged;
    const isImplicit = random() < 0.5;
    if (random() < HONEST_PART) await honest(random, stage, isImplicit);
    else {
      const client = new Client(isImplicit ? stage.implicit : stage.starttls);
      const pipelined = random() < 0.2 ? records(random).subarray(0, PIPELINED_BYTES) : Buffer.alloc(0);
      if (await client.begin(isImplicit, pipelined)) {
        const kind = random();
        if (kind < 0.4) await instead(random, client);
        else if (kind < 0.7) await during(random, client);
        else await behind(random, client, isImplicit);
      }
      await client.leave(random);
    }
    await until(() => stage.open === 0, `${stage.open} sessions are open whose clients have gone`);
    if (stage.messages !== 0) throw new Finding(`${stage.messages} messages that nobody sent so`, 'see the seed');
    if (stage.crashes.length > 0) throw new Finding(`crashed: ${(stage.crashes[0] as Error).stack}`, 'see the seed');
  },
  async close() {
    await (await staged)?.daemon.stop({ graceMs: 0 });
    staged = undefined;
  },
};
