import type { Protocol } from '../wire/connection.ts';
import { compile, END } from '../wire/machine.ts';
import type { Reply } from '../wire/reply.ts';
import { parseQuery } from './query.ts';
import {
  answer,
  BAD_QUERY,
  FORWARDING_DENIED,
  INTERNAL_ERROR,
  LIST_DENIED,
  NO_SUCH_USER,
  NOTHING_YET,
} from './replies.ts';
import type { FingerSession } from './session.ts';

/** Answers one question. */
async function query(session: FingerSession, line: string): Promise<Reply> {
  const { user, verbose, forwards } = parseQuery(line);
  if (forwards) return FORWARDING_DENIED;
  const { source, limits } = session.services;
  if (user === '' && !session.mayList) return LIST_DENIED;
  const signal = session.deadline();
  const asked = user === '' ? source.list({ verbose, signal }) : source.find(user, { verbose, signal });
  const lines = await inTime(asked, signal);
  if (lines) return answer(lines, limits);
  return user === '' ? LIST_DENIED : NO_SUCH_USER;
}

/** Waits no longer than the signal lets it; who is late is not listened to. */
function inTime<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(signal.reason);
    signal.addEventListener('abort', late, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}

/** finger (RFC 1288): one line, one answer, and the server hangs up. */
const FINGER: Protocol<'query', FingerSession> = {
  name: 'finger',
  start: 'query',
  states: { query: { read: 'answer', deadline: 'queryMs' } },
  anyLineEnd: true,
  rows: [
    { in: ['query'], on: 'connect', run: () => NOTHING_YET },
    { in: ['query'], on: 'answer', run: query, ok: END, fail: END },
    { in: ['query'], on: 'badLine', run: () => BAD_QUERY, fail: END },
    { in: ['query'], on: 'crash', run: () => INTERNAL_ERROR, fail: END },
  ],
};

export const finger = compile(FINGER);
