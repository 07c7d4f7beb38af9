/** What each answer of a milter does at each stage, as the client of SMTP sees it, and as the milter does. */
import { describe, expect, it } from 'vitest';
import type { FromMilter, ToMilter } from '../../src/milter/packets.ts';
import { FakeMilter, type FakeMilterOptions, type Response } from '../support/fake-milter.ts';
import { codesOf, converse, ENVELOPE, later, startBench, stopAfterEach, TRANSACTION } from './support.ts';

stopAfterEach();

async function milterThat(
  kind: ToMilter['kind'],
  response: Response,
  options?: FakeMilterOptions,
): Promise<FakeMilter> {
  const milter = await FakeMilter.start(
    (asked, times) => (asked.kind === kind && times === 0 ? response : undefined),
    options,
  );
  later(() => milter.stop());
  return milter;
}

const say = (text: string): FromMilter => ({ kind: 'reply', text });

interface Row {
  readonly stage: ToMilter['kind'];
  readonly answer: FromMilter;
  /** Codes of greeting, EHLO, MAIL, RCPT, DATA, message. */
  readonly codes: string;
  /** What the milter was asked in the end. */
  readonly letters: string;
  /** Messages that the sink got. */
  readonly taken: number;
}

const C = { kind: 'continue' } as const;
const A = { kind: 'accept' } as const;
const R = { kind: 'reject' } as const;
const T = { kind: 'tempfail' } as const;
const D = { kind: 'discard' } as const;
const S = { kind: 'skip' } as const;
const DOWN = { kind: 'shutdown' } as const;

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { stage: 'connect', answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'connect', answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCQ',          taken: 1 },
  { stage: 'connect', answer: R,                       codes: '554 503 503 503 503 503', letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: T,                       codes: '220 250 451 503 503 500', letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: say('550 5.7.1 no'),     codes: '554 503 503 503 503 503', letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: say('450 4.7.1 later'),  codes: '220 250 450 503 503 500', letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: say('421 4.7.1 later'),  codes: '421 (cl',                 letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'connect', answer: S,                       codes: '220 250 451 503 503 500', letters: 'OC',           taken: 0 },
  { stage: 'connect', answer: DOWN,                    codes: '421 (cl',                 letters: 'OCQ',          taken: 0 },
  { stage: 'connect', answer: { kind: 'connectionFail' }, codes: '220 250 451 503 503 500', letters: 'OC',        taken: 0 },
  { stage: 'hello',   answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'hello',   answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHQ',         taken: 1 },
  { stage: 'hello',   answer: R,                       codes: '220 250 550 503 503 500', letters: 'OCHQ',         taken: 0 },
  { stage: 'hello',   answer: T,                       codes: '220 250 451 503 503 500', letters: 'OCHQ',         taken: 0 },
  { stage: 'hello',   answer: say('554 5.7.1 no'),     codes: '220 250 554 503 503 500', letters: 'OCHQ',         taken: 0 },
  { stage: 'hello',   answer: say('421 4.7.1 later'),  codes: '220 421 (cl',             letters: 'OCHQ',         taken: 0 },
  { stage: 'hello',   answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'hello',   answer: S,                       codes: '220 250 451 503 503 500', letters: 'OCH',          taken: 0 },
  { stage: 'hello',   answer: DOWN,                    codes: '220 421 (cl',             letters: 'OCHQ',         taken: 0 },
  { stage: 'mail',    answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'mail',    answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMQ',        taken: 1 },
  { stage: 'mail',    answer: R,                       codes: '220 250 550 503 503 500', letters: 'OCHMUQ',       taken: 0 },
  { stage: 'mail',    answer: T,                       codes: '220 250 451 503 503 500', letters: 'OCHMUQ',       taken: 0 },
  { stage: 'mail',    answer: say('553 5.1.8 no'),     codes: '220 250 553 503 503 500', letters: 'OCHMUQ',       taken: 0 },
  { stage: 'mail',    answer: say('421 4.7.1 later'),  codes: '220 250 421 (cl',         letters: 'OCHMQ',        taken: 0 },
  { stage: 'mail',    answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMQ',        taken: 0 },
  { stage: 'mail',    answer: S,                       codes: '220 250 451 503 503 500', letters: 'OCHM',         taken: 0 },
  { stage: 'mail',    answer: DOWN,                    codes: '220 250 421 (cl',         letters: 'OCHMQ',        taken: 0 },
  { stage: 'rcpt',    answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'rcpt',    answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRQ',       taken: 1 },
  { stage: 'rcpt',    answer: R,                       codes: '220 250 250 550 554 500', letters: 'OCHMRUAQ',     taken: 0 },
  { stage: 'rcpt',    answer: T,                       codes: '220 250 250 451 554 500', letters: 'OCHMRUAQ',     taken: 0 },
  { stage: 'rcpt',    answer: say('550 5.1.1 who'),    codes: '220 250 250 550 554 500', letters: 'OCHMRUAQ',     taken: 0 },
  { stage: 'rcpt',    answer: say('421 4.7.1 later'),  codes: '220 250 250 421 (cl',     letters: 'OCHMRAQ',      taken: 0 },
  { stage: 'rcpt',    answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRQ',       taken: 0 },
  { stage: 'rcpt',    answer: S,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'rcpt',    answer: DOWN,                    codes: '220 250 250 421 (cl',     letters: 'OCHMRAQ',      taken: 0 },
  { stage: 'data',    answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'data',    answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTQ',      taken: 1 },
  { stage: 'data',    answer: R,                       codes: '220 250 250 250 550 500', letters: 'OCHMRTUQ',     taken: 0 },
  { stage: 'data',    answer: T,                       codes: '220 250 250 250 451 500', letters: 'OCHMRTUQ',     taken: 0 },
  { stage: 'data',    answer: say('554 5.7.1 no'),     codes: '220 250 250 250 554 500', letters: 'OCHMRTUQ',     taken: 0 },
  { stage: 'data',    answer: say('421 4.7.1 later'),  codes: '220 250 250 250 421 (cl', letters: 'OCHMRTQ',      taken: 0 },
  { stage: 'data',    answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTQ',      taken: 0 },
  { stage: 'data',    answer: S,                       codes: '220 250 250 250 451 500', letters: 'OCHMRT',       taken: 0 },
  { stage: 'data',    answer: DOWN,                    codes: '220 250 250 250 421 (cl', letters: 'OCHMRTQ',      taken: 0 },
  { stage: 'header',  answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'header',  answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLQ',     taken: 1 },
  { stage: 'header',  answer: R,                       codes: '220 250 250 250 354 550', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'header',  answer: T,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'header',  answer: say('550 5.6.0 no'),     codes: '220 250 250 250 354 550', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'header',  answer: say('421 4.7.1 later'),  codes: '220 250 250 250 354 421', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'header',  answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'header',  answer: S,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLNBEQ',  taken: 1 },
  { stage: 'header',  answer: DOWN,                    codes: '220 250 250 250 354 421', letters: 'OCHMRTLQ',     taken: 0 },
  { stage: 'headEnd', answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNQ',   taken: 1 },
  { stage: 'headEnd', answer: R,                       codes: '220 250 250 250 354 550', letters: 'OCHMRTLLNQ',   taken: 0 },
  { stage: 'headEnd', answer: T,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLLNQ',   taken: 0 },
  { stage: 'headEnd', answer: say('550 5.6.0 no'),     codes: '220 250 250 250 354 550', letters: 'OCHMRTLLNQ',   taken: 0 },
  { stage: 'headEnd', answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNQ',   taken: 0 },
  { stage: 'headEnd', answer: S,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLLN',    taken: 0 },
  { stage: 'headEnd', answer: DOWN,                    codes: '220 250 250 250 354 421', letters: 'OCHMRTLLNQ',   taken: 0 },
  { stage: 'body',    answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBQ',  taken: 1 },
  { stage: 'body',    answer: R,                       codes: '220 250 250 250 354 550', letters: 'OCHMRTLLNBQ',  taken: 0 },
  { stage: 'body',    answer: T,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLLNBQ',  taken: 0 },
  { stage: 'body',    answer: say('550 5.7.1 no'),     codes: '220 250 250 250 354 550', letters: 'OCHMRTLLNBQ',  taken: 0 },
  { stage: 'body',    answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBQ',  taken: 0 },
  { stage: 'body',    answer: S,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'body',    answer: DOWN,                    codes: '220 250 250 250 354 421', letters: 'OCHMRTLLNBQ',  taken: 0 },
  { stage: 'end',     answer: C,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'end',     answer: A,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 1 },
  { stage: 'end',     answer: R,                       codes: '220 250 250 250 354 550', letters: 'OCHMRTLLNBEQ', taken: 0 },
  { stage: 'end',     answer: T,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLLNBEQ', taken: 0 },
  { stage: 'end',     answer: say('554 5.7.1 spam'),   codes: '220 250 250 250 354 554', letters: 'OCHMRTLLNBEQ', taken: 0 },
  { stage: 'end',     answer: say('421 4.7.1 later'),  codes: '220 250 250 250 354 421', letters: 'OCHMRTLLNBEQ', taken: 0 },
  { stage: 'end',     answer: D,                       codes: '220 250 250 250 354 250', letters: 'OCHMRTLLNBEQ', taken: 0 },
  { stage: 'end',     answer: S,                       codes: '220 250 250 250 354 451', letters: 'OCHMRTLLNBE',  taken: 0 },
  { stage: 'end',     answer: DOWN,                    codes: '220 250 250 250 354 421', letters: 'OCHMRTLLNBEQ', taken: 0 },
];

describe('a milter that answers', () => {
  it.each(ROWS)('$stage with $answer.kind $answer.text', async ({ stage, answer, codes, letters, taken }) => {
    const milter = await milterThat(stage, [answer]);
    const bench = await startBench([milter.address()]);
    // where DATA is refused, the content's lines are commands; the first of them is enough
    const script = /354/.test(codes) ? TRANSACTION : [...ENVELOPE, 'DATA', 'FROB'];
    expect(codesOf(await converse(bench.port, script))).toBe(codes);
    await expect.poll(() => milter.asked().isClosed).toBe(true);
    expect(milter.asked().letters).toBe(letters);
    expect(bench.taken).toHaveLength(taken);
    expect(bench.reportsOf('crash')).toEqual([]);
  });

  describe('an unknown command', () => {
    // biome-ignore format: a table
    it.each<[string, FromMilter, string, string]>([
      ['continue',      C,                       '500 250 250 354 250', 'OCHMURTLLNBEQ'],
      ['reject',        R,                       '550 250 250 354 250', 'OCHMURTLLNBEQ'],
      ['tempfail',      T,                       '451 250 250 354 250', 'OCHMURTLLNBEQ'],
      ['a reply',       say('503 5.5.1 eh'),     '503 250 250 354 250', 'OCHMURTLLNBEQ'],
      ['a reply 421',   say('421 4.7.0 off'),    '421 (cl',             'OCHMUAQ'],
      ['accept',        A,                       '500 250 250 354 250', 'OCHMUQ'],
      ['discard',       D,                       '500 250 250 354 250', 'OCHMUQ'],
    ])('in a message: %s', async (_name, answer, codes, letters) => {
      const milter = await milterThat('unknown', [answer]);
      const bench = await startBench([milter.address()]);
      const said = await converse(bench.port, [...TRANSACTION.slice(0, 2), 'FROB x y', 'NOOP', ...TRANSACTION.slice(2)]);
      expect(codesOf(said.slice(3))).toBe(codes);
      await expect.poll(() => milter.asked().isClosed).toBe(true);
      expect(milter.asked().letters).toBe(letters);
      expect(milter.asked().packets).toContainEqual({ kind: 'unknown', line: 'FROB x y' });
      expect(bench.taken).toHaveLength(answer === D || codes.startsWith('421') ? 0 : 1);
    });

    it.each([A, D])('outside a message, where $kind changes nothing', async (answer) => {
      const milter = await milterThat('unknown', [answer]);
      const bench = await startBench([milter.address()]);
      const said = await converse(bench.port, ['EHLO client.test', 'FROB', ...TRANSACTION.slice(1)]);
      expect(codesOf(said)).toBe('220 250 500 250 250 354 250');
      await expect.poll(() => milter.asked().isClosed).toBe(true);
      expect(milter.asked().letters).toBe('OCHUMRTLLNBEQ');
      expect(bench.taken).toHaveLength(1);
    });
  });

  it('a verdict on the session stands across RSET, EHLO and messages', async () => {
    const milter = await milterThat('hello', [R]);
    const bench = await startBench([milter.address()]);
    const mail = 'MAIL FROM:<a@example.test>';
    const said = await converse(bench.port, [
      'EHLO one.test',
      mail,
      'RSET',
      mail,
      'EHLO two.test',
      mail,
      'NOOP',
      'QUIT',
    ]);
    expect(codesOf(said)).toBe('220 250 550 250 550 250 550 250 221');
    expect(said[2]).toBe('550 5.7.1 Command rejected');
  });

  it('a refusal of one recipient leaves the others', async () => {
    const milter = await milterThat('rcpt', [R]);
    const bench = await startBench([milter.address()]);
    const said = await converse(bench.port, [...ENVELOPE, 'RCPT TO:<c@example.test>', ...TRANSACTION.slice(3)]);
    expect(codesOf(said)).toBe('220 250 250 550 250 354 250');
    expect(bench.taken[0]!.message.envelope.to.map(({ path }) => path.text)).toEqual(['c@example.test']);
    await expect.poll(() => milter.asked().letters).toBe('OCHMRRTLLNBEQ');
  });

  it('in words of several lines, with percent signs and letters of its own', async () => {
    const milter = await milterThat('mail', [say('550-5.7.1 100%% spam\r\n550-5.7.1 h\xc3\xa9\r\n550 5.7.1 go away')]);
    const bench = await startBench([milter.address()]);
    const said = await converse(bench.port, ENVELOPE.slice(0, 2));
    expect(said[2]).toBe('550 5.7.1 100% spam / 5.7.1 h? / 5.7.1 go away');
  });

  it.each([
    ['250 2.0.0 fine', '550 5.7.1 Command rejected'],
    ['hello', '550 5.7.1 Command rejected'],
    ['450 5.7.1 contradictory', '451 4.7.1 Service unavailable - try again later'],
    ['550 5.7.1 no\n250 yes', '550 5.7.1 Command rejected'],
    ['550-5.7.1 no end', '550 5.7.1 Command rejected'],
    ['550-a\r\n551 b', '550 5.7.1 Command rejected'],
    [`550 5.7.1 ${'x'.repeat(600)}`, '550 5.7.1 Command rejected'],
    [`${'550-x\r\n'.repeat(32)}550 x`, '550 5.7.1 Command rejected'],
    ['550', '550 5.7.1 Command rejected'],
  ])('in words that are no reply, %j, is taken at its no', async (text, reply) => {
    const milter = await milterThat('mail', [say(text)]);
    const bench = await startBench([milter.address()]);
    expect((await converse(bench.port, ENVELOPE.slice(0, 2)))[2]).toBe(reply);
    expect(bench.reportsOf('milter-oddity')).toHaveLength(1);
  });
});
