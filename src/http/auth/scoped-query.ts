import { inboxGlob, type Query } from '../../mail/query.ts';
import { covers, type Grant } from './grant.ts';

/** A search as a client with credentials for some inboxes may ask it. */
export interface ScopedQuery {
  /** What it means to him. */
  readonly exact: Query;
  /** What to ask the store: finds all that fit, and maybe more. */
  readonly wide: Query;
  /** What of the store's answer may not fit: nothing, messages that lie in inboxes of others as well, or any. */
  readonly doubtful: 'none' | 'shared' | 'all';
}

const NOTHING_FITS: Query = { kind: 'not', part: { kind: 'all' } };

/**
 * Makes a search tell nothing of the other inboxes that a message lies in, which to find it or not to find it by would.
 * `inbox:` means those that he sees. `bcc:` and `addressed:` look only at what stands in the header, not at the envelope.
 * Words are looked for in the envelope too, by the store; there what it finds has to be looked at again, and what it
 * would leave out for them it must not leave out.
 */
export function scopeQuery(query: Query, grant: Grant): ScopedQuery {
  const exact = withoutEnvelope(query, grant);
  const doubt: { level: ScopedQuery['doubtful'] } = { level: 'none' };
  const wide = widen(exact, grant, false, doubt);
  return { exact, wide, doubtful: doubt.level };
}

function withoutEnvelope(query: Query, grant: Grant): Query {
  switch (query.kind) {
    case 'and':
    case 'or':
      return { kind: query.kind, parts: query.parts.map((part) => withoutEnvelope(part, grant)) };
    case 'not':
      return { kind: 'not', part: withoutEnvelope(query.part, grant) };
    case 'field': {
      const inHeader: Query = { kind: 'header', name: 'bcc', text: query.text };
      if (query.field === 'inbox') return isHidden(query, grant) ? NOTHING_FITS : query;
      if (query.field === 'bcc') return inHeader;
      if (query.field !== 'addressed') return query;
      const fields = (['from', 'to', 'cc', 'reply-to'] as const).map((field): Query => ({ ...query, field }));
      return { kind: 'or', parts: [...fields, inHeader] };
    }
    default:
      return query;
  }
}

function widen(query: Query, grant: Grant, isNegated: boolean, doubt: { level: ScopedQuery['doubtful'] }): Query {
  switch (query.kind) {
    case 'and':
    case 'or':
      return { kind: query.kind, parts: query.parts.map((part) => widen(part, grant, isNegated, doubt)) };
    case 'not':
      return { kind: 'not', part: widen(query.part, grant, !isNegated, doubt) };
    case 'field':
      if (query.field !== 'inbox' || !isGlob(query)) return query;
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

/** True for the name of an inbox that the client does not see. */
function isHidden(term: InboxTerm, grant: Grant): boolean {
  return !isGlob(term) && !covers(grant, inboxGlob(term));
}

function isGlob(term: InboxTerm): boolean {
  return /[*?]/.test(inboxGlob(term));
}
