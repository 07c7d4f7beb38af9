import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Hasher } from '../../src/auth/hasher.ts';
import { hashSecret } from '../../src/auth/secret.ts';
import { createToken } from '../../src/auth/token.ts';
import { createUsers, type UsersOptions } from '../../src/auth/users.ts';
import { formatUsersLine, isMailUser, normalisePassword, parseUsersFile } from '../../src/auth/users-file.ts';
import type { Authenticator, Credentials } from '../../src/mail/authenticator.ts';
import type { Report } from '../../src/mail/report.ts';

let folder: string;
let file: string;
let now: number;
let reports: Report[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-users-'));
  file = join(folder, 'users');
  now = Date.now();
  reports = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes the file so that its time of change is another one, whatever the clock of the file system can tell apart. */
function write(...lines: readonly string[]): void {
  let before = 0;
  try {
    before = statSync(file).mtimeMs;
  } catch {
    before = 0; // there is none yet
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  const next = new Date(Math.max(Date.now(), before + 2000));
  utimesSync(file, next, next);
}

const open = (options: Partial<UsersOptions> = {}): Promise<Authenticator> =>
  createUsers({ file, report: (report) => reports.push(report), now: () => now, ...options });
const password = (user: string, secret: string): Credentials => ({ kind: 'password', user, secret });
const bearer = (secret: string, user = ''): Credentials => ({ kind: 'token', user, secret });
const HERE = '192.0.2.1';
const userLine = async (user: string, secret: string, expiresAt?: number): Promise<string> =>
  formatUsersLine({ kind: 'user', user, id: '', hash: await hashSecret(secret), ...(expiresAt && { expiresAt }) });

describe('users of mail sessions', () => {
  it('prove themselves by password; wrong ones and unknown users are told the same', async () => {
    write('# people', await userLine('ann@example.org', 'pass:wörd'));
    const users = await open();
    expect(await users.judge(password('ann@example.org', 'pass:wörd'), HERE)).toEqual({
      ok: true,
      user: 'ann@example.org',
    });
    expect(await users.judge(password('ann@example.org', 'pass:word'), HERE)).toEqual({
      ok: false,
      why: 'wrong',
      user: 'ann@example.org',
    });
    // a name that nobody has may be a mistyped password, and is not told to the log
    expect(await users.judge(password('hunter2', 'pass:wörd'), HERE)).toEqual({ ok: false, why: 'wrong' });
    expect(await users.judge(bearer('pass:wörd', 'ann@example.org'), HERE)).toMatchObject({ ok: false });
  });

  it('have tokens that speak for them and for nobody else, until they expire', async () => {
    const { id, secret, text } = createToken();
    const hash = await hashSecret(secret);
    const expiresAt = now + 60_000;
    write(await userLine('bob', 'x'), formatUsersLine({ kind: 'token', user: 'ann', id, hash, expiresAt }));
    const users = await open();
    expect(await users.judge(bearer(text, 'ann'), HERE)).toEqual({ ok: true, user: 'ann' });
    expect(await users.judge(bearer(text), HERE)).toEqual({ ok: true, user: 'ann' });
    expect(await users.judge(bearer(text, 'bob'), HERE)).toMatchObject({ ok: false, why: 'wrong' });
    expect(await users.judge(bearer(createToken().text, 'ann'), HERE)).toMatchObject({ ok: false, why: 'wrong' });
    expect(await users.judge(password('ann', text), HERE)).toMatchObject({ ok: false });
    now += 60_000;
    expect(await users.judge(bearer(text, 'ann'), HERE)).toMatchObject({ ok: false, why: 'wrong' });
  });

  it('take as long to be unknown as to be wrong: a hash each', async () => {
    write(await userLine('ann', 'right'));
    let hashes = 0;
    class Counting extends Hasher {
      override isRight(...args: Parameters<Hasher['isRight']>): Promise<boolean | undefined> {
        hashes++;
        return super.isRight(...args);
      }
    }
    const users = await open({ hasher: new Counting({ hashesAtOnce: 1, waitingHashes: 9 }) });
    for (const [user, secret] of [
      ['ann', 'wrong'],
      ['bob', 'wrong'],
      ['__proto__', 'x'],
    ] as const) {
      await users.judge(password(user, secret), HERE);
    }
    await users.judge(bearer('no token of ours', 'ann'), HERE);
    expect(hashes).toBe(4);
    // what was found good is remembered, and the same at once is hashed once
    await Promise.all(Array.from({ length: 50 }, () => users.judge(password('ann', 'right'), HERE)));
    await users.judge(password('ann', 'right'), HERE);
    expect(hashes).toBe(5);
  });

  it('make an address wait that failed too often, attempts made at once included, and nobody else', async () => {
    write(await userLine('ann', 'right'));
    const users = await open({ limits: { failures: 5, failureWindowMs: 60_000 } });
    const guesses = Array.from({ length: 8 }, (_, n) => users.judge(password('ann', `guess ${n}`), HERE));
    const why = (await Promise.all(guesses)).map((judgement) => (judgement.ok ? 'ok' : judgement.why));
    expect(why.filter((word) => word === 'blocked')).toHaveLength(3);
    expect(await users.judge(password('ann', 'right'), HERE)).toEqual({ ok: false, why: 'blocked' });
    expect(await users.judge(password('ann', 'right'), '192.0.2.2')).toMatchObject({ ok: true });
    now += 60_000;
    expect(await users.judge(password('ann', 'right'), HERE)).toMatchObject({ ok: true });
  });

  it('do not queue without end, and are not blamed for that', async () => {
    write(await userLine('ann', 'right'));
    const users = await open({ limits: { failures: 9, hashesAtOnce: 1, waitingHashes: 2 } });
    const all = await Promise.all(
      Array.from({ length: 9 }, (_, n) => users.judge(password('ann', `guess ${n}`), HERE)),
    );
    expect(all.filter((judgement) => !judgement.ok && judgement.why === 'busy')).toHaveLength(6);
    expect(await users.judge(password('ann', 'right'), HERE)).toMatchObject({ ok: true });
  });

  it('change with the file; what cannot be read leaves things as they were, and is reported once', async () => {
    write(await userLine('ann', 'right'), await userLine('bob', 'right'));
    const users = await open();
    expect(await users.judge(password('ann', 'right'), HERE)).toMatchObject({ ok: true });
    write(await userLine('ann', 'new'), await userLine('cy', 'right'));
    now += 1000;
    expect(await users.judge(password('ann', 'right'), HERE)).toMatchObject({ ok: false });
    expect(await users.judge(password('ann', 'new'), HERE)).toMatchObject({ ok: true });
    expect(await users.judge(password('bob', 'right'), HERE)).toMatchObject({ ok: false });
    write('user ann');
    for (let turn = 0; turn < 3; turn++) {
      now += 1000;
      expect(await users.judge(password('cy', 'right'), HERE)).toMatchObject({ ok: true });
    }
    expect(reports).toMatchObject([{ type: 'crash', where: 'auth', error: { code: 'USERS_UNUSABLE' } }]);
  });

  it('keep the daemon from starting where the file is none', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'USERS_UNUSABLE', message: expect.stringContaining(file) });
    write('', 'user ann scrypt:1');
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining(`${file}:2: `) });
  });
});

describe('the file of users', () => {
  const HASH = `scrypt:14:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`;

  it('reads back what is written', () => {
    const expiresAt = Date.UTC(2030, 0, 1);
    const text = [
      '# comment',
      formatUsersLine({ kind: 'user', user: 'jörg@d.test', id: '', hash: HASH }),
      `\t${formatUsersLine({ kind: 'token', user: 'a:b', id: '0123456789', hash: HASH, expiresAt })} `,
    ].join('\n');
    expect(parseUsersFile(text)).toMatchObject({
      ok: true,
      entries: [
        { kind: 'user', user: 'jörg@d.test', id: '' },
        { kind: 'token', user: 'a:b', id: '0123456789', expiresAt },
      ],
    });
  });

  it.each([
    ['nobody x', 'a line starts with'],
    [`user ann ${HASH} rights=admin`, 'rights=admin'],
    [`user ann ${HASH}x`, 'the secret'],
    [`user ann scrypt:30:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`, 'the secret'],
    [`token 0123456789 ${HASH}`, 'user= is missing'],
    [`token ann ${HASH} user=ann`, 'no id'],
    [`user ann ${HASH} expires=tomorrow`, 'expires is a date'],
    [`user ann ${HASH}\nuser ann ${HASH}`, 'there is a user ann above'],
  ])('says what is wrong with %j', (text, why) => {
    expect(parseUsersFile(text)).toMatchObject({ ok: false, why: expect.stringContaining(why) });
  });

  it('knows names by what they look like, and passwords however they were typed', () => {
    expect(isMailUser('ann@example.org')).toBe(true);
    for (const name of ['', 'a b', '#a', 'a\u200bb', 'a\u00a0b', 'x'.repeat(256)]) expect(isMailUser(name)).toBe(false);
    expect(normalisePassword('pa\u00a0ss\u0065\u0301')).toBe('pa ss\u00e9');
  });
});
