import { inboxGlob, type Query } from '../../mail/query.ts';
import { covers, type Grant } from './grant.ts';

/** A search as a client with credentials for some inboxes may ask it. */
export interface ScopedQuery {
  /** What to ask the store: finds all that fit, and maybe more. */
  readonly wide: Query;
  /** What of the store's answer may not fit: nothing, messages that lie in inboxes of others as well, or any. */
  readonly doubtful: 'none' | 'shared' | 'all';
}

const NOTHING_FITS: Query = { kind: 'not', part: { kind: 'all' } };

/**
 * Makes a search tell nothing of the other inboxes that a message lies in, which to find it or not to find it by would.
 *
 * The store looks into all inboxes, blind copies and recipients of a message, whoever asks. What it finds by a term that
 * could be about them has to be looked at again, by what is seen of the message; and where such a term is negated, the
 * store must not leave out what it would leave out for them.
 */
export function scopeQuery(query: Query, grant: Grant): ScopedQuery {
  const doubt: { level: ScopedQuery['doubtful'] } = { level: 'none' };
  const wide = widen(query, grant, false, doubt);
  return { wide, doubtful: doubt.level };
}

function widen(query: Query, grant: Grant, isNegated: boolean, doubt: { level: ScopedQuery['doubtful'] }): Query {
  switch (query.kind) {
    case 'and':
    case 'or':
      return { kind: query.kind, parts: query.parts.map((part) => widen(part, grant, isNegated, doubt)) };
    case 'not':
      return { kind: 'not', part: widen(query.part, grant, !isNegated, doubt) };
    case 'field':
      if (query.field === 'inbox' && !isGlob(query)) return covers(grant, inboxGlob(query)) ? query : NOTHING_FITS;
      if (query.field !== 'inbox' && query.field !== 'bcc' && query.field !== 'addressed') return query;
      break;
    case 'text':
      break;
    default:
      return query;
  }
  if (isNegated) doubt.level = 'all';
  else if (doubt.level === 'none') doubt.level = 'shared';
  return isNegated ? NOTHING_FITS : query;
}

type InboxTerm = Extract<Query, { kind: 'field' }>;

function isGlob(term: InboxTerm): boolean {
  return /[*?]/.test(inboxGlob(term));
}
