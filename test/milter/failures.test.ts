/** What becomes of mail when a milter cannot be asked, or answers what is no answer. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MilterFailure } from '../../src/milter/failure.ts';
import type { ToMilter } from '../../src/milter/packets.ts';
import { Places } from '../../src/milter/places.ts';
import { FakeMilter, type FakeMilterOptions, type Response } from '../support/fake-milter.ts';
import { SmtpClient } from '../support/smtp-client.ts';
import { codesOf, converse, ENVELOPE, later, startBench, stopAfterEach, TRANSACTION } from './support.ts';

stopAfterEach();

async function milterThat(
  kind: ToMilter['kind'],
  response: Response,
  options?: FakeMilterOptions,
): Promise<FakeMilter> {
  const milter = await FakeMilter.start((asked) => (asked.kind === kind ? response : undefined), options);
  later(() => milter.stop());
  return milter;
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const octets = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('a milter that cannot be reached', () => {
  // biome-ignore format: a table
  it.each([
    ['',                    '220 250 451 503 503 500', 0, undefined],
    ['?default=tempfail',   '220 250 451 503 503 500', 0, undefined],
    ['?default=reject',     '554 503 503 503 503 503', 0, undefined],
    ['?default=shutdown',   '421 (cl',                 0, undefined],
    ['?default=accept',     '220 250 250 250 354 250', 1, undefined],
    ['?default=quarantine', '220 250 250 250 354 250', 1, 'milter milter-1 could not be asked'],
  ])('%s', async (query, codes, taken, quarantine) => {
    const bench = await startBench([`inet:127.0.0.1:${await deadPort()}${query}`]);
    const script = /354/.test(codes) ? TRANSACTION : [...ENVELOPE, 'DATA', 'FROB'];
    const said = await converse(bench.port, script);
    expect(codesOf(said)).toBe(codes);
    if (codes.includes('451')) expect(said[2]).toBe('451 4.7.1 Service unavailable - try again later');
    expect(bench.taken.map(({ message }) => message.quarantine)).toEqual(taken === 0 ? [] : [quarantine]);
    const action = query.slice(query.indexOf('=') + 1) || 'tempfail';
    expect(bench.reportsOf('milter-failure')).toMatchObject([{ phase: 'connect', why: 'connect', action }]);
    expect(bench.reportsOf('crash')).toEqual([]);
  });

  it('does not take the others with it', async () => {
    const other = await milterThat('mail', [{ kind: 'continue' }]);
    const dead = `inet:127.0.0.1:${await deadPort()}?default=accept`;
    const bench = await startBench([dead, other.address()]);
    expect(codesOf(await converse(bench.port, TRANSACTION))).toBe('220 250 250 250 354 250');
    await expect.poll(() => other.asked().letters).toBe('OCHMRTLLNBEQ');
  });

  it.each([
    ['accept', undefined],
    ['quarantine', 'milter milter-2 could not be asked'],
  ])('counts as %s also when that is known before it is asked', async (action, quarantine) => {
    const port = await deadPort();
    const slow = await FakeMilter.start(({ kind }) => {
      if (kind !== 'connect') return undefined;
      setTimeout(() => slow.connections[0]!.socket.write(octets('0000000163')), 50);
      return [];
    });
    later(() => slow.stop());
    const bench = await startBench([slow.address(), `inet:127.0.0.1:${port}?default=${action}`]);
    expect(codesOf(await converse(bench.port, TRANSACTION))).toBe('220 250 250 250 354 250');
    expect(bench.taken[0]!.message.quarantine).toBe(quarantine);
    expect(bench.reportsOf('milter-failure')).toMatchObject([{ milter: 'milter-2', action }]);
  });

  it('drops the others when nobody needs them any more', async () => {
    const other = await milterThat('mail', [{ kind: 'continue' }]);
    const bench = await startBench([other.address(), `inet:127.0.0.1:${await deadPort()}`]);
    expect(codesOf(await converse(bench.port, ENVELOPE.slice(0, 2)))).toBe('220 250 451');
    expect(other.asked().letters).toBe('OCQ');
  });

  it('at a socket in the file system neither', async () => {
    const bench = await startBench(['unix:/nonexistent/socket']);
    expect(codesOf(await converse(bench.port, ENVELOPE.slice(0, 2)))).toBe('220 250 451');
  });
});

describe('a milter that fails on the way', () => {
  // biome-ignore format: a table
  it.each<[ToMilter['kind'], string, string, string]>([
    ['hello',   'tempfail',   '220 250 451 503 503 500', ''],
    ['hello',   'reject',     '220 250 550 503 503 500', ''],
    ['hello',   'shutdown',   '220 421 (cl',             ''],
    ['hello',   'accept',     '220 250 250 250 354 250', 'passed'],
    ['mail',    'tempfail',   '220 250 451 503 503 500', ''],
    ['mail',    'reject',     '220 250 550 503 503 500', ''],
    ['mail',    'shutdown',   '220 250 421 (cl',         ''],
    ['mail',    'quarantine', '220 250 250 250 354 250', 'marked'],
    ['rcpt',    'tempfail',   '220 250 250 451 554 500', ''],
    ['rcpt',    'accept',     '220 250 250 250 354 250', 'passed'],
    ['data',    'tempfail',   '220 250 250 250 451 500', ''],
    ['data',    'reject',     '220 250 250 250 550 500', ''],
    ['header',  'tempfail',   '220 250 250 250 354 451', ''],
    ['body',    'reject',     '220 250 250 250 354 550', ''],
    ['end',     'tempfail',   '220 250 250 250 354 451', ''],
    ['end',     'shutdown',   '220 250 250 250 354 421', ''],
    ['end',     'accept',     '220 250 250 250 354 250', 'passed'],
    ['end',     'quarantine', '220 250 250 250 354 250', 'marked'],
  ])('at %s: %s', async (stage, action, codes, what) => {
    const milter = await milterThat(stage, 'hang up');
    const bench = await startBench([milter.address(`?default=${action}`)]);
    const script = /354/.test(codes) ? TRANSACTION : [...ENVELOPE, 'DATA', 'FROB'];
    expect(codesOf(await converse(bench.port, script))).toBe(codes);
    expect(bench.taken.map(({ message }) => message.quarantine !== undefined)).toEqual(
      what === '' ? [] : [what === 'marked'],
    );
    expect(bench.reportsOf('milter-failure')).toMatchObject([{ why: 'closed', action }]);
  });

  it('is not passed by the recipients that were accepted before', async () => {
    let asked = 0;
    const milter = await FakeMilter.start(({ kind }) => (kind === 'rcpt' && ++asked === 2 ? 'hang up' : undefined));
    later(() => milter.stop());
    const bench = await startBench([milter.address()]);
    const said = await converse(bench.port, [
      ...ENVELOPE,
      'RCPT TO:<c@d.test>',
      'RCPT TO:<e@f.test>',
      'DATA',
      'RSET',
      ENVELOPE[1]!,
    ]);
    expect(codesOf(said)).toBe('220 250 250 250 451 451 451 250 451');
    expect(bench.taken).toEqual([]);
  });

  it('is not asked again in this session, and is in the next', async () => {
    let isBroken = true;
    const milter = await FakeMilter.start(({ kind }) => (kind === 'end' && isBroken ? 'hang up' : undefined));
    later(() => milter.stop());
    const bench = await startBench([milter.address('?default=accept')]);
    await converse(bench.port, [...TRANSACTION, ...TRANSACTION.slice(1)]);
    isBroken = false;
    await converse(bench.port, TRANSACTION);
    expect(bench.taken).toHaveLength(3);
    await expect.poll(() => milter.connections.map(({ letters }) => letters)).toEqual(['OCHMRTLLNBE', 'OCHMRTLLNBEQ']);
  });
});

describe('what is no answer ends the milter, and mail waits:', () => {
  // biome-ignore format: a table
  it.each<[string, ToMilter['kind'], Response]>([
    ['an unknown packet',                  'mail', octets('000000015a')],
    ['an offer',                           'mail', octets('0000000d4f00000006000001ff00000000')],
    ['a header before the end',            'mail', [{ kind: 'addHeader', name: 'X', value: 'v' }]],
    ['a new body before the end',          'header', [{ kind: 'replaceBody', octets: Buffer.from('x') }]],
    ['a verdict with something behind it', 'rcpt', octets('000000026300')],
    ['a packet of no octets',              'data', octets('00000000')],
    ['a packet too large',                 'body', octets('00200000')],
    ['text without an end',                'end',  octets('00000006716162636465')],
    ['a connection failure',               'mail', [{ kind: 'connectionFail' }]],
    ['half a packet and the end',          'mail', 'hang up'],
  ])('%s', async (_what, stage, response) => {
    const milter = await milterThat(stage, response);
    const bench = await startBench([milter.address()]);
    const said = await converse(bench.port, TRANSACTION.slice(0, 5));
    expect(said).toContainEqual('451 4.7.1 Service unavailable - try again later');
    expect(bench.taken).toEqual([]);
    await expect.poll(() => milter.asked().isClosed).toBe(true);
    expect(bench.reportsOf('milter-failure')).toHaveLength(1);
  });

  it('a word that nobody asked for', async () => {
    const milter = await milterThat('mail', [{ kind: 'continue' }, { kind: 'continue' }]);
    const bench = await startBench([milter.address()]);
    expect(codesOf(await converse(bench.port, ENVELOPE))).toBe('220 250 250 451');
    expect(bench.reportsOf('milter-failure')).toMatchObject([
      { why: 'protocol', text: 'it spoke without being asked' },
    ]);
  });

  it('skip where it was not agreed on', async () => {
    const milter = await milterThat('body', [{ kind: 'skip' }], { protocol: 0 });
    const bench = await startBench([milter.address()]);
    expect(codesOf(await converse(bench.port, TRANSACTION))).toBe('220 250 250 250 354 451');
  });
});

describe('a milter that takes too long', () => {
  it.each<[ToMilter['kind'], string, string]>([
    ['negotiate', 'timeout=20ms', '220 250 451'],
    ['connect', 'timeout=20ms', '220 250 451'],
    ['mail', 'timeout=20ms', '220 250 451'],
    ['body', 'content-timeout=20ms', '220 250 250 250 354 451'],
    ['end', 'content-timeout=20ms', '220 250 250 250 354 451'],
    ['end', 'end-timeout=20ms', '220 250 250 250 354 451'],
  ])('for an answer to %s (%s)', async (stage, query, codes) => {
    const milter = await milterThat(stage, [], stage === 'negotiate' ? { negotiate: [] } : {});
    const bench = await startBench([milter.address(`?${query}`)]);
    expect(codesOf(await converse(bench.port, TRANSACTION.slice(0, codes.split(' ').length - 1)))).toBe(codes);
    expect(bench.reportsOf('milter-failure')).toMatchObject([{ why: 'timeout' }]);
  });

  it('and shows signs of life without end', async () => {
    const milter = await FakeMilter.start(({ kind }) => {
      if (kind !== 'end') return undefined;
      const timer = setInterval(() => milter.connections[0]!.socket.write(octets('0000000170')), 5);
      later(async () => clearInterval(timer));
      return [];
    });
    later(() => milter.stop());
    const bench = await startBench([milter.address('?content-timeout=5s&end-timeout=60ms')]);
    expect(codesOf(await converse(bench.port, TRANSACTION))).toBe('220 250 250 250 354 451');
  });

  it('keeps nobody else waiting', async () => {
    const milter = await FakeMilter.start((asked) =>
      asked.kind === 'hello' && asked.name === 'slow.test' ? [] : undefined,
    );
    later(() => milter.stop());
    const bench = await startBench([milter.address()]);
    const slow = await SmtpClient.connect(bench.port);
    await slow.greeted();
    await slow.write('EHLO slow.test\r\n');
    expect(codesOf(await converse(bench.port, TRANSACTION))).toBe('220 250 250 250 354 250');
    expect(slow.unread).toBe(0);
    await slow.drop();
    await expect.poll(() => milter.asked().isClosed).toBe(true); // who waits for a milter and leaves takes it along
  });
});

describe('sessions that ask one milter at once', () => {
  it('are as many as it may have; the next waits for a place', async () => {
    const milter = await milterThat('mail', [{ kind: 'continue' }]);
    const bench = await startBench([milter.address('?connections=1&connect-timeout=5s')]);
    const first = await SmtpClient.open(bench.port);
    const second = converse(bench.port, TRANSACTION);
    await first.expect(250, ENVELOPE[1]!);
    expect(milter.connections).toHaveLength(1);
    await first.quit();
    expect(codesOf(await second)).toBe('220 250 250 250 354 250');
  });

  it('and find none in time are served as by a milter that is down', async () => {
    const milter = await milterThat('mail', [{ kind: 'continue' }]);
    const bench = await startBench([milter.address('?connections=1&connect-timeout=20ms')]);
    const first = await SmtpClient.open(bench.port);
    expect(codesOf(await converse(bench.port, ENVELOPE.slice(0, 2)))).toBe('220 250 451');
    expect(bench.reportsOf('milter-failure')).toMatchObject([{ why: 'busy' }]);
    await first.expect(250, ENVELOPE[1]!);
    await first.quit();
  });

  it('give their places back, whoever leaves while he waits', async () => {
    const places = new Places(1);
    const stays = new AbortController().signal;
    const leaves = new AbortController();
    await places.take(1000, stays);
    const waiting = places.take(60_000, leaves.signal);
    const next = places.take(60_000, stays);
    leaves.abort();
    await expect(waiting).rejects.toBeInstanceOf(MilterFailure);
    places.give();
    await next;
    places.give();
    await places.take(0, stays);
  });
});
