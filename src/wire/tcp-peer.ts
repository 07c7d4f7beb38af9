import { type Server, Socket } from 'node:net';
import type { Peer } from './peer.ts';

/**
 * A TCP connection without the streams of Node.js: its handle, spoken to directly.
 *
 * `net.Socket` costs about 9 µs per message and 65 µs per connection in stream machinery and in a fresh 64 KiB buffer
 * for each read, a third of all the time there is when nothing is stored. Here every connection reads into one buffer,
 * whose views are good until the listener returns, and a write is one call. The handles are not documented by Node.js, so
 * `takeOver` looks first whether they are what this file knows, and otherwise leaves the server as it is; the tests of
 * `Connection` and of the listener run both ways.
 */

/** `tcp_wrap.TCP`, as far as it is used here. */
interface Handle {
  onread: (this: Handle, buffer: ArrayBuffer | undefined) => void;
  peer: TcpPeer | undefined;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: Request, bytes: Buffer): number;
  shutdown(request: Request): number;
  close(done: () => void): void;
  setNoDelay(on: boolean): number;
  getpeername(out: { address?: string; port?: number }): number;
}

/** `WriteWrap` and `ShutdownWrap`: what a call that did not end at once reports to. */
interface Request {
  handle: Handle | undefined;
  /** Kept from the garbage collector while the system reads it. */
  bytes: Buffer | undefined;
  oncomplete: (this: Request, status: number) => void;
}

interface StreamBinding {
  readonly WriteWrap: new () => Request;
  readonly ShutdownWrap: new () => Request;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/** `uv.UV_EOF`. */
const END_OF_FILE = -4095;
const READ_BYTES = 64 * 1024;

const binding = findBinding();
/** One buffer for every read: who wants to keep what arrives copies it. */
const incoming = binding && Buffer.allocUnsafeSlow(READ_BYTES);

/** Views of its first octets: commands are short and alike, and a view costs more than looking it up. */
const views: Buffer[] = [];
const KEPT_VIEW_BYTES = 128;

function viewOf(count: number): Buffer {
  if (count > KEPT_VIEW_BYTES) return incoming!.subarray(0, count);
  return (views[count] ??= incoming!.subarray(0, count));
}

function findBinding(): StreamBinding | undefined {
  try {
    const find = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding;
    const found = find.call(process, 'stream_wrap');
    const known =
      typeof found.WriteWrap === 'function' &&
      typeof found.ShutdownWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number';
    return known ? (found as StreamBinding) : undefined;
  } catch {
    return undefined; // another Node.js, or one under its permission model: sockets do as well
  }
}

/** On Linux what is set on a listening socket holds for every connection that it accepts. */
const INHERITS_NO_DELAY = process.platform === 'linux';

/**
 * A client that sends octet by octet costs a system call and a call into JavaScript for each, a thousand times what an octet
 * costs otherwise. After eight reads in a row that were short and had nothing of ours written between them, nothing is read
 * for a moment, while the system gathers what comes. Whether that paid is seen from what has gathered, and not by a clock, which
 * on a busy machine would tell of the machine: if it did, two short reads more are enough for another rest, otherwise many are
 * wanted. One reply is late by that moment at most, and none to a client that waits for each.
 *
 * Sockets of Node.js, and TLS with them, do without: they read on whoever pauses them.
 */
const SHORT_BYTES = 16;
const SHORT_READS = 8;
const GATHERED_BYTES = 8;
const SHORT_READS_AFTER_GAIN = 2;
const SHORT_READS_AFTER_NONE = 64;
const REST_MS = 5;

/** All that rest have one timer together: for some the moment is shorter. */
let resting: TcpPeer[] = [];

function rest(peer: TcpPeer): void {
  if (resting.push(peer) > 1) return;
  setTimeout(() => {
    const rested = resting;
    resting = [];
    for (const one of rested) one.rested();
  }, REST_MS);
}

type Event = 'data' | 'end' | 'drain' | 'error' | 'close';
type Listener = (what?: Buffer | Error) => void;

function nothing(): void {}

function both(first: Listener, second: Listener, what?: Buffer | Error): void {
  first(what);
  second(what);
}

/** A write that ended at once leaves its request for the next. */
let spare: Request | undefined;

/** See above. */
export class TcpPeer implements Peer {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  #handle: Handle | undefined;
  #unsent = 0;
  #isReading = false;
  /** What was read too far. */
  #kept: Buffer | undefined;
  #hasEnded = false;
  /** The other end has said that no more comes. */
  #isHalf = false;
  /** Our end was said, and the system has taken it. */
  #isShut = false;
  /** Short reads in a row; as many as let it rest mean that the next read brings what has gathered. */
  #shortReads = 0;
  /** Reading, if it is wanted, begins again when the moment is over. */
  #isResting = false;
  readonly #listeners: Record<Event, Listener> = {
    data: nothing,
    end: nothing,
    drain: nothing,
    error: nothing,
    close: nothing,
  };

  constructor(handle: Handle) {
    const name: { address?: string; port?: number } = {};
    handle.getpeername(name);
    this.remoteAddress = name.address;
    this.remotePort = name.port;
    this.#handle = handle;
    handle.peer = this;
    handle.onread = onRead;
    handle.useUserBuffer(incoming!);
    if (!INHERITS_NO_DELAY) handle.setNoDelay(true);
  }

  get writableLength(): number {
    return this.#unsent;
  }

  on(event: Event, listener: ((view: Buffer) => void) | (() => void) | ((error: Error) => void)): this {
    const added = listener as Listener;
    const first = this.#listeners[event];
    this.#listeners[event] = first === nothing ? added : (what) => both(first, added, what);
    if (event === 'data') this.resume();
    return this;
  }

  removeAllListeners(event: Event): this {
    this.#listeners[event] = nothing;
    return this;
  }

  pause(): this {
    if (this.#isReading) {
      this.#isReading = false;
      this.#handle?.readStop();
    }
    return this;
  }

  resume(): this {
    if (!this.#isReading && this.#handle && !this.#isHalf) {
      this.#isReading = true;
      if (this.#kept) {
        setImmediate(() => this.#giveKept());
        return this;
      }
      if (this.#isResting) return this;
      const status = this.#handle.readStart();
      if (status < 0) this.#fail(status);
    }
    return this;
  }

  unshift(bytes: Buffer): void {
    this.#kept = this.#kept ? Buffer.concat([bytes, this.#kept]) : bytes;
  }

  /** Gives what was kept to who reads now, and reads on. */
  #giveKept(): void {
    const kept = this.#kept;
    if (!this.#isReading || !this.#handle || !kept) return;
    this.#kept = undefined;
    this.#listeners.data(kept);
    if (!this.#isReading || !this.#handle) return; // who read it wants no more for now
    this.#isReading = false;
    this.resume();
  }

  write(bytes: Buffer, taken?: () => void): void {
    const handle = this.#handle;
    if (!handle || this.#hasEnded) return;
    this.#shortReads = 0;
    const request = spare ?? new binding!.WriteWrap();
    spare = undefined;
    const status = handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#fail(status);
    } else if (binding!.streamBaseState[binding!.kLastWriteWasAsync] === 0) {
      spare = request;
      taken?.();
    } else {
      request.handle = handle;
      request.bytes = bytes;
      request.oncomplete = onWritten;
      this.#unsent += bytes.length;
      if (taken) this.on('drain', taken);
    }
  }

  end(): void {
    const handle = this.#handle;
    if (!handle || this.#hasEnded) return;
    this.#hasEnded = true;
    const request = new binding!.ShutdownWrap();
    request.handle = handle;
    request.oncomplete = onShut;
    const status = handle.shutdown(request);
    // gone already: there is nobody to tell
    if (status !== 0) this.destroy();
  }

  destroy(): void {
    const handle = this.#handle;
    if (!handle) return;
    this.#handle = undefined;
    this.#isReading = false;
    handle.onread = ignoreRead;
    handle.close(() => this.#listeners.close());
  }

  destroySoon(): void {
    if (this.#unsent === 0) this.destroy();
    else this.on('drain', () => this.destroy());
  }

  /** Gives the connection up to a socket of Node.js, for what only that can do (TLS). Nothing comes through here afterwards but `close`. */
  toSocket(): Socket {
    const handle = this.#handle!;
    this.pause();
    this.#handle = undefined;
    handle.peer = undefined;
    const options = { handle, allowHalfOpen: true } as unknown as ConstructorParameters<typeof Socket>[0];
    const socket = new Socket(options).once('close', () => this.#listeners.close());
    if (this.#kept) socket.unshift(this.#kept);
    return socket;
  }

  /** The handle has read. */
  arrived(count: number): void {
    if (count > 0) {
      this.#listeners.data(viewOf(count));
      if (count > SHORT_BYTES && this.#shortReads < SHORT_READS) this.#shortReads = 0;
      else this.#restIfShort(count);
    } else if (count === END_OF_FILE) {
      this.#isHalf = true;
      this.pause();
      this.#listeners.end();
      this.#whenBothEnded();
    } else if (count < 0) {
      this.#fail(count);
    }
  }

  #restIfShort(count: number): void {
    if (this.#shortReads === SHORT_READS) {
      this.#shortReads -= count >= GATHERED_BYTES ? SHORT_READS_AFTER_GAIN : SHORT_READS_AFTER_NONE;
      return;
    }
    if (!this.#isReading || !this.#handle || ++this.#shortReads < SHORT_READS) return;
    this.#isResting = true;
    this.#handle.readStop();
    rest(this);
  }

  /** The moment is over. */
  rested(): void {
    this.#isResting = false;
    if (!this.#isReading) return;
    this.#isReading = false;
    this.resume();
  }

  /** The system has taken `count` octets that it could not take at once. */
  written(count: number, status: number): void {
    this.#unsent -= count;
    if (status < 0) this.#fail(status);
    else if (this.#unsent === 0) this.#listeners.drain();
  }

  shut(): void {
    this.#isShut = true;
    this.#whenBothEnded();
  }

  #whenBothEnded(): void {
    if (this.#isHalf && this.#isShut) this.destroy();
  }

  /** The other end is gone. */
  #fail(status: number): void {
    if (!this.#handle) return;
    // no stack: this is the other end's doing and happens by the thousand
    this.#listeners.error({ name: 'Error', message: `connection lost (${status})` });
    this.destroy();
  }
}

function ignoreRead(): void {}

function onRead(this: Handle): void {
  this.peer?.arrived(binding!.streamBaseState[binding!.kReadBytesOrError]!);
}

function onWritten(this: Request, status: number): void {
  const { handle, bytes } = this;
  this.handle = undefined;
  this.bytes = undefined;
  handle!.peer?.written(bytes!.length, status);
}

function onShut(this: Request): void {
  this.handle!.peer?.shut();
}

/**
 * Has a listening server give its TCP connections as peers, past `net.Socket`.
 * @returns false if this Node.js has no handles of the known kind, or the server listens on a UNIX socket; then the
 *   server goes on giving sockets to its listeners of `connection`
 */
export function takeOver(server: Server, accept: (peer: Peer) => void): boolean {
  const handle = (server as unknown as { _handle?: ServerHandle })._handle;
  if (!binding || handle?.constructor.name !== 'TCP' || typeof handle.onconnection !== 'function') return false;
  if (INHERITS_NO_DELAY) handle.setNoDelay(true);
  handle.onconnection = (status, client) => {
    // a failed accept (out of file descriptors, say) costs that one connection; the server goes on
    if (status === 0 && client) accept(new TcpPeer(client));
  };
  return true;
}

interface ServerHandle {
  setNoDelay(on: boolean): number;
  onconnection: (status: number, client: Handle | undefined) => void;
}
