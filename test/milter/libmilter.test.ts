/** A filter in libmilter gives every answer at every stage. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Filter } from '../../src/mail/filter.ts';
import { describeWithPythonModule } from '../support/peers.ts';
import { ownFolder, startPeer } from './peer.ts';
import { type Bench, codesOf, converse, ENVELOPE, startBench, stopAfterEach, TRANSACTION } from './support.ts';

stopAfterEach();

const FILTER = new URL('every-answer.py', import.meta.url).pathname;
/** Codes of greeting, EHLO, MAIL, RCPT, DATA and message, and how many messages get through, where the answer is good or bad news. */
const ALL = '220 250 250 250 354 250';

// biome-ignore format: a table
const ROWS: readonly (readonly [stage: string, answer: string, codes: string, taken: number])[] = [
  ['connect', 'accept',   ALL, 1],
  ['connect', 'reject',   '554', 0],
  ['connect', 'tempfail', '220 250 451', 0],
  ['connect', 'reply',    '554', 0],
  ['hello',   'accept',   ALL, 1],
  ['hello',   'reject',   '220 250 550', 0],
  ['hello',   'tempfail', '220 250 451', 0],
  ['hello',   'reply',    '220 250 550', 0],
  ['mail',    'accept',   ALL, 1],
  ['mail',    'reject',   '220 250 550', 0],
  ['mail',    'tempfail', '220 250 451', 0],
  ['mail',    'discard',  ALL, 0],
  ['mail',    'reply',    '220 250 550', 0],
  ['mail',    'later',    '220 250 450', 0],
  ['rcpt',    'accept',   ALL, 1],
  ['rcpt',    'reject',   '220 250 250 550', 0],
  ['rcpt',    'tempfail', '220 250 250 451', 0],
  ['rcpt',    'discard',  ALL, 0],
  ['rcpt',    'reply',    '220 250 250 550', 0],
  ['data',    'accept',   ALL, 1],
  ['data',    'reject',   '220 250 250 250 550', 0],
  ['data',    'tempfail', '220 250 250 250 451', 0],
  ['data',    'discard',  ALL, 0],
  ['header',  'accept',   ALL, 1],
  ['header',  'reject',   '220 250 250 250 354 550', 0],
  ['header',  'tempfail', '220 250 250 250 354 451', 0],
  ['header',  'discard',  ALL, 0],
  ['header',  'reply',    '220 250 250 250 354 550', 0],
  ['headEnd', 'accept',   ALL, 1],
  ['headEnd', 'reject',   '220 250 250 250 354 550', 0],
  ['headEnd', 'tempfail', '220 250 250 250 354 451', 0],
  ['headEnd', 'discard',  ALL, 0],
  ['body',    'accept',   ALL, 1],
  ['body',    'reject',   '220 250 250 250 354 550', 0],
  ['body',    'tempfail', '220 250 250 250 354 451', 0],
  ['body',    'discard',  ALL, 0],
  ['body',    'skip',     ALL, 1],
  ['body',    'later',    '220 250 250 250 354 450', 0],
  ['end',     'continue', ALL, 1],
  ['end',     'accept',   ALL, 1],
  ['end',     'reject',   '220 250 250 250 354 550', 0],
  ['end',     'tempfail', '220 250 250 250 354 451', 0],
  ['end',     'discard',  ALL, 0],
  ['end',     'reply',    '220 250 250 250 354 550', 0],
];

describeWithPythonModule('a filter in libmilter', 'Milter', 'python3-milter', (python) => {
  /** One filter, and a listener for each name that its clients have. */
  async function startFilter(): Promise<(name: string) => Promise<Bench>> {
    const path = join(ownFolder(), 'socket');
    await startPeer(python, [FILTER, `local:${path}`], { path });
    return (name) => {
      const named: Filter = { name: 'names', connect: () => ({ clientName: `${name}.test` }) };
      return startBench([`unix:${path}`], { before: [named] });
    };
  }

  it('is heard at every stage', async () => {
    const benchFor = await startFilter();
    for (const [stage, answer, codes, taken] of ROWS) {
      const bench = await benchFor(`${stage}-${answer}`);
      const said = await converse(bench.port, TRANSACTION.slice(0, codes.split(' ').length - 1));
      const what = `${stage} ${answer}: ${said.join(' | ')}`;
      expect(codesOf(said), what).toBe(codes);
      if (answer === 'reply') expect(said.at(-1), what).toBe(`${codes.slice(-3)} 5.7.1 100% no / 5.7.1 at ${stage}`);
      expect(bench.taken, what).toHaveLength(taken);
      expect(bench.reportsOf('milter-failure'), what).toEqual([]);
    }
  }, 60_000);

  it('chooses the words for an unknown command', async () => {
    const benchFor = await startFilter();
    for (const [answer, code] of [
      ['reject', '550'],
      ['tempfail', '451'],
      ['reply', '550'],
      ['continue', '500'],
    ] as const) {
      const bench = await benchFor(`unknown-${answer}`);
      const said = await converse(bench.port, ['EHLO client.test', 'FROB x', ...TRANSACTION.slice(1)]);
      expect(codesOf(said)).toBe(`220 250 ${code} 250 250 354 250`);
    }
  });

  it('changes a message in every way', async () => {
    const bench = await (await startFilter())('edit');
    const content = 'From: Alice <a@example.test>\r\nSubject: hi\r\nX-Gone: x\r\n\r\nHello\r\n';
    expect(codesOf(await converse(bench.port, [...TRANSACTION.slice(0, 4), `${content}.`]))).toBe(ALL);
    const [{ message, content: changed, original }] = bench.taken as [(typeof bench.taken)[number]];
    expect(changed).toBe(
      'X-Top: top\r\nFrom: Alice <a@example.test>\r\nSubject: changed\r\nX-Added: one\r\n\ttwo\r\n\r\nnew body\r\n',
    );
    expect(original).toBe(content);
    expect(message.quarantine).toBe('because');
    expect(message.envelope.from.path?.text).toBe('new@example.test');
    expect(message.envelope.to.map(({ path }) => path.text)).toEqual(['c@example.test', 'd@example.test']);
  });

  it('goes on with a session through messages, RSET and EHLO', async () => {
    const bench = await (await startFilter())('none');
    const lines = [
      ...TRANSACTION,
      ...TRANSACTION.slice(1),
      ...ENVELOPE.slice(1),
      'RSET',
      ...ENVELOPE,
      'EHLO again.test',
      ...TRANSACTION.slice(1),
    ];
    const said = await converse(bench.port, lines);
    expect(said.filter((line) => !/^[23]/.test(line))).toEqual([]);
    expect(bench.taken).toHaveLength(3);
    expect(bench.reportsOf('milter-failure')).toEqual([]);
  });
});
