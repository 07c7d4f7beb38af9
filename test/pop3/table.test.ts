import { describe, expect, it } from 'vitest';
import { pop3 } from '../../src/pop3/table.ts';
import { parseDialogues } from '../support/dialogue.ts';
import { playPop3 } from '../support/pop3-dialogue.ts';

const USER = ['C: USER ann@in.test', 'S: +OK *'];
const LOGIN = [...USER, 'C: PASS secret', 'S: +OK 1 message'];
/** How a client brings a session into each state that reads lines. */
const INTO = { authorization: [], password: USER, transaction: LOGIN } as const;
type LineState = keyof typeof INTO;

/** What each state answers to each command in good form: yes, no, or yes with lines and a lone dot behind. */
// biome-ignore format: a table
const EXPECTED: readonly (readonly [command: string, Record<LineState, '+' | '-' | '+.'>])[] = [
  ['CAPA',      { authorization: '+.', password: '+.', transaction: '+.' }],
  ['USER a@b',  { authorization: '+',  password: '+',  transaction: '-' }],
  ['PASS look', { authorization: '-',  password: '+',  transaction: '-' }],
  ['PASS no',   { authorization: '-',  password: '-',  transaction: '-' }],
  ['STLS',      { authorization: '-',  password: '-',  transaction: '-' }],
  ['STAT',      { authorization: '-',  password: '-',  transaction: '+' }],
  ['LIST',      { authorization: '-',  password: '-',  transaction: '+.' }],
  ['LIST 1',    { authorization: '-',  password: '-',  transaction: '+' }],
  ['UIDL',      { authorization: '-',  password: '-',  transaction: '+.' }],
  ['UIDL 1',    { authorization: '-',  password: '-',  transaction: '+' }],
  ['RETR 1',    { authorization: '-',  password: '-',  transaction: '+.' }],
  ['TOP 1 0',   { authorization: '-',  password: '-',  transaction: '+.' }],
  ['DELE 1',    { authorization: '-',  password: '-',  transaction: '+' }],
  ['RSET',      { authorization: '-',  password: '-',  transaction: '+' }],
  ['NOOP',      { authorization: '-',  password: '-',  transaction: '+' }],
  ['QUIT',      { authorization: '+',  password: '+',  transaction: '+' }],
  ['QUIT now',  { authorization: '-',  password: '-',  transaction: '-' }],
  ['LAST',      { authorization: '-',  password: '-',  transaction: '-' }],
  ['APOP a b',  { authorization: '-',  password: '-',  transaction: '-' }],
  ['AUTH',      { authorization: '-',  password: '-',  transaction: '-' }],
  ['connect',   { authorization: '-',  password: '-',  transaction: '-' }],
  ['secured',   { authorization: '-',  password: '-',  transaction: '-' }],
  ['',          { authorization: '-',  password: '-',  transaction: '-' }],
];
/** The lines behind a yes. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  CAPA: ['TOP', 'USER', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'IMPLEMENTATION inboxd'],
  LIST: ['1 *'],
  UIDL: ['1 message1'],
  'RETR 1': ['(trace)', 'Subject: one', '', 'body'],
  'TOP 1 0': ['(trace)', 'Subject: one', ''],
};

describe.each(Object.keys(INTO) as LineState[])('in %s', (state) => {
  it.each(EXPECTED.map(([command, answers]) => [command, answers[state]] as const))(
    '%j is answered %s',
    (command, answer) => {
      const replies = answer === '-' ? ['S: -ERR *'] : ['S: +OK *'];
      const lines = answer === '+.' ? [...LINES[command]!, '.'] : [];
      const ends = command === 'QUIT' ? ['S: (close)'] : ['C: QUIT', 'S: +OK *', 'S: (close)'];
      const script = ['== row', '@ message1 Subject: one\\r\\n\\r\\nbody\\r\\n', 'S: +OK *', ...INTO[state]];
      script.push(`C: ${command}`, ...replies, ...lines.map((line) => `S: ${line}`), ...ends);
      const [dialogue] = parseDialogues(script.join('\n'));
      return expect(playPop3(dialogue!, 'whole')).resolves.toBeUndefined();
    },
  );
});

it('has an answer to every command in every state that reads lines', () => {
  for (const state of Object.keys(INTO) as LineState[]) {
    for (const signal of ['misplaced', 'unknown', 'badLine', 'tooManyFails', 'timeout', 'shutdown', 'crash'] as const) {
      expect(pop3.find(state, signal), `${state} x ${signal}`).toBeDefined();
    }
  }
});
