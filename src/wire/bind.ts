import { lookup } from 'node:dns/promises';
import { unlink } from 'node:fs/promises';
import { connect, isIP, type ListenOptions, type Server } from 'node:net';

/** Where a server listens. */
export type Bound = { readonly host: string; readonly port: number } | { readonly path: string };

/** Where a server shall listen; `fd` is a socket that somebody else has bound there already. */
export type Place = Bound & { readonly fd?: number };

/**
 * Does what has to happen before a place can be bound: finds the address of a name and removes the file of a socket that
 * a killed daemon left behind. One that answers belongs to somebody and stays.
 * @throws the system's error for a name that is unknown
 */
export async function readyPlace(place: Place): Promise<Place> {
  if (place.fd !== undefined) return place;
  if ('path' in place) {
    await removeStaleSocket(place.path);
    return place;
  }
  return isIP(place.host) > 0 ? place : { host: (await lookup(place.host)).address, port: place.port };
}

/**
 * Binds a server to a place that is ready, and starts to accept. Nothing is accepted before what calls this gives the
 * event loop its next turn: several can be bound, and rights given up, without a client in between.
 * @throws the system's error with its `code` (EADDRINUSE, EACCES, EADDRNOTAVAIL ...)
 */
export async function bindServer(server: Server, place: Place): Promise<Bound> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(optionsOf(place), () => {
      server.off('error', reject);
      // a failed accept (out of file descriptors, say) costs that one connection; the server goes on
      server.on('error', () => {});
      resolve();
    });
  });
  const bound = server.address();
  if (bound !== null && typeof bound === 'object') return { host: bound.address, port: bound.port };
  return 'path' in place ? { path: place.path } : { host: place.host, port: place.port };
}

function optionsOf(place: Place): ListenOptions & { fd?: number } {
  if (place.fd !== undefined) return { fd: place.fd };
  return 'path' in place ? { path: place.path } : { host: place.host, port: place.port, backlog: 4096 };
}

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
