import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Report } from '../../src/mail/report.ts';
import { agentFile } from '../../src/responders/agent-files.ts';
import { type AgentOutcome, AgentRunner, type AgentRunnerOptions } from '../../src/responders/agent-runner.ts';

// threads, each with a parser of mail, take their time on a busy machine
vi.setConfig({ testTimeout: 120_000 });

let folder = '';
let reports: Report[] = [];
let printed: string[] = [];
let runner: AgentRunner;

function start(options: Partial<AgentRunnerOptions> = {}): void {
  reports = [];
  printed = [];
  runner = new AgentRunner({
    agentMs: 100_000,
    agentBytes: 64 * 2 ** 20,
    report: (report) => reports.push(report),
    print: (_source, text) => printed.push(text),
    ...options,
  });
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-runner-'));
  start();
});
afterEach(async () => {
  await runner.close();
  rmSync(folder, { recursive: true });
});

function write(name: string, code: string): string {
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
}

const raw = Buffer.from(
  'Subject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment\r\n\r\nbytes\r\n--b--\r\n',
);
const facts = {
  id: '01',
  inbox: 'x@here.example',
  address: 'x@here.example',
  tag: '',
  sender: 'ann@there.example',
  envelope: { from: 'ann@there.example', to: ['x@here.example'] },
  receivedAt: new Date(0),
};
const run = (path: string): Promise<AgentOutcome> => runner.run(agentFile(path), { facts, raw });
const textOf = (outcome: AgentOutcome): string | undefined =>
  outcome.kind === 'answer' ? outcome.answer?.text : undefined;

describe('an agent', () => {
  it('gets the mail taken apart, in TypeScript as in JavaScript', async () => {
    const body = `({ text: JSON.stringify({ ...mail, headers: mail.headers.length, attachments: mail.attachments.map((one) => [one.fileName, one.contentType, one.isInline, Buffer.from(one.content).toString()]) }) })`;
    const js = await run(write('a.mjs', `export default (mail) => ${body};`));
    const ts = await run(
      write(
        'a.ts',
        `interface Mail { headers: object[]; attachments: any[] }\nexport const answer = async (mail: Mail) => ${body};`,
      ),
    );
    expect(js).toEqual(ts);
    expect(JSON.parse(textOf(js)!)).toMatchObject({
      ...facts,
      receivedAt: '1970-01-01T00:00:00.000Z',
      subject: 'hi',
      text: 'text',
      headers: 2,
      attachments: [['a.png', 'image/png', false, 'bytes']],
    });
  });

  it('of ours runs too', async () => {
    expect(textOf(await run('builtin:echo'))).toContain('> text');
  });

  it.each([
    ['gives nothing', '() => {}', { kind: 'answer', answer: undefined }],
    ['gives what is none', '() => "hello"', { kind: 'unfit', why: 'an answer is an object, not string' }],
    ['gives what cannot cross', '() => ({ text: "a", html: () => 1 })', { kind: 'unfit', why: 'html is a string, not function' }],
    ['throws', '() => { throw new TypeError("oh") }', { kind: 'threw', error: expect.objectContaining({ message: 'oh', name: 'TypeError' }) }],
    ['throws what is no error', '() => { throw null }', { kind: 'threw', error: expect.objectContaining({ message: 'null' }) }],
    ['rejects', 'async () => { throw new Error("oh") }', { kind: 'threw', error: expect.objectContaining({ message: 'oh' }) }],
    ['ends its thread', '() => process.exit(3)', { kind: 'crashed', error: expect.objectContaining({ message: expect.stringContaining('ended with code 3') }) }],
    ['lets an error get away', '() => new Promise(() => setImmediate(() => { throw new Error("late") }))', { kind: 'crashed', error: expect.objectContaining({ message: 'late' }) }],
    ['wants too much memory', '() => { for (const all = []; ; ) all.push(new Array(100000).fill(all.length)); }', { kind: 'crashed', error: expect.objectContaining({ message: expect.stringContaining('memory') }) }],
    ['posts what it likes', 'async () => { (await import("node:worker_threads")).parentPort.postMessage(5); await new Promise(() => setInterval(() => {}, 1000)); }', { kind: 'crashed', error: expect.objectContaining({ message: expect.stringContaining('posted something') }) }],
  ] as const)('that %s harms nobody', async (_, code, outcome) => {
    const path = write('bad.mjs', `export const answer = ${code};`);
    expect(await run(path)).toEqual(outcome);
    expect(textOf(await run(write('good.mjs', 'export const answer = () => ({ text: "well" });')))).toBe('well');
    expect(reports).toEqual([]);
  }); // biome-ignore format: a table

  it('that hangs is stopped', async () => {
    start({ agentMs: 3_000 });
    const outcome = await run(write('hang.mjs', 'export const answer = () => { for (;;); };'));
    expect(outcome).toEqual({ kind: 'late', error: expect.objectContaining({ name: 'JobTimeout' }) });
  });

  it.each([
    ['is not there', undefined, 'there is no such file'],
    ['does not parse', 'export const answer = (', 'cannot be loaded: SyntaxError'],
    ['throws when it is loaded', 'throw new Error("no database")', 'cannot be loaded: Error: no database'],
    ['exports something else', 'export const reply = 1; export const x = 2;', 'must export a function named "answer", or one as default; it exports reply, x'],
    ['exports nothing', '', 'it exports nothing'],
  ] as const)('whose module %s says so', async (_, code, why) => {
    const path = code === undefined ? join(folder, 'none.mjs') : write('odd.mjs', code);
    for (const outcome of [await runner.check(agentFile(path)), await run(path)]) {
      expect(outcome).toEqual({ kind: 'unloadable', why: expect.stringContaining(why) });
    }
  }); // biome-ignore format: a table

  it('keeps what its module remembers, until its file changes', async () => {
    const path = write('count.mjs', "let mails = 0; export const answer = () => ({ text: 'a' + ++mails });");
    expect([textOf(await run(path)), textOf(await run(path))]).toEqual(['a1', 'a2']);
    write('count.mjs', "let mails = 0; export const answer = () => ({ text: 'changed ' + ++mails });");
    expect(textOf(await run(path))).toBe('changed 1');
  });

  it('may print, and not without end', async () => {
    await run(
      write(
        'loud.mjs',
        'export const answer = () => { console.log("hello"); console.error("x".repeat(100_000)); console.log("y".repeat(100_000)); };',
      ),
    );
    await expect.poll(() => printed.join('')).toContain('hello');
    expect(printed.join('').length).toBeLessThan(3 * 4096);
  });

  it('is one of many more than there are threads', async () => {
    const paths = Array.from({ length: 9 }, (_, n) =>
      write(`a${n}.mjs`, `export const answer = () => ({ text: '${n}' });`),
    );
    expect((await Promise.all(paths.map(run))).map(textOf)).toEqual(paths.map((_, n) => String(n)));
  });
});
