/** What a session remembers of a transaction, and of octets that it has refused: with the real machine, without a network. */
import { describe, expect, it } from 'vitest';
import { CUTS, parseDialogues, play } from '../support/dialogue.ts';

const HELLO = { smtp: ['C: EHLO x.test', 'S: 250'], lmtp: ['C: LHLO x.test', 'S: 250'] } as const;
type Protocol = keyof typeof HELLO;

const say = (command: string, code: string): string[] => [`C: ${command}`, `S: ${code}`];
const OPEN = [
  ...say('MAIL FROM:<old@a.test>', '250'),
  ...say('RCPT TO:<one@b.test>', '250'),
  ...say('RCPT TO:<two@b.test>', '250'),
];
const LARGE = 'x'.repeat(70);

/** Everything that ends a transaction: setting, steps, and how often the last reply comes by LMTP. */
// biome-ignore format: a table
const ENDS: readonly { how: string; settings?: string[]; steps: string[]; each?: true }[] = [
  { how: 'RSET',                                steps: [...OPEN, ...say('RSET', '250')] },
  { how: 'a second greeting',                   steps: [...OPEN, 'HELLO'] },
  { how: 'a message that is taken',             steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 250'], each: true },
  { how: 'a sink that refuses for good',        settings: ['sink refuse 550 5.7.1 No'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 550'], each: true },
  { how: 'a sink that refuses for now',         settings: ['sink refuse 452 4.2.2 Full'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 452'], each: true },
  { how: 'a sink that throws',                  settings: ['sink throw'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 451'], each: true },
  { how: 'a full disk',                         settings: ['sink full'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 452'], each: true },
  { how: 'a sink that never answers',           settings: ['sink hang', 'sinkMs 20'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 451'], each: true },
  { how: 'a verdict that is none',              settings: ['sink junk'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 451'], each: true },
  { how: 'a fault of ours behind the content',  settings: ['reportThrows message'], steps: [...OPEN, ...say('DATA', '354'), 'C: hi', 'C: .', 'S: 451'], each: true },
  { how: 'content beyond the limit',            settings: ['contentBytes 50'], steps: [...OPEN, ...say('DATA', '354'), `C: ${LARGE}`, 'C: .', 'S: 552'], each: true },
  { how: 'chunks that are taken',               steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', 'C: BDAT 2 LAST', 'C~ hi', 'S: 250'], each: true },
  { how: 'a last chunk that the sink refuses',  settings: ['sink refuse 550 5.7.1 No'], steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', 'C: BDAT 2 LAST', 'C~ hi', 'S: 550'], each: true },
  { how: 'a first chunk beyond the limit',      settings: ['contentBytes 50'], steps: [...OPEN, 'C: BDAT 70', `C~ ${LARGE}`, 'S: 552'] },
  { how: 'a later chunk beyond the limit',      settings: ['contentBytes 50'], steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', 'C: BDAT 70', `C~ ${LARGE}`, 'S: 552'] },
  { how: 'a last chunk beyond the limit',       settings: ['contentBytes 50'], steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', 'C: BDAT 70 LAST', `C~ ${LARGE}`, 'S: 552'], each: true },
  { how: 'RSET between chunks',                 steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', ...say('RSET', '250')] },
  { how: 'a second greeting between chunks',    steps: [...OPEN, 'C: BDAT 2', 'C~ hi', 'S: 250', 'HELLO'] },
];

/** What a transaction outlives. */
// biome-ignore format: a table
const HARMLESS: readonly (readonly [command: string, code: string])[] = [
  ['NOOP', '250'], ['NOOP \\x01', '501'], ['VRFY someone', '252'], ['VRFY', '501'], ['HELP', '214'], ['EXPN list', '502'], ['ETRN x', '502'],
  ['XYZZY', '500'], ['MAIL FROM:<other@a.test>', '503'], ['RCPT TO:<@>', '501'], ['RCPT TO:<é@b.test>', '553'], ['RCPT FROM:<x@b.test>', '501'],
  ['RSET now', '501'], ['QUIT now', '501'], ['DATA now', '501'], ['EHLO', '501'], ['\\{120*4200}', '500'],
];

async function playAll(
  protocol: Protocol,
  settings: readonly string[],
  steps: readonly string[],
  checks: readonly string[],
): Promise<void> {
  const lines = steps.flatMap((step) => (step === 'HELLO' ? HELLO[protocol] : [step]));
  const text = [
    '== threat',
    ...settings.map((one) => `@ ${one}`),
    'S: 220',
    ...HELLO[protocol],
    ...lines,
    ...checks,
  ].join('\n');
  const [dialogue] = parseDialogues(text);
  for (const cut of CUTS) await play(protocol, dialogue!, cut);
}

const QUIET = ['failuresBeforeDelay 100', 'failuresBeforeCut 100'];

describe.each(['smtp', 'lmtp'] as const)('Half-cleared state: by %s', (protocol) => {
  it.each(ENDS.map((end) => [end.how, end] as const))(
    'after %s nothing of the old transaction is left',
    async (_how, { settings = [], steps, each }) => {
      const multiplied = steps.map((step, at) =>
        each && at === steps.length - 1 && protocol === 'lmtp' ? step.replace('S:', 'S*2:') : step,
      );
      const fresh = [
        ...say('RCPT TO:<late@b.test>', '503'),
        ...say('DATA', '503'),
        ...['C: BDAT 4 LAST', 'C~ QUIT', 'S: 503'],
        ...say('MAIL FROM:<new@a.test>', '250'),
        ...say('DATA', '503'),
        ...say('RCPT TO:<fresh@b.test>', '250'),
        ...say('DATA', '354'),
        // one reply, by LMTP as well: one recipient
        ...['C: new', 'C: .', 'S: ', ...say('NOOP', '250')],
      ];
      const isKept = settings.every((one) => !/^sink /.test(one));
      const before = isKept && (steps.includes('C: hi') || steps.includes('C: BDAT 2 LAST')) ? 1 : 0;
      const checks = isKept
        ? [
            `= messages ${before + 1}`,
            `= message ${before + 1}`,
            '= from <new@a.test>',
            '= to <fresh@b.test>',
            '= content new\\r\\n',
          ]
        : [];
      await playAll(protocol, [...QUIET, ...settings], [...multiplied, ...fresh], checks);
    },
  );

  it.each(HARMLESS)('%s (%s) leaves the open transaction whole', async (command, code) => {
    const wanted = protocol === 'lmtp' && command.startsWith('EHLO') ? '500' : code;
    const steps = [
      ...say('MAIL FROM:<old@a.test>', '250'),
      ...(command.startsWith('DATA') ? [] : say(command, wanted)),
      ...say('RCPT TO:<one@b.test>', '250'),
      ...say(command, wanted),
      ...say('RCPT TO:<two@b.test>', '250'),
      ...say('DATA', '354'),
      ...['C: hi', 'C: .', protocol === 'lmtp' ? 'S*2: 250' : 'S: 250'],
    ];
    await playAll(protocol, QUIET, steps, [
      '= messages 1',
      '= from <old@a.test>',
      '= to <one@b.test> <two@b.test>',
      '= content hi\\r\\n',
    ]);
  });
});

describe.each(['smtp', 'lmtp'] as const)('BDAT desync: by %s', (protocol) => {
  /** Octets that would end the session, and bring mail, were they run. */
  const PAYLOAD = 'QUIT\\r\\nMAIL FROM:<evil@x.test>\\r\\n';
  const BYTES = 31;
  // biome-ignore format: a table
  const REFUSALS: readonly (readonly [where: string, settings: readonly string[], before: readonly string[], code: string])[] = [
    ['before MAIL',                      [], [], '503'],
    ['before RCPT',                      [], say('MAIL FROM:<a@b.test>', '250'), '503'],
    ['where all recipients were refused', [], [...say('MAIL FROM:<a@b.test>', '250'), ...say('RCPT TO:<@>', '501')], '554'],
    ['beyond the limit',                 ['contentBytes 30'], OPEN, '552'],
    ['behind a refused chunk',           ['contentBytes 30'], [...OPEN, 'C: BDAT 40', `C~ ${'x'.repeat(40)}`, 'S: 552'], '503'],
    ['after a message',                  [], [...say('MAIL FROM:<a@b.test>', '250'), ...say('RCPT TO:<c@d.test>', '250'), 'C: BDAT 2 LAST', 'C~ hi', 'S: 250'], '503'],
  ];

  it.each(REFUSALS)(
    'the payload of a chunk %s is read away to its last octet',
    async (_where, settings, before, code) => {
      for (const last of ['', ' LAST']) {
        const isEach = protocol === 'lmtp' && code === '552' && last !== '';
        const steps = [
          ...before,
          `C: BDAT ${BYTES}${last}`,
          `C~ ${PAYLOAD}`,
          `S${isEach ? '*2' : ''}: ${code}`,
          ...say('NOOP', '250'),
          ...say(
            'MAIL FROM:<a@b.test>',
            code === '503' && before.length === 2 ? '503' : code === '554' ? '503' : '250',
          ),
        ];
        await playAll(protocol, [...QUIET, ...settings], steps, []);
      }
    },
  );

  it.each(['BDAT', 'BDAT x', 'BDAT -1', 'BDAT 1 2', 'BDAT 99999999999999999999999 LAST', 'BDAT 0x10'])(
    '%s: nobody knows how much follows, so nothing behind it is run',
    async (command) => {
      await playAll(
        protocol,
        QUIET,
        [...OPEN, `C: ${command}`, `C~ ${PAYLOAD}`, 'S: 5', 'S: (close)'],
        ['= messages 0'],
      );
    },
  );
});

describe('Sink or milter text: a verdict that is none', () => {
  // biome-ignore format: a table
  const BAD = ['junk', 'circular', 'refuse 250 5.0.0 class', 'refuse 550 4.0.0 class', 'refuse 354 3.0.0 go on', 'refuse 99 5.0.0 small', 'refuse 550 5.0 short', 'refuse 550 5.0.0 caf\u00e9', `refuse 550 5.0.0 ${'x'.repeat(451)}`];

  it.each(BAD.map((sink) => [sink.slice(0, 40), sink]))('what %s says is one line of ours', async (_shown, sink) => {
    const steps = [
      ...say('MAIL FROM:<a@b.test>', '250'),
      ...say('RCPT TO:<c@d.test>', '250'),
      ...say('DATA', '354'),
      'C: hi',
      'C: .',
      'S: 451 4.3.0',
      ...say('NOOP', '250'),
    ];
    await playAll('smtp', [...QUIET, `sink ${sink}`], steps, ['= crashes 1']);
    expect(BAD).toContain(sink);
  });
});
