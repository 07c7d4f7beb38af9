import type { Protocol } from '../wire/connection.ts';
import { END, type Row } from '../wire/machine.ts';
import type { Reply } from '../wire/reply.ts';
import { bdatBeforeTls, tlsFirst } from './handlers/starttls.ts';
import type { Session } from './session.ts';
import type { SmtpState } from './table.ts';
import { VERB_OF } from './verbs.ts';

type ClearState = SmtpState | 'clear';
type ClearRow = Row<ClearState, Session, string, Reply>;

/**
 * The table of a listener that requires TLS: the protocol's own behind one more state, `clear`, in which a session
 * begins. Every row of `idle` has its counterpart there. Verbs that may come before TLS do what they do in `idle` but
 * lead nowhere; the others are answered 530, and STARTTLS is the way out.
 */
export function requireTls(protocol: Protocol<SmtpState, Session>): Protocol<ClearState, Session> {
  return {
    name: `${protocol.name}-tls-required`,
    start: 'clear',
    states: { ...protocol.states, clear: { read: 'line', deadline: 'commandMs' } },
    rows: [...protocol.rows.filter((row) => row.in.includes('idle')).map(inClear), ...protocol.rows],
  };
}

function inClear(row: Row<SmtpState, Session, string, Reply>): ClearRow {
  const { on, run, ok, fail } = row;
  const facts = VERB_OF.get(on.split(' ', 1)[0] ?? '');
  if (facts && !facts.beforeTls) return { in: ['clear'], on, run: on === 'BDAT' ? bdatBeforeTls : tlsFirst };
  return { in: ['clear'], on, run, ...(isWayOut(ok) && { ok }), ...(isWayOut(fail) && { fail }) };
}

function isWayOut(next: SmtpState | typeof END | undefined): boolean {
  return next === 'handshake' || next === 'refused' || next === END;
}
