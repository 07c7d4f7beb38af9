import { formatListenUrl, LISTEN_PROTOCOLS, type ListenAddress } from './config/listen-url.ts';
import { SystemError } from './system/errors.ts';
import type { PassedSocket } from './system/passed-sockets.ts';

/** A listener, and the descriptor of its socket where that was passed on. */
export type Seat = ListenAddress & { readonly fd?: number };

/**
 * Gives each socket that was passed on to a listener: to the one that is configured for its address; else, if it is named
 * after a protocol (`smtp`, or `smtp-v6`), to the first of that protocol that has none, whose place it takes, or to a new
 * one.
 * @throws SystemError SOCKET_UNMATCHED for a socket that nothing is known about
 */
export function seatSockets(listen: readonly ListenAddress[], sockets: readonly PassedSocket[]): Seat[] {
  const seats: Seat[] = [...listen];
  for (const socket of sockets) {
    const protocol = LISTEN_PROTOCOLS.find((name) => socket.name === name || socket.name.startsWith(`${name}-`));
    const free = (seat: Seat): boolean => seat.fd === undefined;
    let index = seats.findIndex((seat) => free(seat) && isAt(seat, socket));
    if (index < 0 && protocol) index = seats.findIndex((seat) => free(seat) && seat.protocol === protocol);
    const seat = seats[index];
    if (seat) seats[index] = sit(seat, socket);
    else if (protocol) seats.push(sit({ protocol } as ListenAddress, socket));
    else throw unmatched(socket);
  }
  return seats;
}

function isAt(seat: Seat, { at }: PassedSocket): boolean {
  return 'path' in at ? seat.path === at.path : seat.host === at.host && seat.port === at.port;
}

function sit(seat: ListenAddress, { at, fd }: PassedSocket): Seat {
  const { host: _host, port: _port, path: _path, ...rest } = seat;
  return { ...rest, ...at, fd } as Seat;
}

function unmatched({ name, at }: PassedSocket): SystemError {
  const where = formatListenUrl({ protocol: 'smtp', ...at } as ListenAddress).slice('smtp://'.length);
  return new SystemError(
    'SOCKET_UNMATCHED',
    `socket ${name} at ${where} belongs to no listener: name it after its protocol (FileDescriptorName=smtp), or configure listen for its address`,
  );
}
