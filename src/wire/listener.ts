import { createServer, type Server } from 'node:net';
import { type Bound, bindServer, type Place, readyPlace } from './bind.ts';
import type { EndReason } from './connection.ts';
import type { Peer } from './peer.ts';
import { type Proxies, readProxied } from './proxied.ts';
import { takeOver } from './tcp-peer.ts';

/** A connection as its listener sees it. */
export interface Served {
  start(): void;
  stop(): void;
  destroy(reason: EndReason): void;
  hurry(bytes: number): void;
}

/** Who is let in, and how many. */
export interface Gate {
  /** Undefined lets a client in; else it is told this, if anything, and closed. `leave` follows for each that was let in. */
  enter(address: string): Buffer | undefined;
  leave(address: string): void;
  /** As `enter`, for a connection of which nobody knows yet whose it is; `release` follows, before it may enter. */
  hold(balancer: string): Buffer | undefined;
  release(): void;
}

export interface ListenerOptions {
  readonly at: Place;
  /** Perhaps shared with other listeners. */
  readonly gate: Gate;
  /** Load balancers whose word on who is behind them is taken. */
  readonly proxies?: Proxies;
  /** Makes what serves a connection. */
  readonly serve: (peer: Peer, from: Origin) => Served;
}

/** Where a connection comes from: its other end, or whoever is behind that. */
export interface Origin {
  /** `local` for a UNIX socket. */
  readonly address: string;
  readonly port: number;
}

/** A number of places: `take` gives false when none is left. */
export class Places {
  readonly #count: number;
  #free: number;

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** The share of places that are taken, 0 to 1. */
  get share(): number {
    return 1 - this.#free / this.#count;
  }

  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  give(): void {
    this.#free++;
  }
}

/** Accepts connections and hands each connection on; knows who is connected, so that a stop can be graceful. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  #at: Place;
  readonly #served = new Set<Served>();
  /** Connections whose header is awaited, with the way to end the wait. */
  readonly #awaited = new Map<Peer, () => void>();
  #idle: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#at = options.at;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.on('listening', () => takeOver(this.#server, (peer) => this.#accept(peer)));
  }

  get connections(): number {
    return this.#served.size;
  }

  /**
   * Gets ready, binds and starts to accept.
   * @throws the system's error with its `code` (EADDRINUSE, EACCES, EADDRNOTAVAIL ...)
   */
  async listen(): Promise<Bound> {
    await this.ready();
    return this.bind();
  }

  /** The part of `listen` that takes its time. */
  async ready(): Promise<void> {
    this.#at = await readyPlace(this.#at);
  }

  /** The part of `listen` that wants rights; see `bindServer`. */
  bind(): Promise<Bound> {
    return bindServer(this.#server, this.#at);
  }

  #accept(peer: Peer): void {
    const from = { address: peer.remoteAddress ?? 'local', port: peer.remotePort ?? 0 };
    if (this.#options.proxies?.networks.has(from.address)) this.#awaitHeader(peer, from, this.#options.proxies);
    else this.#admit(peer, from);
  }

  #awaitHeader(peer: Peer, balancer: Origin, { refused }: Proxies): void {
    const { gate } = this.#options;
    const refusal = gate.hold(balancer.address);
    if (refusal) {
      turnAway(peer, refusal);
      return;
    }
    const stopWaiting = readProxied(peer, (outcome) => {
      this.#awaited.delete(peer);
      gate.release();
      if (typeof outcome === 'string') {
        peer.destroy();
        refused(balancer.address, outcome);
      } else {
        this.#admit(peer, outcome.address === undefined ? balancer : outcome);
      }
    });
    this.#awaited.set(peer, stopWaiting);
  }

  #giveUp(peer: Peer): void {
    this.#awaited.get(peer)?.();
    this.#awaited.delete(peer);
    this.#options.gate.release();
    peer.destroy();
  }

  #admit(peer: Peer, from: Origin): void {
    const { gate } = this.#options;
    const { address } = from;
    const refusal = gate.enter(address);
    if (refusal) {
      turnAway(peer, refusal);
      return;
    }
    const served = this.#options.serve(peer, from);
    this.#served.add(served);
    peer.on('close', () => {
      this.#served.delete(served);
      gate.leave(address);
      if (this.#served.size === 0) this.#idle?.();
    });
    served.start();
  }

  /** Tells every connection that others want its place; see `Connection.hurry`. */
  hurry(bytes: number): void {
    for (const served of this.#served) served.hurry(bytes);
  }

  /**
   * Stops accepting, lets open transactions finish, and cuts what is left after the grace period.
   * @param graceMs milliseconds
   */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const peer of [...this.#awaited.keys()]) this.#giveUp(peer);
    for (const served of this.#served) served.stop();
    if (this.#served.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const served of this.#served) served.destroy('shutdown');
    await closed;
  }
}

function turnAway(peer: Peer, words: Buffer): void {
  peer.on('error', () => {
    // it was not served, so there is nothing to end
  });
  if (words.length > 0) peer.write(words);
  peer.destroySoon();
}
