import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { FromMilter } from '../../src/milter/packets.ts';
import { FakeMilter } from '../support/fake-milter.ts';
import { run } from '../support/run.ts';
import { BIN, Folder, inboxd, plainEnvironment } from './support.ts';

const MAIL = 'From: Ann <ann@example.test>\nTo: bob@example.test, Cat <cat@example.test>\nSubject: hi\n\nHello\n';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

/** A milter that answers the end of a message so, and other commands as they are listed. */
async function milterThat(end: readonly FromMilter[], others: Readonly<Record<string, FromMilter>> = {}) {
  const milter = await FakeMilter.start((asked) => {
    const other = others[asked.kind === 'rcpt' ? asked.words[0]! : asked.kind];
    if (other) return [other];
    return asked.kind === 'end' ? end : undefined;
  });
  undo.push(() => milter.stop());
  return milter;
}

async function check(milter: FakeMilter, ...args: string[]) {
  using folder = new Folder();
  writeFileSync(folder.at('mail.eml'), MAIL);
  return await inboxd(['milter', 'check', folder.at('mail.eml'), '--milter', milter.address('?name=mine'), ...args]);
}

const C: FromMilter = { kind: 'continue' };

describe('inboxd milter check', () => {
  it('tells what milters change, and takes sender and recipients from the header', async () => {
    const milter = await milterThat([
      { kind: 'addHeader', name: 'X-Added', value: 'v' },
      { kind: 'deleteRecipient', address: '<bob@example.test>' },
      C,
    ]);
    const { code, stdout } = await check(milter, '--client', '192.0.2.7', '--helo', 'client.test');
    expect(stdout.split('\n')).toEqual([
      'verdict: accepted',
      'from:    ann@example.test',
      'to:      cat@example.test',
      'mine add-header X-Added: v',
      'mine delete-recipient <bob@example.test>',
      '',
    ]);
    expect(code).toBe(0);
    const { packets } = milter.asked();
    expect(packets).toContainEqual({
      kind: 'connect',
      hostname: '[192.0.2.7]',
      family: '4',
      peer: { port: 0, address: '192.0.2.7' },
    });
    expect(packets).toContainEqual({ kind: 'hello', name: 'client.test' });
    expect(packets).toContainEqual({ kind: 'mail', words: ['<ann@example.test>'] });
    expect(packets).toContainEqual({ kind: 'body', octets: Buffer.from('Hello\r\n') });
    await expect.poll(() => milter.asked().letters).toBe('OCHMRRTLLLNBEQ');
  });

  it('writes the mail as the milters leave it, every line ended by CR LF', async () => {
    const { code, stdout } = await check(await milterThat([{ kind: 'addHeader', name: 'X', value: 'v' }, C]), '--raw');
    expect(stdout).toBe(MAIL.replace('\n\n', '\nX: v\n\n').replaceAll('\n', '\r\n'));
    expect(code).toBe(0);
  });

  // biome-ignore format: a table
  it.each<[string, FromMilter[], Record<string, FromMilter>, number, object]>([
    ['a refusal',           [{ kind: 'reply', text: '554 5.7.1 spam' }], {}, 1,  { verdict: 'rejected', refusal: { by: 'mine', phase: 'message', reply: { code: 554, enhanced: '5.7.1', text: 'spam' } } }],
    ['not now',             [{ kind: 'tempfail' }], {},                  75, { verdict: 'deferred', refusal: { by: 'mine', phase: 'message' } }],
    ['thrown away',         [{ kind: 'discard' }], {},                   1,  { verdict: 'discarded', discardedBy: 'mine' }],
    ['quarantine',          [{ kind: 'quarantine', reason: 'odd' }, C], {}, 1, { verdict: 'quarantined', quarantine: 'odd' }],
    ['one recipient less',  [C], { '<bob@example.test>': { kind: 'reject' } }, 0, { verdict: 'accepted', refusedRecipients: [{ to: 'bob@example.test', by: 'mine' }], envelope: { from: 'ann@example.test', to: ['cat@example.test'] } }],
    ['the client refused',  [C], { connect: { kind: 'reject' } },        1,  { verdict: 'rejected', refusal: { phase: 'connect' } }],
    ['a verdict that stands', [C], { hello: { kind: 'tempfail' } },      75, { verdict: 'deferred', refusal: { phase: 'mail' } }],
    ['discarded at RCPT',   [C], { '<bob@example.test>': { kind: 'discard' } }, 1, { verdict: 'discarded', discardedBy: 'mine' }],
  ])('says so in data and by its exit code: %s', async (_what, end, others, code, result) => {
    const run = await check(await milterThat(end, others), '--json');
    expect(JSON.parse(run.stdout)).toMatchObject(result);
    expect(run.code).toBe(code);
  });

  it('tells of a milter that cannot be asked', async () => {
    const milter = await milterThat([C]);
    await milter.stop();
    undo.length = 0;
    const { code, stdout } = await check(milter);
    expect(stdout).toMatch(
      /^verdict: deferred\nrefused: by mine at mail: 451 4\.7\.1 .*\nmine failed at connect: .*; what counts is tempfail\n$/,
    );
    expect(code).toBe(75);
  });

  it('reads standard input, and names for the envelope', async () => {
    const milter = await milterThat([C]);
    const args = [
      'milter',
      'check',
      '-',
      '--milter',
      milter.address(),
      '--from',
      '<>',
      '--to',
      'x@y.test',
      '--to',
      'z@y.test',
    ];
    const { code } = await run(process.execPath, [BIN, ...args], { env: plainEnvironment(), stdin: MAIL });
    expect(code).toBe(0);
    const words = milter
      .asked()
      .packets.flatMap((one) => (one.kind === 'mail' || one.kind === 'rcpt' ? one.words : []));
    expect(words).toEqual(['<>', '<x@y.test>', '<z@y.test>']);
  });

  it.each([
    [['mail.eml'], /there is no milter to ask/],
    [['/nowhere', '--milter', 'unix:/nowhere'], /ENOENT/],
    [[BIN, '--milter', 'unix:/nowhere', '--client', 'me'], /--client is no IP address: "me"/],
    [[BIN, '--milter', 'unix:/nowhere', '--to', 'nonsense'], /--to is no address: "nonsense"/],
    [[BIN, '--milter', 'nonsense'], /bad value \["nonsense"\] for milter/],
  ])('says what is missing or wrong: %j', async (args, why) => {
    const { code, stderr } = await inboxd(['milter', 'check', ...args]);
    expect(stderr).toMatch(why);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });
});
