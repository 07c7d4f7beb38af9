import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createToken } from '../../../src/auth/token.ts';
import type { Access } from '../../../src/http/auth/access.ts';
import { createFileAccess, type FileAccessOptions } from '../../../src/http/auth/file-access.ts';
import type { Report } from '../../../src/mail/report.ts';
import { AuthFile, basic, bearer } from './support.ts';

let file: AuthFile;
let now: number;
let reports: Report[];
beforeEach(() => {
  file = new AuthFile();
  now = Date.now();
  reports = [];
});
afterEach(() => file[Symbol.dispose]());

const open = (options: Partial<FileAccessOptions> = {}): Promise<Access> =>
  createFileAccess({ file: file.path, report: (report) => reports.push(report), now: () => now, ...options });
const request = (headers: Record<string, string>, remoteAddress = '192.0.2.1') =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('credentials', () => {
  it('are a bearer token, a user with his password, or a token as password', async () => {
    const token = await file.addToken({ rights: ['read'], scope: ['a@*'] });
    await file.addUser('ann', 'pass:wörd', { rights: ['admin'] });
    const access = await open();
    const grant = { rights: ['read'], scope: ['a@*'] };
    expect(await access.identify(request(bearer(token)))).toMatchObject({ ok: true, grant });
    expect(await access.identify(request(basic('whoever', token)))).toMatchObject({ ok: true, grant });
    expect(await access.identify(request(basic('ann', 'pass:wörd')))).toMatchObject({
      ok: true,
      grant: { name: 'ann' },
    });
  });

  it.each([
    [{}],
    [{ authorization: '' }],
    [{ authorization: 'Bearer' }],
    [{ authorization: `Bearer ${createToken().text}` }],
    [basic('ann', 'wrong')],
    [basic('nobody', 'right')],
    [{ authorization: `Basic ${Buffer.from('no colon').toString('base64')}` }],
    [{ authorization: 'Digest x' }],
    [{ authorization: `Bearer ${'x'.repeat(100_000)}` }],
    [{ cookie: 'inboxd_session=' }],
    [{ cookie: `inboxd_session=${'A'.repeat(43)}` }],
  ])('are not %j', async (headers) => {
    await file.addUser('ann', 'right', { rights: ['read'] });
    expect(await (await open()).identify(request(headers))).toMatchObject({ ok: false, status: 401 });
  });

  it('are hashed once and then remembered, within bounds', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const access = await open({ limits: { failures: 1 } });
    // every attempt that hashes counts against the address until it is found good
    const all = await Promise.all(Array.from({ length: 50 }, () => access.identify(request(bearer(token)))));
    expect(all.every(({ ok }) => ok)).toBe(true);
  });

  it('of a token that expires hold until then, remembered or not', async () => {
    const token = await file.addToken({ rights: ['read'], expiresAt: now + 1000 });
    const access = await open();
    const first = await access.identify(request(bearer(token)));
    expect(first.ok && access.isGood(first.grant)).toBe(true);
    const cookie = first.ok ? access.openSession(first.grant).split(';')[0]! : '';
    now += 1001;
    expect(await access.identify(request(bearer(token)))).toMatchObject({ ok: false, status: 401 });
    expect(await access.identify(request({ cookie }))).toMatchObject({ ok: false, status: 401 });
    expect(first.ok && access.isGood(first.grant)).toBe(false);
  });

  it('of this machine work without a line in the file', async () => {
    const localToken = createToken().text;
    const access = await open({ localToken });
    expect(await access.identify(request(bearer(localToken)))).toMatchObject({
      ok: true,
      grant: { rights: ['read', 'delete', 'metrics', 'admin'] },
    });
    expect(await access.identify(request(bearer(createToken().text)))).toMatchObject({ ok: false });
  });
});

describe('failed attempts', () => {
  it('make an address wait, attempts made at once included, and nobody else', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const access = await open({ limits: { failures: 5, failureWindowMs: 60_000 } });
    const guesses = Array.from({ length: 12 }, () => request(bearer(createToken().text), '198.51.100.7'));
    const answers = await Promise.all(guesses.map((guess) => access.identify(guess)));
    expect(answers.filter((answer) => !answer.ok && answer.status === 429)).toHaveLength(7);
    expect(await access.identify(request(bearer(token), '198.51.100.7'))).toMatchObject({
      ok: false,
      status: 429,
      retrySeconds: 60,
    });
    expect(await access.identify(request(bearer(token), '198.51.100.8'))).toMatchObject({ ok: true });
    // what is known to be good is not held up by what others at that address do
    expect(await access.identify(request(bearer(token), '198.51.100.7'))).toMatchObject({ ok: true });
    now += 60_000;
    expect(await access.identify(request(bearer(createToken().text), '198.51.100.7'))).toMatchObject({ status: 401 });
  });

  it('count for a whole IPv6 network', async () => {
    const access = await open({ limits: { failures: 1 } });
    const guess = (address: string) => access.identify(request(bearer(createToken().text), address));
    expect(await guess('2001:db8::1')).toMatchObject({ status: 401 });
    expect(await guess('2001:db8:0:0:ffff::2')).toMatchObject({ status: 429 });
    expect(await guess('2001:db8:0:1::2')).toMatchObject({ status: 401 });
  });

  it('are forgotten for the oldest of too many addresses', async () => {
    const access = await open({ limits: { failures: 1, failingAddresses: 2 } });
    const guess = (address: string) => access.identify(request(bearer(createToken().text), address));
    for (const address of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) await guess(address);
    expect(await guess('3.3.3.3')).toMatchObject({ status: 429 });
    expect(await guess('1.1.1.1')).toMatchObject({ status: 401 });
  });

  it('do not queue without end', async () => {
    const access = await open({ limits: { failures: 1000, hashesAtOnce: 1, waitingHashes: 2 } });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => access.identify(request(bearer(createToken().text)))),
    );
    expect(answers.filter((answer) => !answer.ok && answer.status === 503).length).toBeGreaterThan(0);
    expect(answers.some((answer) => !answer.ok && answer.status === 401)).toBe(true);
  });
});

describe('a changed file', () => {
  it('is noticed: what is revoked ends for sessions and open streams too, what stays goes on', async () => {
    const token = await file.addToken({ rights: ['read'] });
    await file.addUser('ann', 'right', { rights: ['read'] });
    const access = await open();
    const [one, ann] = [
      await access.identify(request(bearer(token))),
      await access.identify(request(basic('ann', 'right'))),
    ];
    if (!one.ok || !ann.ok) throw new Error('both were to be let in');
    const cookie = access.openSession(one.grant).split(';')[0]!;
    expect(await access.identify(request({ cookie }))).toMatchObject({ ok: true });
    file.remove(one.grant.name);
    now += 1000;
    expect(await access.identify(request(bearer(token)))).toMatchObject({ ok: false, status: 401 });
    expect(await access.identify(request({ cookie }))).toMatchObject({ ok: false, status: 401 });
    expect(access.isGood(one.grant)).toBe(false);
    expect(access.isGood(ann.grant)).toBe(true);
  });

  it('that cannot be read leaves things as they were, and is reported once', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const access = await open();
    file.write('nonsense\n');
    for (let turn = 0; turn < 3; turn++) {
      now += 1000;
      expect(await access.identify(request(bearer(token)))).toMatchObject({ ok: true });
    }
    expect(reports).toMatchObject([{ type: 'crash', where: 'http auth', error: { code: 'AUTH_UNUSABLE' } }]);
  });

  it('keeps the daemon from starting when it is none', async () => {
    file.write('\nuser ann\n');
    await expect(open()).rejects.toMatchObject({
      code: 'AUTH_UNUSABLE',
      message: expect.stringContaining(`${file.path}:2: `),
    });
    await expect(open({ file: `${file.path}.none` })).rejects.toMatchObject({ code: 'AUTH_UNUSABLE' });
  });
});

describe('a session', () => {
  it('is a cookie that scripts cannot read and other sites cannot use; ends when told', async () => {
    const access = await open({ localToken: createToken().text });
    const token = await file.addToken({ rights: ['read'] });
    now += 1000;
    const identity = await access.identify(request(bearer(token)));
    if (!identity.ok) throw new Error('it was to be let in');
    const setCookie = access.openSession(identity.grant);
    expect(setCookie).toMatch(/^inboxd_session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
    const cookie = `other=1; ${setCookie.split(';')[0]}; more=2`;
    expect(await access.identify(request({ cookie }))).toMatchObject({ ok: true });
    expect(access.closeSession(request({ cookie }))).toContain('Max-Age=0');
    expect(await access.identify(request({ cookie }))).toMatchObject({ ok: false, status: 401 });
  });

  it('ends by itself, and the oldest ends when there are too many', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const access = await open({ limits: { sessions: 2, sessionMs: 5_000 } });
    const identity = await access.identify(request(bearer(token)));
    if (!identity.ok) throw new Error('it was to be let in');
    const cookies = [1, 2, 3].map(() => access.openSession(identity.grant).split(';')[0]!);
    const known = () => Promise.all(cookies.map(async (cookie) => (await access.identify(request({ cookie }))).ok));
    expect(await known()).toEqual([false, true, true]);
    now += 5_000;
    expect(await known()).toEqual([false, false, false]);
  });
});
