import type { SQLInputValue } from 'node:sqlite';
import type { Term } from '../../mail/store.ts';
import { plain } from './address-text.ts';

/** A condition on `messages m LEFT JOIN texts t`, with the values of its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * Brings text to the form that is compared: composed, lower case, one form of sigma.
 * Full case folding (ß as ss) is not attempted.
 */
export function fold(text: string): string {
  const lower = text.normalize('NFC').toLowerCase();
  return lower.includes('ς') ? lower.replaceAll('ς', 'σ') : lower;
}

/** True if the answer depends on the text of the messages, which is indexed some time after they arrive. */
export function needsText(terms: readonly Term[]): boolean {
  return terms.some(({ field, text }) => field === 'any' && text !== '');
}

const ADDRESSED = columns('m.sender', 'm.recipients', 'm.cc', 'm.bcc', 'm.reply_to', 'm.envelope');

/** What a field looks at. Substrings go through instr(): nothing in the term is a wildcard. */
const HAYSTACKS: Readonly<Record<Exclude<Term['field'], 'any' | 'is' | 'inbox'>, string>> = {
  from: 'm.sender',
  to: 'm.recipients',
  cc: 'm.cc',
  bcc: 'm.bcc',
  'reply-to': 'm.reply_to',
  addressed: ADDRESSED,
  subject: 'm.subject',
  'message-id': 'm.message_id',
  tag: 'm.tags',
};
const HEADERS = `${columns('m.subject', 'm.message_id', 'm.tags')} || char(30) || ${ADDRESSED}`;

const NEVER: Condition = { sql: '0', values: [] };

/** Makes one condition of the terms; all must hold. */
export function compileTerms(terms: readonly Term[]): Condition {
  const parts = terms.map((term) => {
    const { sql, values } = compileTerm(term);
    return { sql: term.negated ? `NOT (${sql})` : `(${sql})`, values };
  });
  if (parts.length === 0) return { sql: '1', values: [] };
  return { sql: parts.map(({ sql }) => sql).join(' AND '), values: parts.flatMap(({ values }) => values) };
}

function compileTerm({ field, text }: Term): Condition {
  const needle = fold(plain(text));
  switch (field) {
    case 'any':
      return {
        sql: `instr(fold(${HEADERS}), ?) > 0 OR instr(coalesce(t.text, ''), ?) > 0`,
        values: [needle, needle],
      };
    case 'is':
      if (needle === 'read') return { sql: 'm.is_read = 1', values: [] };
      if (needle === 'unread') return { sql: 'm.is_read = 0', values: [] };
      return NEVER;
    case 'inbox':
      return {
        sql: `EXISTS (SELECT 1 FROM placements JOIN inboxes USING (inbox)
          WHERE placements.seq = m.seq AND instr(fold(inboxes.name), ?) > 0)`,
        values: [needle],
      };
    default:
      return { sql: `instr(fold(${HAYSTACKS[field]}), ?) > 0`, values: [needle] };
  }
}

function columns(...names: readonly string[]): string {
  return names.join(' || char(30) || ');
}
