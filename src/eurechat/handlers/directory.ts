import type { Reply } from '../../wire/reply.ts';
import { parsePlace } from '../place.ts';
import { ack, DEREGISTERED, INVALID_BIND, result } from '../replies.ts';
import type { Session } from '../session.ts';
import { notUnderstood } from './other.ts';

/** BIND: tells where the user listens. Somebody has to take a connection there before it is believed. */
export async function bind({ id, address, pass, services }: Session, arg: string): Promise<Reply> {
  const { directory } = services;
  const place = parsePlace(arg, address);
  if (!place) {
    directory.refuse(pass, address, id);
    return INVALID_BIND;
  }
  const trouble = await directory.bind(pass, place, id);
  return trouble === undefined ? ack(`bound successfully to ${place.address}:${place.port}`) : INVALID_BIND;
}

/** QUERY: who is bound, and where; or where one user is. */
export function query({ pass, services }: Session, arg: string): Reply {
  if (arg.includes(' ')) return notUnderstood(undefined, 'QUERY');
  const { directory, doorkeeper } = services;
  if (arg === '') return result(directory.list(pass));
  const user = doorkeeper.nameOf(arg);
  return result(user === undefined ? [] : directory.list(pass, user));
}

/** LEAVE: ends what the user has bound from this address. */
export function leave({ id, address, pass, services }: Session, arg: string): Reply {
  if (arg !== '') return notUnderstood(undefined, 'LEAVE');
  services.directory.leave(pass, address, id);
  return DEREGISTERED;
}
