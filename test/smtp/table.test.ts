import { describe, expect, it } from 'vitest';
import { lmtp, lmtpTlsRequired } from '../../src/lmtp/table.ts';
import { mailinator, smtp, smtpTlsRequired } from '../../src/smtp/table.ts';
import { VERBS } from '../../src/smtp/verbs.ts';
import { parseDialogues, play } from '../support/dialogue.ts';

/** How a client brings a session into each state that reads lines. */
const INTO = {
  idle: [],
  ehlo: ['EHLO me.test', 'S250'],
  mail: ['EHLO me.test', 'S250', 'MAIL FROM:<a@b.test>', 'S250'],
  rcpt: ['EHLO me.test', 'S250', 'MAIL FROM:<a@b.test>', 'S250', 'RCPT TO:<c@d.test>', 'S250'],
  bdat: ['EHLO me.test', 'S250', 'MAIL FROM:<a@b.test>', 'S250', 'RCPT TO:<c@d.test>', 'S250', 'BDAT 0', 'S250'],
  dataDone: [
    ...['EHLO me.test', 'S250', 'MAIL FROM:<a@b.test>', 'S250', 'RCPT TO:<c@d.test>', 'S250', 'DATA', 'S354'],
    ...['hi', '.', 'S250'],
  ],
} as const;
type LineState = keyof typeof INTO;

/** Each command in good form, in bad form, and what each state answers to both. */
// biome-ignore format: a table
const EXPECTED: readonly { good: string; bad?: string; badCode?: string; codes: Record<LineState, string> }[] = [
  { good: 'EHLO you.test',        bad: 'EHLO',             badCode: '501', codes: { idle: '250', ehlo: '250', mail: '250', rcpt: '250', bdat: '250', dataDone: '250' } },
  { good: 'HELO you.test',        bad: 'HELO',             badCode: '501', codes: { idle: '250', ehlo: '250', mail: '250', rcpt: '250', bdat: '250', dataDone: '250' } },
  { good: 'MAIL FROM:<x@y.test>', bad: 'MAIL TO:<x@y>',                    codes: { idle: '503', ehlo: '250', mail: '503', rcpt: '503', bdat: '503', dataDone: '250' } },
  { good: 'RCPT TO:<x@y.test>',   bad: 'RCPT FROM:<x@y>',                  codes: { idle: '503', ehlo: '503', mail: '250', rcpt: '250', bdat: '503', dataDone: '503' } },
  { good: 'DATA',                 bad: 'DATA now',                         codes: { idle: '503', ehlo: '503', mail: '503', rcpt: '354', bdat: '503', dataDone: '503' } },
  { good: 'BDAT 0',                                                        codes: { idle: '503', ehlo: '503', mail: '503', rcpt: '250', bdat: '250', dataDone: '503' } },
  { good: 'BDAT 0 LAST',                                                   codes: { idle: '503', ehlo: '503', mail: '503', rcpt: '250', bdat: '250', dataDone: '503' } },
  { good: 'RSET',                 bad: 'RSET now',         badCode: '501', codes: { idle: '250', ehlo: '250', mail: '250', rcpt: '250', bdat: '250', dataDone: '250' } },
  { good: 'NOOP',                 bad: 'NOOP \x01',        badCode: '501', codes: { idle: '250', ehlo: '250', mail: '250', rcpt: '250', bdat: '250', dataDone: '250' } },
  { good: 'VRFY someone',         bad: 'VRFY',             badCode: '501', codes: { idle: '252', ehlo: '252', mail: '252', rcpt: '252', bdat: '252', dataDone: '252' } },
  { good: 'HELP',                 bad: 'HELP nonsense',    badCode: '504', codes: { idle: '214', ehlo: '214', mail: '214', rcpt: '214', bdat: '214', dataDone: '214' } },
  { good: 'QUIT',                 bad: 'QUIT now',         badCode: '501', codes: { idle: '221', ehlo: '221', mail: '221', rcpt: '221', bdat: '221', dataDone: '221' } },
  ...['EXPN', 'AUTH', 'STARTTLS', 'ETRN', 'TURN', 'SEND', 'SOML', 'SAML'].map((good) => (
  { good,                                                                  codes: { idle: '502', ehlo: '502', mail: '502', rcpt: '502', bdat: '502', dataDone: '502' } })),
  { good: 'LHLO you.test',                                                 codes: { idle: '500', ehlo: '500', mail: '500', rcpt: '500', bdat: '500', dataDone: '500' } },
  { good: 'FROB x',                                                        codes: { idle: '500', ehlo: '500', mail: '500', rcpt: '500', bdat: '500', dataDone: '500' } },
  { good: 'connect',                                                       codes: { idle: '500', ehlo: '500', mail: '500', rcpt: '500', bdat: '500', dataDone: '500' } },
  { good: 'end',                                                           codes: { idle: '500', ehlo: '500', mail: '500', rcpt: '500', bdat: '500', dataDone: '500' } },
  { good: '',                                                              codes: { idle: '500', ehlo: '500', mail: '500', rcpt: '500', bdat: '500', dataDone: '500' } },
  { good: 'GET / HTTP/1.1',                                                codes: { idle: '421', ehlo: '421', mail: '421', rcpt: '421', bdat: '421', dataDone: '421' } },
  { good: 'Subject: hi',                                                   codes: { idle: '421', ehlo: '421', mail: '421', rcpt: '421', bdat: '421', dataDone: '421' } },
];

/** Which commands a state accepts afterwards tells which state it is. */
const PROBES: Record<LineState, readonly (readonly [string, string])[]> = {
  idle: [['MAIL FROM:<p@q.test>', '503 5.5.1 Say EHLO']],
  ehlo: [
    ['RCPT TO:<p@q.test>', '503'],
    ['MAIL FROM:<p@q.test>', '250'],
  ],
  mail: [
    ['DATA', '5'],
    ['RCPT TO:<p@q.test>', '250'],
  ],
  rcpt: [
    ['MAIL FROM:<p@q.test>', '503 5.5.1 Sender'],
    ['DATA', '354'],
  ],
  bdat: [
    ['DATA', '503 5.5.1 BDAT has begun'],
    ['BDAT 0 LAST', '250'],
  ],
  dataDone: [
    ['RCPT TO:<p@q.test>', '503'],
    ['MAIL FROM:<p@q.test>', '250'],
  ],
};

function script(state: LineState, ...more: readonly (readonly [string, string])[]): string {
  const steps = INTO[state].map((line) => (/^S\d/.test(line) ? `S: ${line.slice(1)}` : `C: ${line}`));
  return ['== table', 'S: 220', ...steps, ...more.flatMap(([command, code]) => [`C: ${command}`, `S: ${code}`])].join(
    '\n',
  );
}

async function playScript(text: string): Promise<void> {
  const [dialogue] = parseDialogues(text);
  await play('smtp', dialogue!, 'whole');
}

describe('every command in every state', () => {
  for (const state of Object.keys(INTO) as LineState[]) {
    it.each(EXPECTED.map((row) => [row.good, row.codes[state]]))(
      `${state}: %j is answered %s`,
      async (command, code) => {
        await playScript(script(state, [command, code]));
      },
    );

    it.each(EXPECTED.filter(({ bad }) => bad).map((row) => [row.bad!, row.badCode ?? badCode(row.codes[state])]))(
      `${state}: %j is answered %s and changes nothing`,
      async (command, code) => {
        await playScript(script(state, [command, code], ...PROBES[state]));
      },
    );

    it.each(EXPECTED.filter(({ codes }) => codes[state].startsWith('5')).map((row) => [row.good, row.codes[state]]))(
      `${state}: refusing %j with %s changes nothing`,
      async (command, code) => {
        await playScript(script(state, [command, code], ...PROBES[state]));
      },
    );
  }

  /** Order of checks: verb, sequence, argument. */
  function badCode(goodCode: string): string {
    return goodCode === '503' ? '503' : '501';
  }
});

describe('the tables', () => {
  it.each([smtp, smtpTlsRequired, lmtp, lmtpTlsRequired, mailinator])(
    '$table.name answers every signal in every state it can come in',
    ({ table, find }) => {
      for (const [state, { read }] of Object.entries(table.states as Record<string, { read: string }>)) {
        if (read === 'handshake') {
          // no word of ours would be understood: what else happens ends the connection in silence
          expect(find(state as never, 'secured'), state).toBeDefined();
          continue;
        }
        const signals = ['timeout', 'crash', 'shutdown'];
        if (read === 'line') signals.push('unknown', 'misplaced', 'badLine');
        else if (read === 'answer') signals.push('answer', 'badLine', 'tooManyFails');
        else signals.push('end', 'endless');
        for (const signal of signals) expect(find(state as never, signal), `${state} x ${signal}`).toBeDefined();
      }
    },
  );

  it('have a row in every line state for every verb of the protocol, or answer 503', () => {
    for (const { verb, only } of VERBS) {
      if (only !== 'LMTP') expect(smtp.knows(verb), verb).toBe(true);
      if (only !== 'SMTP') expect(lmtp.knows(verb), verb).toBe(true);
    }
  });
});
