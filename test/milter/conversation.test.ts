/** What a milter is asked, and when: negotiation, macros, the life of sessions and messages, several milters. */
import { describe, expect, it } from 'vitest';
import type { FromMilter, ToMilter } from '../../src/milter/packets.ts';
import { FakeMilter, type FakeMilterOptions, type Script } from '../support/fake-milter.ts';
import { dotStuff, SmtpClient, submit } from '../support/smtp-client.ts';
import { CONTENT, codesOf, converse, ENVELOPE, later, startBench, stopAfterEach, TRANSACTION } from './support.ts';

stopAfterEach();

const R: FromMilter = { kind: 'reject' };
const MAIL = ENVELOPE[1]!;
const RCPT = ENVELOPE[2]!;

async function start(
  script?: (...asked: Parameters<Script>) => ReturnType<Script> | undefined,
  options?: FakeMilterOptions,
) {
  const milter = await FakeMilter.start(script ?? (() => undefined), options);
  later(() => milter.stop());
  return milter;
}

/** What a milter of some kind is asked in a session of these lines. */
async function letters(lines: readonly string[], options?: FakeMilterOptions): Promise<string> {
  const milter = await start(undefined, options);
  const { port } = await startBench([milter.address()]);
  await converse(port, lines);
  await expect.poll(() => milter.asked().isClosed).toBe(true);
  return milter.asked().letters;
}

describe('a milter is asked', () => {
  // biome-ignore format: a table
  it.each([
    ['nothing left out',  0x0,      'OCHUMRTLLNBEQ'],
    ['no CONNECT',        0x1,      'OHUMRTLLNBEQ'],
    ['no HELO',           0x2,      'OCUMRTLLNBEQ'],
    ['no MAIL',           0x4,      'OCHURTLLNBEQ'],
    ['no RCPT',           0x8,      'OCHUMTLLNBEQ'],
    ['no body',           0x10,     'OCHUMRTLLNEQ'],
    ['no headers',        0x20,     'OCHUMRTNBEQ'],
    ['no end of header',  0x40,     'OCHUMRTLLBEQ'],
    ['no UNKNOWN',        0x100,    'OCHMRTLLNBEQ'],
    ['no DATA',           0x200,    'OCHUMRLLNBEQ'],
    ['only the end',      0x37f,    'OEQ'],
  ])('what it wants: %s', async (_what, protocol, asked) => {
    expect(await letters(['EHLO client.test', 'FROB', ...TRANSACTION.slice(1)], { protocol })).toBe(asked);
  });

  // biome-ignore format: a table
  it.each<[string, number, ToMilter['kind']]>([
    ['CONNECT', 0x1000, 'connect'],
    ['HELO', 0x2000, 'hello'],
    ['MAIL', 0x4000, 'mail'],
    ['RCPT', 0x8000, 'rcpt'],
    ['DATA', 0x1_0000, 'data'],
    ['UNKNOWN', 0x2_0000, 'unknown'],
    ['headers', 0x80, 'header'],
    ['the end of header', 0x4_0000, 'headEnd'],
    ['body', 0x8_0000, 'body'],
  ])('without waiting where it gives no reply: %s', async (_what, protocol, silent) => {
    const milter = await start(({ kind }) => (kind === silent ? [] : undefined), { protocol });
    const { port, taken } = await startBench([milter.address()]);
    const said = await converse(port, ['EHLO client.test', 'FROB', ...TRANSACTION.slice(1)]);
    expect(codesOf(said)).toBe('220 250 500 250 250 354 250');
    expect(taken).toHaveLength(1);
  });

  it('without a reply before the end, as rspamd has it, many headers at once', async () => {
    const silent = 0xff080;
    const milter = await start(({ kind }) => (kind === 'end' ? undefined : []), { protocol: silent });
    const { port, taken } = await startBench([milter.address()]);
    const content = `${'A: b\r\n'.repeat(5_000)}\r\n${'x'.repeat(70)}\r\n`;
    await converse(port, [...TRANSACTION.slice(0, 4), `${content}.`]);
    expect(taken[0]!.content).toBe(content);
    await expect.poll(() => milter.asked().letters.replace(/L+/, 'L')).toBe('OCHMRTLNBEQ');
    expect(milter.asked().packets.filter(({ kind }) => kind === 'header')).toHaveLength(5_000);
  });

  it.each<[2 | 3 | 4 | 6, number, number, string]>([
    [2, 0x3f, 0x7f, 'OCHMRLLNBEQ'],
    [3, 0x3f, 0x17f, 'OCHUMRLLNBEQ'],
    [4, 0x3f, 0x37f, 'OCHUMRTLLNBEQ'],
    [6, 0x1ff, 0x1fffff, 'OCHUMRTLLNBEQ'],
  ])('in version %i of the protocol', async (version, actions, protocol, asked) => {
    const milter = await start(undefined, { version, actions: 1, protocol: 0 });
    const { port } = await startBench([milter.address(`?version=${version}`)]);
    await converse(port, ['EHLO client.test', 'FROB', ...TRANSACTION.slice(1)]);
    await expect.poll(() => milter.asked().isClosed).toBe(true);
    expect(milter.asked().packets[0]).toEqual({ kind: 'negotiate', version, actions, protocol });
    expect(milter.asked().letters).toBe(asked);
  });

  it.each([
    ['of version 7', { version: 7 }],
    ['of version 1', { version: 1 }],
    ['with an action nobody knows', { actions: 0x200 }],
    ['with a bit nobody knows', { protocol: 0x20_0000 }],
    ['that is none', { negotiate: [{ kind: 'continue' }] as const }],
    ['cut short', { negotiate: Buffer.from('000000094f0000000600000001', 'hex') }],
    ['by hanging up', { negotiate: 'hang up' as const }],
    ['with a list of macros without end', { lists: [{ stage: 2, names: 'i '.repeat(3000) }] }],
  ])('nothing after an answer to the offer %s', async (_what, options) => {
    const milter = await start(undefined, options);
    const { port, reportsOf } = await startBench([milter.address()]);
    expect(codesOf(await converse(port, ENVELOPE.slice(0, 2)))).toBe('220 250 451');
    const [failure] = reportsOf('milter-failure');
    expect(failure?.why).toMatch(/^(?:negotiation|protocol)$/);
    expect(milter.asked().letters).toBe('O');
  });

  it('although it answers with the bits of larger packets, which nobody offered', async () => {
    expect(await letters(TRANSACTION, { protocol: 0x7000_0000 })).toBe('OCHMRTLLNBEQ');
  });

  it('about the client, its name and where it is', async () => {
    const milter = await start();
    const named = { name: 'dns', connect: () => ({ clientName: 'c.example.test' }) };
    const { port } = await startBench([milter.address()], { before: [named] });
    await converse(port, ENVELOPE);
    const [, connect] = milter.asked().packets.filter(({ kind }) => kind !== 'macros');
    expect(connect).toMatchObject({
      kind: 'connect',
      hostname: 'c.example.test',
      family: '4',
      peer: { address: '127.0.0.1' },
    });
    expect(milter.asked().macros('C')).toMatchObject({
      _: 'c.example.test [127.0.0.1]',
      '{client_name}': 'c.example.test',
    });
  });

  it('with macros in front of each command, those that are known', async () => {
    const milter = await start();
    const { port } = await startBench([milter.address()]);
    await converse(port, [
      'EHLO client.test',
      'MAIL FROM:<a@example.test> SIZE=10 BODY=8BITMIME',
      'RCPT TO:<b@b.test> NOTIFY=NEVER',
      'DATA',
      `Message-ID: <1@x>\r\n${CONTENT}.`,
    ]);
    const asked = milter.asked();
    expect(asked.macros('C')).toMatchObject({
      j: 'mx.test',
      v: 'inboxd 1',
      _: 'unknown [127.0.0.1]',
      '{daemon_name}': 'smtp',
      '{daemon_addr}': '127.0.0.1',
      '{daemon_port}': '2525',
      '{client_addr}': '127.0.0.1',
    });
    const { i } = asked.macros('M')!;
    expect(i).toMatch(/^[0-9a-z]{26}\.1$/);
    expect(asked.macros('M')).toEqual({
      i,
      '{mail_mailer}': 'esmtp',
      '{mail_host}': 'example.test',
      '{mail_addr}': 'a@example.test',
    });
    expect(asked.macros('R')).toEqual({
      i,
      '{rcpt_mailer}': 'local',
      '{rcpt_host}': 'b.test',
      '{rcpt_addr}': 'b@b.test',
    });
    expect(asked.macros('E')).toEqual({ i, '{msg_id}': '<1@x>' });
    expect(asked.macros('H')).toBeUndefined();
    expect(asked.packets).toContainEqual({ kind: 'mail', words: ['<a@example.test>', 'SIZE=10', 'BODY=8BITMIME'] });
    expect(asked.packets).toContainEqual({ kind: 'rcpt', words: ['<b@b.test>', 'NOTIFY=NEVER'] });
    const order = asked.packets
      .map((one) => (one.kind === 'macros' ? one.command.toLowerCase() : one.kind))
      .slice(1, 8);
    expect(order).toEqual(['c', 'connect', 'hello', 'm', 'mail', 'r', 'rcpt']);
  });

  it('with the macros that it names instead, also for a command that it leaves out', async () => {
    const lists = [
      { stage: 2, names: '{mail_addr}, i {nonsense}' },
      { stage: 3, names: '' },
      { stage: 5, names: '{mail_addr}' },
      { stage: 9, names: 'j' },
    ];
    const milter = await start(undefined, { protocol: 0x4, lists });
    const { port } = await startBench([milter.address()]);
    await converse(port, TRANSACTION);
    expect(Object.keys(milter.asked().macros('M')!)).toEqual(['{mail_addr}', 'i']);
    expect(milter.asked().macros('R')).toBeUndefined();
    expect(milter.asked().macros('E')).toEqual({ '{mail_addr}': 'a@example.test' });
    expect(milter.asked().letters).not.toContain('M');
  });

  // biome-ignore format: a table
  it.each([
    ['RSET',                      [...ENVELOPE, 'RSET', MAIL, 'QUIT'],                       'OCHMRAMAQ'],
    ['a second EHLO',             [...ENVELOPE, 'EHLO again.test', MAIL],                    'OCHMRAHMAQ'],
    ['the client that vanishes',  ENVELOPE,                                                  'OCHMRAQ'],
    ['RSET outside a message',    ['EHLO a.test', 'RSET', 'RSET'],                           'OCHQ'],
    ['two messages in a row',     [...TRANSACTION, ...TRANSACTION.slice(1)],                 'OCHMRTLLNBEMRTLLNBEQ'],
    ['a command in the wrong place', ['EHLO a.test', 'RCPT TO:<x@y.test>', 'DATA', MAIL, MAIL], 'OCHMAQ'],
  ])('to forget a message, and to end, at the right time: %s', async (_what, lines, asked) => {
    expect(await letters(lines)).toBe(asked);
  });

  it('to forget a message that is too large', async () => {
    const milter = await start();
    const { port } = await startBench([milter.address()], { contentBytes: 100 });
    const said = await converse(port, [...TRANSACTION.slice(0, 4), `${'x'.repeat(120)}\r\n.`, 'QUIT']);
    expect(codesOf(said)).toBe('220 250 250 250 354 552 221');
    await expect.poll(() => milter.asked().letters).toBe('OCHMRTAQ');
  });

  it('about a message in chunks like any other', async () => {
    const milter = await start();
    const { port, taken } = await startBench([milter.address()]);
    const client = await SmtpClient.open(port);
    const mail = { from: 'a@example.test', to: ['b@example.test'], content: Buffer.from('A: 1\r\n\r\nhi\r\n') };
    await submit(client, mail, { by: 'BDAT', chunkBytes: 5 });
    await client.quit();
    expect(taken[0]!.content).toBe('A: 1\r\n\r\nhi\r\n');
    await expect.poll(() => milter.asked().letters).toBe('OCHMRTLNBEQ');
  });

  it('about LMTP too, and each recipient has its reply', async () => {
    const milter = await start(({ kind }) => (kind === 'end' ? [R] : undefined));
    const { port } = await startBench([milter.address()], { services: { protocol: 'LMTP' } });
    const client = await SmtpClient.open(port, 'LHLO client.test');
    for (const line of [MAIL, RCPT, 'RCPT TO:<c@d.test>']) await client.expect(250, line);
    await client.expect(354, 'DATA');
    await client.write(dotStuff(Buffer.from(CONTENT)));
    expect([(await client.reply()).code, (await client.reply()).code]).toEqual([550, 550]);
    await client.drop();
  });

  it('about recipients that are refused, if it wants to know', async () => {
    const no = {
      name: 'no',
      rcpt: (...[, , to]: unknown[]) =>
        (to as { path: { local: string } }).path.local === 'x'
          ? { verdict: { code: 550, enhanced: '5.1.1', text: 'No x here' } }
          : undefined,
    };
    for (const [protocol, count] of [
      [0x800, 2],
      [0, 1],
    ] as const) {
      const milter = await start(undefined, { protocol });
      const { port } = await startBench([milter.address()], { before: [no] });
      const said = await converse(port, [...ENVELOPE.slice(0, 2), 'RCPT TO:<x@y.test>', ...TRANSACTION.slice(2)]);
      expect(codesOf(said)).toBe('220 250 250 550 250 354 250');
      expect(milter.asked().packets.filter(({ kind }) => kind === 'rcpt')).toHaveLength(count);
      const refused = milter
        .asked()
        .packets.find((one) => one.kind === 'macros' && one.values.some(([, value]) => value === 'error'));
      expect(refused?.kind === 'macros' && Object.fromEntries(refused.values)).toEqual(
        count === 1
          ? false
          : expect.objectContaining({ '{rcpt_mailer}': 'error', '{rcpt_host}': '5.1.1', '{rcpt_addr}': 'No x here' }),
      );
    }
  });

  it('not about a recipient that it has refused itself', async () => {
    const milter = await start(({ kind }) => (kind === 'rcpt' ? [R] : undefined), { protocol: 0x800 });
    const { port } = await startBench([milter.address()]);
    await converse(port, [...ENVELOPE, 'RSET']);
    await expect.poll(() => milter.asked().letters).toBe('OCHMRAQ');
  });

  it('about nothing that another filter has thrown away', async () => {
    const milter = await start();
    const before = [{ name: 'bin', mail: () => ({ discard: true }) }];
    const { port, taken } = await startBench([milter.address()], { before });
    expect(codesOf(await converse(port, TRANSACTION))).toBe('220 250 250 250 354 250');
    expect(taken).toEqual([]);
    await expect.poll(() => milter.asked().letters).toBe('OCHQ');
  });

  it('or else no message passes: a refused EHLO does not take one away from it', async () => {
    const milter = await start();
    let asked = 0;
    const behind = [
      {
        name: 'no',
        hello: () => (++asked > 1 ? { verdict: { code: 550, enhanced: '5.7.1', text: 'No' } } : undefined),
      },
    ];
    const { port, taken } = await startBench([milter.address()], { behind });
    const said = await converse(port, [
      ...ENVELOPE,
      'EHLO other.test',
      'RCPT TO:<d@e.test>',
      'DATA',
      'RSET',
      ...TRANSACTION.slice(1),
    ]);
    expect(codesOf(said)).toBe('220 250 250 250 550 451 451 250 250 250 354 250');
    expect(taken).toHaveLength(1);
  });
});

describe('several milters', () => {
  const add = (name: string): FromMilter[] => [{ kind: 'addHeader', name, value: 'v' }, { kind: 'continue' }];

  it('are asked in order, and each sees what those before it made of a message', async () => {
    const first = await start(({ kind }) =>
      kind === 'end'
        ? [
            { kind: 'deleteRecipient', address: '<b@example.test>' },
            { kind: 'addRecipient', address: 'c@example.test' },
            { kind: 'insertHeader', index: 0, name: 'X-One', value: '1' },
            { kind: 'replaceBody', octets: Buffer.from('new\r\n') },
            { kind: 'continue' },
          ]
        : undefined,
    );
    const second = await start(({ kind }) => (kind === 'end' ? add('X-Two') : undefined));
    const { port, taken } = await startBench([first.address(), second.address()]);
    await converse(port, TRANSACTION);
    const seen = second
      .asked()
      .packets.flatMap((one) =>
        one.kind === 'header' ? [one.name] : one.kind === 'body' ? [one.octets.toString()] : [],
      );
    expect(seen).toEqual(['X-One', 'From', 'Subject', 'new\r\n']);
    expect(taken[0]!.content).toBe(
      'X-One: 1\r\nFrom: Alice <a@example.test>\r\nSubject: hi\r\nX-Two: v\r\n\r\nnew\r\n',
    );
    expect(taken[0]!.original).toBe(CONTENT);
    expect(taken[0]!.message.envelope.to.map(({ path }) => path.text)).toEqual(['c@example.test']);
    expect(taken[0]!.message.original!.envelope.to.map(({ path }) => path.text)).toEqual(['b@example.test']);
  });

  // biome-ignore format: a table
  it.each<[string, ToMilter['kind'], FromMilter, string, string, string]>([
    ['at connect',   'connect', R,                    '554',                     'OCQ',          'OQ'],
    ['at HELO',      'hello',   R,                    '220 250 550',             'OCHQ',         'OCQ'],
    ['at MAIL',      'mail',    R,                    '220 250 550',             'OCHMQ',        'OCHQ'],
    ['at RCPT',      'rcpt',    R,                    '220 250 250 550',         'OCHMRAQ',      'OCHMAQ'],
    ['at DATA',      'data',    R,                    '220 250 250 250 550',     'OCHMRTQ',      'OCHMRAQ'],
    ['at the end',   'end',     R,                    '220 250 250 250 354 550', 'OCHMRTLLNBEQ', 'OCHMRTAQ'],
    ['in the header', 'header', { kind: 'discard' },  '220 250 250 250 354 250', 'OCHMRTLQ',     'OCHMRTAQ'],
    ['by accepting', 'mail',    { kind: 'accept' },   '220 250 250 250 354 250', 'OCHMQ',        'OCHMRTLLNBEQ'],
  ])('stop at the first that says no: %s', async (_what, stage, answer, codes, one, two) => {
    const first = await start(({ kind }) => (kind === stage ? [answer] : undefined));
    const second = await start();
    const { port } = await startBench([first.address(), second.address()]);
    const said = await converse(port, TRANSACTION.slice(0, codes.split(' ').length - 1));
    expect(codesOf(said)).toBe(codes);
    await expect.poll(() => first.asked().isClosed && second.asked().isClosed).toBe(true);
    expect([first.asked().letters, second.asked().letters]).toEqual([one, two]);
  });

  it('that come first learn that a later one said no', async () => {
    const first = await start();
    const second = await start(({ kind }) => (kind === 'mail' ? [R] : undefined));
    const { port } = await startBench([first.address(), second.address()]);
    await converse(port, [...ENVELOPE.slice(0, 2), 'NOOP']);
    await expect.poll(() => [first.asked().letters, second.asked().letters]).toEqual(['OCHMAQ', 'OCHMQ']);
  });

  it('are each connected to before the greeting, at the same time', async () => {
    const slow = Promise.withResolvers<void>();
    const second = await start();
    const first = await FakeMilter.start(({ kind }) => {
      if (kind !== 'connect') return undefined;
      void slow.promise.then(() => first.connections[0]!.socket.write(Buffer.from('0000000163', 'hex')));
      return [];
    });
    later(() => first.stop());
    const { port } = await startBench([first.address(), second.address()]);
    const talking = converse(port, ['QUIT']);
    await expect.poll(() => second.connections[0]?.letters).toBe('O');
    slow.resolve();
    expect(codesOf(await talking)).toBe('220 221');
  });
});
