import type { Reply } from '../../wire/reply.ts';
import { listing, stuffed, top as topOf } from '../maildrop.ts';
import {
  BAD_ARGUMENT,
  BAD_NUMBER,
  IS_DELETED,
  IS_GONE,
  MAY_NOT_DELETE,
  multiLine,
  NO_ARGUMENT_TAKEN,
  NO_SUCH_MESSAGE,
  ok,
} from '../replies.ts';
import type { Session } from '../session.ts';

/** STAT (RFC 1939 §5): messages and octets that are not marked as deleted. */
export async function stat(session: Session, arg: string): Promise<Reply> {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  const { maildrop } = session;
  let octets = 0;
  for (const number of maildrop.numbers()) {
    if (session.isOver) break; // nobody waits for the sum
    octets += await maildrop.octets(number);
  }
  return ok(`${maildrop.count} ${octets}`);
}

/** LIST (RFC 1939 §5): the size of one message, or of each. */
export async function list(session: Session, arg: string): Promise<Reply> {
  const { maildrop } = session;
  if (arg !== '') {
    const number = numberOf(session, arg);
    return typeof number === 'number' ? ok(`${number} ${await maildrop.octets(number)}`) : number;
  }
  const lines: string[] = [];
  for (const number of maildrop.numbers()) {
    if (session.isOver) break;
    lines.push(`${number} ${await maildrop.octets(number)}`);
  }
  return multiLine(`${maildrop.count} messages`, listing(lines));
}

/** UIDL (RFC 1939 §7): a name for one message, or for each, that stays the same in every session. */
export function uidl(session: Session, arg: string): Reply {
  const { maildrop } = session;
  if (arg !== '') {
    const number = numberOf(session, arg);
    return typeof number === 'number' ? ok(`${number} ${maildrop.uniqueId(number)}`) : number;
  }
  const names = [...maildrop.numbers()].map((number) => `${number} ${maildrop.uniqueId(number)}`);
  return multiLine('Unique ids follow', listing(names));
}

/** RETR (RFC 1939 §5): a message whole. */
export async function retr(session: Session, arg: string): Promise<Reply> {
  const number = numberOf(session, arg);
  if (typeof number !== 'number') return number;
  const departure = await session.maildrop.retrieve(number);
  if (!departure) return IS_GONE;
  session.retrieved();
  return multiLine(`${departure.octets} octets`, stuffed(departure.stream()));
}

/** TOP (RFC 1939 §7): the header and the first lines of the body. */
export async function top(session: Session, arg: string): Promise<Reply> {
  const [first = '', lines = '', ...more] = arg.split(/ +/);
  if (more.length > 0 || !/^\d{1,9}$/.test(lines)) return BAD_ARGUMENT;
  const number = numberOf(session, first);
  if (typeof number !== 'number') return number;
  const departure = await session.maildrop.retrieve(number);
  if (!departure) return IS_GONE;
  return multiLine('Top follows', stuffed(topOf(departure.stream(), Number(lines))));
}

/** DELE (RFC 1939 §5): marks; QUIT removes. */
export function dele(session: Session, arg: string): Reply {
  const number = numberOf(session, arg);
  if (typeof number !== 'number') return number;
  if (!session.pass!.mayDelete) return MAY_NOT_DELETE;
  session.maildrop.mark(number);
  return ok(`Message ${number} goes at QUIT`);
}

/** RSET (RFC 1939 §5): nothing is marked any more. */
export function rset(session: Session, arg: string): Reply {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  session.maildrop.unmarkAll();
  return ok(`${session.maildrop.count} messages`);
}

/** The number of a message that can be asked for, or why it cannot. */
function numberOf({ maildrop }: Session, text: string): number | Reply {
  if (!/^\d{1,9}$/.test(text)) return BAD_NUMBER;
  const number = Number(text);
  if (!maildrop.has(number)) return NO_SUCH_MESSAGE;
  return maildrop.isMarked(number) ? IS_DELETED : number;
}
