import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';

const BIN = fileURLToPath(new URL('../../bin/inboxd.ts', import.meta.url));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-user-'));
  file = join(folder, 'users');
});
afterEach(() => rmSync(folder, { recursive: true }));

const user = (args: readonly string[], stdin = '') =>
  run(process.execPath, [BIN, 'user', ...args, '--auth', file], { stdin });

describe('inboxd user', () => {
  it('adds users and tokens, printed once and kept as hashes for the owner alone; lists and removes them', async () => {
    writeFileSync(file, '# people', { mode: 0o600 });
    const made = await user(['add', 'ann']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]{24}\n$/) });
    expect(await user(['add', 'bob', '--password-stdin', '--expires', '2h'], 'pen cil\n')).toMatchObject({
      code: 0,
      stdout: '',
    });
    const token = JSON.parse((await user(['add', 'ann', '--token', '--json'])).stdout);
    expect(token).toMatchObject({ user: 'ann', token: expect.stringContaining(token.id), expires: null });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(
      /^# people\nuser ann scrypt:\S+\nuser bob scrypt:\S+ expires=\S+Z\ntoken \S+ scrypt:\S+ user=ann\n$/,
    );
    for (const secret of [made.stdout.trim(), 'pen cil', token.token.slice(-43)]) expect(text).not.toContain(secret);
    expect(statSync(file).mode & 0o077).toBe(0);

    expect((await user(['list'])).stdout).toMatch(
      /^USER +WITH +EXPIRES\nann +password +never\nbob +password +20.*\nann +token /,
    );
    expect(JSON.parse((await user(['list', '--json'])).stdout)).toMatchObject([
      { user: 'ann', with: 'password' },
      { user: 'bob', with: 'password' },
      { user: 'ann', with: 'token', id: token.id },
    ]);
    expect(await user(['remove', 'ann', 'cy'])).toMatchObject({ code: 1, stderr: 'inboxd: no user or token cy\n' });
    expect(readFileSync(file, 'utf8')).toMatch(/^# people\nuser bob \S+ \S+\n$/);
  });

  it('refuses what it cannot do, and makes no file', async () => {
    for (const [args, why] of [
      [['add', 'a b'], 'is no name'],
      [['add', 'ann', '--expires', '5'], 'for --expires'],
      [['add', 'ann', '--token', '--password-stdin'], 'goes with no --token'],
      [['add', 'ann', '--password-stdin'], 'is empty'],
      [['list'], 'no such file'],
    ] as const) {
      expect(await user(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
    }
    expect(() => statSync(file)).toThrow();
    expect(await run(process.execPath, [BIN, 'user', 'list'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--auth FILE'),
    });
  });
});
