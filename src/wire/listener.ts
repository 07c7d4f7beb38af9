import { createServer, type Server } from 'node:net';
import { type Bound, bindServer, type Place, readyPlace } from './bind.ts';
import type { EndReason } from './connection.ts';
import type { Peer } from './peer.ts';
import { takeOver } from './tcp-peer.ts';

/** A connection as its listener sees it. */
export interface Served {
  start(): void;
  stop(): void;
  destroy(reason: EndReason): void;
}

export interface ListenerOptions {
  readonly at: Place;
  /** Room for connections, perhaps shared with other listeners: without a place a client is told `full`, if that is anything, and closed. */
  readonly places: Places;
  readonly full: Buffer;
  /** Makes what serves a connection. */
  readonly serve: (peer: Peer) => Served;
}

/** A number of places: `take` gives false when none is left. */
export class Places {
  #free: number;

  constructor(count: number) {
    this.#free = count;
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
    if (!this.#options.places.take()) {
      peer.on('error', () => {
        // it was not served, so there is nothing to end
      });
      if (this.#options.full.length > 0) peer.write(this.#options.full);
      peer.destroySoon();
      return;
    }
    const served = this.#options.serve(peer);
    this.#served.add(served);
    peer.on('close', () => {
      this.#served.delete(served);
      this.#options.places.give();
      if (this.#served.size === 0) this.#idle?.();
    });
    served.start();
  }

  /**
   * Stops accepting, lets open transactions finish, and cuts what is left after the grace period.
   * @param graceMs milliseconds
   */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
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
