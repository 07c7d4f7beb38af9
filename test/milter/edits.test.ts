/** What milters change of messages, and what they may not. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSpool } from '../../src/mail/content.ts';
import type { FromMilter } from '../../src/milter/packets.ts';
import { FakeMilter, type FakeMilterOptions } from '../support/fake-milter.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import {
  type Bench,
  type BenchOptions,
  CONTENT,
  codesOf,
  converse,
  later,
  startBench,
  stopAfterEach,
  TRANSACTION,
} from './support.ts';

stopAfterEach();

const LEADING_SPACE = 0x10_0000;
const C = { kind: 'continue' } as const;

interface Edited extends Bench {
  readonly codes: string;
  readonly milter: FakeMilter;
}

/** Sends a message through a milter that answers its end so. */
async function edit(
  packets: readonly FromMilter[],
  {
    options,
    bench,
    lines = TRANSACTION,
  }: { options?: FakeMilterOptions; bench?: BenchOptions; lines?: readonly string[] } = {},
): Promise<Edited> {
  const milter = await FakeMilter.start(({ kind }) => (kind === 'end' ? packets : undefined), options);
  later(() => milter.stop());
  const started = await startBench([milter.address()], bench);
  return { ...started, milter, codes: codesOf(await converse(started.port, lines)) };
}

const accepts = (...packets: FromMilter[]): FromMilter[] => [...packets, C];
const field = (name: string, value: string): FromMilter => ({ kind: 'addHeader', name, value });
const body = (text: string): FromMilter => ({ kind: 'replaceBody', octets: Buffer.from(text, 'latin1') });

describe('a milter', () => {
  it('that changes nothing leaves one message, octet for octet', async () => {
    const { taken } = await edit(accepts());
    expect(taken).toMatchObject([{ content: CONTENT, original: undefined }]);
  });

  it('adds, inserts, changes and deletes header fields; the body stays and the original too', async () => {
    const { taken, reportsOf } = await edit(
      accepts(
        field('X-Added', 'v'),
        { kind: 'insertHeader', index: 0, name: 'X-Top', value: 'one\n\ttwo' },
        { kind: 'changeHeader', index: 1, name: 'subject', value: 'changed' },
        { kind: 'changeHeader', index: 1, name: 'From', value: '' },
      ),
    );
    expect(taken[0]!.content).toBe('X-Top: one\r\n\ttwo\r\nSubject: changed\r\nX-Added: v\r\n\r\nHello\r\n');
    expect(taken[0]!.original).toBe(CONTENT);
    expect(reportsOf('milter').at(-1)).toMatchObject({
      milter: 'milter-1',
      phase: 'message',
      verdict: 'continue',
      edits: [
        { edit: 'add-header', what: 'X-Added: v' },
        { edit: 'insert-header', what: '0 X-Top: one two' },
        { edit: 'change-header', what: '1 subject: changed' },
        { edit: 'delete-header', what: '1 From' },
      ],
    });
  });

  it('that takes leading spaces sees and sets values as they are', async () => {
    const odd = 'A:x\r\nB:  y\r\nC:\tz\r\n\r\nHello\r\n';
    const lines = [...TRANSACTION.slice(0, 4), `${odd}.`];
    const { taken, milter } = await edit(accepts(field('X', 'v')), { options: { protocol: LEADING_SPACE }, lines });
    const seen = milter.asked().packets.flatMap((one) => (one.kind === 'header' ? [one.value] : []));
    expect(seen).toEqual(['x', '  y', '\tz']);
    expect(taken[0]!.content).toBe('A:x\r\nB:  y\r\nC:\tz\r\nX:v\r\n\r\nHello\r\n');
    const other = await edit(accepts(), { lines });
    expect(other.milter.asked().packets.flatMap((one) => (one.kind === 'header' ? [one.value] : []))).toEqual([
      'x',
      ' y',
      '\tz',
    ]);
  });

  it('replaces the body, in pieces; a last line gets its end', async () => {
    const { taken } = await edit(accepts(body('new\r\n'), field('X', 'v'), body('rest')));
    expect(taken[0]!.content).toBe('From: Alice <a@example.test>\r\nSubject: hi\r\nX: v\r\n\r\nnew\r\nrest\r\n');
    expect(taken[0]!.message.content.bareNewlines).toBe(false);
    const emptied = await edit(accepts(body('')));
    expect(emptied.taken[0]!.content).toBe('From: Alice <a@example.test>\r\nSubject: hi\r\n\r\n');
  });

  it('that brings bare line ends has its message flagged', async () => {
    const { taken } = await edit(accepts(body('a\nb\r\n')));
    expect(taken[0]).toMatchObject({
      content: expect.stringContaining('\r\n\r\na\nb\r\n'),
      message: { content: { bareNewlines: true } },
    });
  });

  it('gives a header to a message that has none, and keeps its body whole', async () => {
    const lines = [...TRANSACTION.slice(0, 4), 'no header here\r\nat all\r\n.'];
    const { taken } = await edit(accepts(field('X', 'v')), { lines });
    expect(taken[0]!.content).toBe('X: v\r\n\r\nno header here\r\nat all\r\n');
  });

  it('changes sender and recipients', async () => {
    const { taken } = await edit(
      accepts(
        { kind: 'changeSender', address: '<new@example.test>', words: 'RET=HDRS' },
        { kind: 'addRecipient', address: 'c@example.test' },
        { kind: 'addRecipientPar', address: '<d@example.test>', words: 'NOTIFY=NEVER' },
        { kind: 'addRecipient', address: '<c@EXAMPLE.test>' },
        { kind: 'deleteRecipient', address: '<b@Example.Test>' },
        { kind: 'deleteRecipient', address: '<nobody@example.test>' },
      ),
    );
    const { envelope, original, content } = taken[0]!.message;
    expect(envelope.from).toMatchObject({ path: { text: 'new@example.test' } });
    expect([...envelope.from.params]).toEqual([['RET', 'HDRS']]);
    expect(envelope.to.map(({ path }) => path.text)).toEqual(['c@example.test', 'd@example.test']);
    expect([...envelope.to[1]!.params]).toEqual([['NOTIFY', 'NEVER']]);
    expect(original!.envelope.to.map(({ path }) => path.text)).toEqual(['b@example.test']);
    expect(original!.content).toBe(content);
  });

  it('makes the sender null', async () => {
    const { taken } = await edit(accepts({ kind: 'changeSender', address: '<>', words: undefined }));
    expect(taken[0]!.message.envelope.from.path).toBeNull();
  });

  it('that leaves no recipient has the message thrown away', async () => {
    const { taken, codes, reportsOf } = await edit(accepts({ kind: 'deleteRecipient', address: '<b@example.test>' }));
    expect(codes).toBe('220 250 250 250 354 250');
    expect(taken).toEqual([]);
    expect(reportsOf('message')).toMatchObject([{ discardedBy: 'milter-1' }]);
  });

  it('quarantines; the last reason counts', async () => {
    const { taken } = await edit(
      accepts({ kind: 'quarantine', reason: 'first' }, { kind: 'quarantine', reason: 'be\x1bcause' }),
    );
    expect(taken).toMatchObject([{ content: CONTENT, message: { quarantine: 'be?cause' } }]);
  });

  it('that rejects has changed nothing, whatever it sent before', async () => {
    const { taken, codes } = await edit([
      field('X', 'v'),
      body('x'),
      { kind: 'quarantine', reason: 'q' },
      { kind: 'reject' },
    ]);
    expect(codes).toBe('220 250 250 250 354 550');
    expect(taken).toEqual([]);
  });

  it('shows signs of life as often as it wants', async () => {
    const { taken } = await edit(
      accepts({ kind: 'progress' }, { kind: 'progress' }, field('X', 'v'), { kind: 'progress' }),
    );
    expect(taken[0]!.content).toContain('X: v\r\n');
  });

  it.each([
    ['a header with a name that is none', field('X Y', 'v')],
    ['a header without a name', field('', 'v')],
    ['a recipient that is no address', { kind: 'addRecipient', address: '<nonsense>' } as const],
    ['a recipient with a line end', { kind: 'addRecipient', address: '<a@b.test>\r\nRCPT TO:<x@y.test>' } as const],
    ['the null recipient', { kind: 'addRecipient', address: '<>' } as const],
    ['parameters that are none', { kind: 'addRecipientPar', address: '<c@d.test>', words: 'NOTIFY=\r\n' } as const],
    ['a sender that is no address', { kind: 'changeSender', address: 'x y', words: undefined } as const],
  ])('cannot have %s; the rest of its answer counts', async (_what, packet) => {
    const { taken, reportsOf } = await edit(accepts(packet, field('X', 'v')));
    expect(taken[0]!.content).toContain('\r\nX: v\r\n');
    expect(taken[0]!.message.envelope.to).toHaveLength(1);
    expect(taken[0]!.message.envelope.from.path?.text).toBe('a@example.test');
    expect(reportsOf('milter-oddity')).toHaveLength(1);
  });

  it('fills no log with what it cannot have', async () => {
    const { reportsOf } = await edit(accepts(...Array.from({ length: 900 }, () => field('X Y', 'v'))));
    expect(reportsOf('milter-oddity')).toHaveLength(6);
    expect(reportsOf('milter-oddity').at(-1)!.text).toBe('not done: 895 more');
  });

  it('cannot make a header of its value', async () => {
    const { taken } = await edit(accepts(field('X', 'a\r\nBcc: x@y.test\n\nbody')));
    expect(taken[0]!.content).toContain('\r\nX: a\r\n\tBcc: x@y.test\r\n\tbody\r\n\r\nHello\r\n');
  });

  it('may do only what it asked to do', async () => {
    const { taken, reportsOf } = await edit(accepts(field('X', 'v'), { kind: 'quarantine', reason: 'q' }), {
      options: { actions: 0x10 },
    });
    expect(taken).toMatchObject([{ content: CONTENT, original: undefined }]);
    expect(taken[0]!.message.quarantine).toBeUndefined();
    expect(reportsOf('milter-oddity').map(({ text }) => text)).toEqual([
      'not done: addHeader, which it did not ask to do',
      'not done: quarantine, which it did not ask to do',
    ]);
    const replaced = await edit(accepts(body('x')), { options: { actions: 1 } });
    expect(replaced.codes).toBe('220 250 250 250 354 451'); // what it let pass is not what there is
    expect(replaced.taken).toEqual([]);
  });

  it.each([
    ['changes', Array.from({ length: 1001 }, () => field('X', 'v'))],
    ['octets of headers', [field('X', 'v'.repeat(65_536))]],
    [
      'recipients',
      Array.from({ length: 101 }, (_, n): FromMilter => ({ kind: 'addRecipient', address: `r${n}@b.test` })),
    ],
    ['octets of body', [body('x'.repeat(60_000)), body('x'.repeat(60_000))]],
  ])('that wants too many %s is not heard any more', async (what, packets) => {
    const { taken, codes, reportsOf } = await edit(accepts(...packets), { bench: { contentBytes: 100_000 } });
    expect(codes).toBe('220 250 250 250 354 451');
    expect(taken).toEqual([]);
    expect(reportsOf('milter-failure')).toMatchObject([{ why: 'protocol', text: `it wants too many ${what}` }]);
  });

  it('adds no recipient that the rules refuse, and none beyond what a message may have', async () => {
    const rules = { name: 'rules', rcpt: () => ({ verdict: { code: 550, enhanced: '5.7.1', text: 'Not here' } }) };
    const refused = await edit(accepts({ kind: 'addRecipient', address: 'c@example.test' }), { bench: { rules } });
    expect(refused.taken[0]!.message.envelope.to).toHaveLength(1);
    expect(refused.reportsOf('milter-oddity')[0]!.text).toBe('not done: the recipient "c@example.test": Not here');
    const many = Array.from({ length: 100 }, (_, n): FromMilter => ({ kind: 'addRecipient', address: `r${n}@b.test` }));
    const { taken } = await edit(accepts(...many));
    expect(taken[0]!.message.envelope.to).toHaveLength(100);
  });

  it('changes a large message on disk, and leaves no file behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inboxd-milter-'));
    later(() => rm(folder, { recursive: true, force: true }));
    const line = `${'0123456789'.repeat(7)}\r\n`;
    const text = line.repeat(20_000);
    const content = Buffer.from(`A: 1\r\n\r\n${text}`);
    const milter = await FakeMilter.start(({ kind }) => (kind === 'end' ? accepts(field('X', 'v')) : undefined));
    later(() => milter.stop());
    const bench = await startBench([milter.address()], { spool: createSpool({ directory: folder }) });
    const client = await SmtpClient.open(bench.port);
    await deliver(client, { from: 'a@example.test', to: ['b@example.test'], content });
    await client.quit();
    expect(bench.taken[0]!.content).toBe(`A: 1\r\nX: v\r\n\r\n${text}`);
    expect(bench.taken[0]!.original).toBe(content.toString());
    expect(bench.taken[0]!.message.content.at.kind).toBe('file');
    const pieces = milter.asked().packets.flatMap((one) => (one.kind === 'body' ? [one.octets] : []));
    expect(Buffer.concat(pieces).toString()).toBe(text);
    expect(pieces.slice(0, -1).every(({ length }) => length === 65_535)).toBe(true);
    await expect.poll(() => readdir(folder)).toEqual([]);
  });

  it('gets a header that no packet can hold cut, while the message keeps it', async () => {
    const long = `A: ${'x'.repeat(900)}\r\n${`\t${'y'.repeat(900)}\r\n`.repeat(80)}`;
    const lines = [...TRANSACTION.slice(0, 4), `${long}\r\nHello\r\n.`];
    const { taken, milter } = await edit(accepts(field('X', 'v')), { lines });
    const [header] = milter.asked().packets.filter(({ kind }) => kind === 'header');
    expect(header).toMatchObject({ name: 'A', value: expect.stringMatching(/^x{900}\n\ty/) });
    expect((header as { value: string }).value).toHaveLength(65_532);
    expect(taken[0]!.content).toBe(`${long}X: v\r\n\r\nHello\r\n`);
  });

  it('is not shown a header section without end', async () => {
    const lines = [...TRANSACTION.slice(0, 4), `${`A: ${'x'.repeat(990)}\r\n`.repeat(1100)}\r\n.`];
    const { codes, taken, milter } = await edit(accepts(), { lines });
    expect(codes).toBe('220 250 250 250 354 552');
    expect(taken).toEqual([]);
    await expect.poll(() => milter.asked().letters).toBe('OCHMRTAQ');
  });
});
