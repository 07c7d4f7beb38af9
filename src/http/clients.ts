import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback, networkOf } from '../mail/ip-address.ts';
import { CLIENT_LIMITS, type ClientLimits } from './limits.ts';
import { isNative, sendProblem } from './problem.ts';
import { sendText } from './replies.ts';
import { secure } from './security.ts';

/** Who has one IPv6 address has 2^64 of them. */
const PREFIXES = Object.freeze({ ipv4Bits: 32, ipv6Bits: 64 });
const MINUTE_MS = 60_000;

interface Tally {
  connections: number;
  held: number;
  /** Requests that may come at once; grows back with time. */
  allowance: number;
  at: number;
}

/**
 * Counts what each client of HTTP has and asks for. A client is an IPv4 address or an IPv6 network; those on this machine
 * are counted in all only: whoever can use them up can stop the daemon too, and a proxy in front counts its own clients.
 */
export class Clients {
  readonly #limits: ClientLimits;
  readonly #now: () => number;
  readonly #tallies = new Map<string, Tally>();
  #connections = 0;

  constructor(limits: Partial<ClientLimits> = {}, now: () => number = Date.now) {
    this.#limits = { ...CLIENT_LIMITS, ...limits };
    this.#now = now;
  }

  /** Takes a connection; false if there are too many. */
  connect(address: string): boolean {
    const { connections, connectionsPerClient } = this.#limits;
    if (this.#connections >= connections) return false;
    const tally = this.#tallyOf(address);
    if (tally && connectionsPerClient > 0 && tally.connections >= connectionsPerClient) return false;
    this.#connections++;
    if (tally) tally.connections++;
    return true;
  }

  /** Gives a connection back that was taken. */
  disconnect(address: string): void {
    this.#connections--;
    const tally = this.#tallyOf(address);
    if (tally) tally.connections--;
  }

  /** Takes a request; gives the seconds to wait if there were too many, else 0. */
  request(address: string): number {
    const { requestsPerMinute } = this.#limits;
    const tally = requestsPerMinute > 0 ? this.#tallyOf(address) : undefined;
    if (!tally) return 0;
    const now = this.#now();
    const grown = ((now - tally.at) * requestsPerMinute) / MINUTE_MS;
    tally.allowance = Math.min(requestsPerMinute, tally.allowance + Math.max(0, grown));
    tally.at = now;
    if (tally.allowance < 1) return Math.ceil(((1 - tally.allowance) * 60) / requestsPerMinute);
    tally.allowance--;
    return 0;
  }

  /** Takes a request that is held open; gives the way to give it back, or undefined if there are too many. */
  hold(address: string): (() => void) | undefined {
    const tally = this.#limits.heldPerClient > 0 ? this.#tallyOf(address) : undefined;
    if (!tally) return () => {};
    if (tally.held >= this.#limits.heldPerClient) return undefined;
    tally.held++;
    let isHeld = true;
    return () => {
      if (isHeld) tally.held--;
      isHeld = false;
    };
  }

  #tallyOf(address: string): Tally | undefined {
    if (isLoopback(address)) return undefined;
    const key = networkOf(address, PREFIXES);
    const known = this.#tallies.get(key);
    const tally = known ?? { connections: 0, held: 0, allowance: this.#limits.requestsPerMinute, at: this.#now() };
    this.#tallies.delete(key);
    this.#tallies.set(key, tally); // the most recent last
    if (!known) this.#forget();
    return tally;
  }

  /** Forgets those that were here longest ago and have nothing open. */
  #forget(): void {
    if (this.#tallies.size <= this.#limits.remembered) return;
    for (const [key, { connections, held }] of this.#tallies) {
      if (connections > 0 || held > 0) continue;
      this.#tallies.delete(key);
      return;
    }
  }
}

const FULL = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Turns away who has or asks for too much. */
export function limitClients(app: FastifyInstance, clients: Clients): void {
  const refused = new WeakSet<Socket>();
  const isEncrypted = 'setSecureContext' in app.server;
  app.server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (clients.connect(address)) {
      socket.once('close', () => clients.disconnect(address));
      return;
    }
    refused.add(socket);
    if (isEncrypted) socket.destroy();
    else socket.end(FULL, () => socket.destroy());
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (refused.has(request.raw.socket)) {
      reply.hijack(); // it has its answer
      return;
    }
    const address = request.raw.socket.remoteAddress ?? '';
    const seconds = clients.request(address);
    if (seconds > 0) tooMany(request, reply, 'Too many requests in a minute', seconds);
    else if (request.routeOptions.config.held && !hold(request, reply, clients.hold(address))) {
      tooMany(request, reply, 'Too many requests that wait or stream', 10);
    } else done();
  });
}

/** Gives the place back when the reply is over, or the connection is, where it has become a WebSocket. */
function hold({ raw }: FastifyRequest, reply: FastifyReply, release: (() => void) | undefined): boolean {
  if (!release) return false;
  const { socket } = raw;
  const over = (): void => {
    release();
    reply.raw.off('finish', over);
    socket.off('close', over);
  };
  reply.raw.once('finish', over);
  socket.once('close', over);
  return true;
}

function tooMany(request: FastifyRequest, reply: FastifyReply, why: string, seconds: number): void {
  secure(reply).header('retry-after', String(seconds));
  if (isNative(request.url)) sendProblem(reply, 'too-many', why);
  else sendText(reply, 429, why);
}
