import { unlink } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { EndReason } from './connection.ts';

/** A connection as its listener sees it. */
export interface Served {
  start(): void;
  stop(): void;
  destroy(reason: EndReason): void;
}

export interface ListenerOptions {
  /** TCP address, or the path of a UNIX socket. */
  readonly at: Bound;
  /** Room for connections, perhaps shared with other listeners: without a place a client is told `full` and closed. */
  readonly places: Places;
  readonly full: Buffer;
  /** Makes what serves a socket. */
  readonly serve: (socket: Socket) => Served;
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

/** Where a listener really listens. */
export type Bound = { readonly host: string; readonly port: number } | { readonly path: string };

/** Accepts connections and hands each socket on; knows who is connected, so that a stop can be graceful. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #served = new Set<Served>();
  #idle: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#served.size;
  }

  /**
   * Binds and starts to accept.
   * @throws the system's error with its `code` (EADDRINUSE, EACCES, EADDRNOTAVAIL ...)
   */
  async listen(): Promise<Bound> {
    const { at } = this.#options;
    if ('path' in at) await removeStaleSocket(at.path);
    const options: ListenOptions = 'path' in at ? { path: at.path } : { host: at.host, port: at.port, backlog: 4096 };
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(options, () => {
        this.#server.off('error', reject);
        // a failed accept (out of file descriptors, say) costs that one connection; the server goes on
        this.#server.on('error', () => {});
        resolve();
      });
    });
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') return { path: bound ?? '' };
    return { host: bound.address, port: bound.port };
  }

  #accept(socket: Socket): void {
    if (!this.#options.places.take()) {
      socket.on('error', () => {
        // it was not served, so there is nothing to end
      });
      socket.end(this.#options.full, () => socket.destroy());
      return;
    }
    const served = this.#options.serve(socket);
    this.#served.add(served);
    socket.once('close', () => {
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

/** A socket file that a killed daemon left behind is removed; one that answers belongs to somebody. */
async function removeStaleSocket(path: string): Promise<void> {
  const state = await new Promise<'live' | 'stale' | 'none'>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve('live');
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'stale' : 'none'));
  });
  if (state === 'stale') await unlink(path);
}
