import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../support/run.ts';

const BIN = fileURLToPath(new URL('../../bin/inboxd.ts', import.meta.url));
const COUNTER = fileURLToPath(new URL('../examples/agent-counter.ts', import.meta.url));
const MAIL = 'From: Ann <ann@there.example>\r\nTo: count@here.example\r\nSubject: hi\r\n\r\none two\r\n';
// processes with threads, each with a parser of mail, take their time on a busy machine
vi.setConfig({ testTimeout: 120_000 });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-try-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const attempt = (agent: string, mail: string, ...flags: string[]) =>
  run(process.execPath, [BIN, 'responder', 'try', agent, '-', '--responder-timeout', '100s', ...flags], {
    stdin: mail,
    cwd: folder,
  });

describe('inboxd responder try', () => {
  it('prints what an agent would answer', async () => {
    const { code, stdout, stderr } = await attempt(COUNTER, MAIL, '--to', 'Count+x@here.example');
    expect([code, stderr]).toEqual([0, '']);
    const reply = await simpleParser(stdout);
    expect(reply.text).toBe('2 words, 0 attachments\n');
    expect([reply.subject, reply.from?.text]).toEqual(['Counted: hi', 'Count+x@here.example']);
    expect(reply.to).toMatchObject({ text: 'ann@there.example' });
  });

  it('says that there is no answer, and why a daemon would give none', async () => {
    const mail = 'From: ann@there.example\r\nAuto-Submitted: auto-replied\r\n\r\n';
    const { code, stdout, stderr } = await attempt(COUNTER, mail);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'inboxd: a daemon would not answer this mail, whatever the agent says: auto-submitted\ninboxd: the agent gives no answer\n',
    );
  });

  it.each([
    ['not-there.mjs', undefined, 'inboxd: agent not-there.mjs: there is no such file\n'],
    ['odd.mjs', 'export default () => ({ txt: 1 });', 'inboxd: agent odd.mjs: its answer cannot be sent: an answer has subject, text, html, attachments, headers, and no "txt"\n'],
    ['hangs.mjs', 'export default () => { console.log("in"); for (;;); };', 'in\ninboxd: agent .*hangs.mjs: gave up on the agent .*hangs.mjs after 5000 ms\n'],
    ['throws.mjs', 'export default () => { throw new Error("oh"); };', 'inboxd: agent throws.mjs: it threw Error: oh\n(inboxd: .*at .*throws.mjs.*\n)+'],
  ])('says what is wrong with %s', async (name, code, words) => {
    if (code !== undefined) writeFileSync(join(folder, name), code);
    const limit = name === 'hangs.mjs' ? '5s' : '100s';
    const result = await attempt(name, MAIL, '--responder-timeout', limit);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toMatch(new RegExp(`^${words.replaceAll('.mjs', '\\.mjs')}`));
  }); // biome-ignore format: a table
});
