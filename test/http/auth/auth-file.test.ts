import { describe, expect, it } from 'vitest';
import { hashSecret, isSecret, parseStoredSecret } from '../../../src/auth/secret.ts';
import { createToken, parseToken } from '../../../src/auth/token.ts';
import { formatAuthLine, parseAuthFile } from '../../../src/http/auth/auth-file.ts';
import { allows, covers } from '../../../src/http/auth/grant.ts';

const HASH = `scrypt:14:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`;

describe('a file of http-auth', () => {
  it('reads back what is written', () => {
    const grant = {
      rights: ['read', 'delete'],
      scope: ['ci-42-*@*', 'x@y'],
      expiresAt: Date.UTC(2026, 10, 21),
    } as const;
    const text = [
      '# comment',
      '',
      formatAuthLine('token', '0123456789', HASH, grant),
      `  user\tann ${HASH} rights=admin  `,
    ].join('\n');
    const parsed = parseAuthFile(text);
    expect(parsed).toMatchObject({
      ok: true,
      entries: [
        { kind: 'token', name: '0123456789', grant: { name: '0123456789', ...grant } },
        { kind: 'user', name: 'ann', grant: { name: 'ann', rights: ['admin'] } },
      ],
    });
  });

  it.each([
    ['frog x', 'a line starts with token or user'],
    [`token short ${HASH} rights=read`, 'this is no id'],
    [`user a:b ${HASH} rights=read`, 'this is no name'],
    ['user ann secret rights=read', 'the secret is not as "inboxd token create" writes it'],
    [
      `user ann scrypt:99:8:1:${'A'.repeat(22)}:${'B'.repeat(43)} rights=read`,
      'the secret is not as "inboxd token create" writes it',
    ],
    [`user ann ${HASH}`, 'rights are missing'],
    [`user ann ${HASH} rights=read,write`, 'rights are some of read,delete,metrics,admin'],
    [`user ann ${HASH} rights=read expires=soon`, 'expires is a date and time such as 2026-11-21T10:00:00Z'],
    [`user ann ${HASH} rights=read inbox=`, 'inbox is a name in which * stands for anything'],
    [`user ann ${HASH} rights=admin inbox=a@b`, 'admin is for the whole daemon and goes with no inbox'],
    [`user ann ${HASH} rights=read colour=red`, '"colour" is none of rights, inbox, expires'],
  ])('refuses %s', (line, why) => {
    expect(parseAuthFile(`\n${line}\n`)).toEqual({ ok: false, line: 2, why });
  });

  it('refuses a name that stands twice', () => {
    const line = `user ann ${HASH} rights=read`;
    expect(parseAuthFile(`${line}\n${line}`)).toEqual({ ok: false, line: 2, why: 'there is a user ann above' });
  });
});

describe('a token', () => {
  it('is taken apart as it was made, and no two are the same', () => {
    const [one, other] = [createToken(), createToken()];
    expect(parseToken(one.text)).toEqual({ id: one.id, secret: one.secret });
    expect(one.secret).not.toBe(other.secret);
    expect(one.id).not.toBe(other.id);
  });

  it.each(['', 'inboxd_', 'inboxd_0123456789_short', `inboxd_../../etc_${'A'.repeat(43)}`])('is not %j', (text) => {
    expect(parseToken(text)).toBeUndefined();
  });
});

describe('a hashed secret', () => {
  it('knows the secret and no other', async () => {
    const stored = parseStoredSecret(await hashSecret('open sesame'))!;
    expect(await isSecret('open sesame', stored)).toBe(true);
    expect(await isSecret('open sesam', stored)).toBe(false);
    expect(await isSecret('', stored)).toBe(false);
  });

  it('is another one each time', async () => {
    expect(await hashSecret('x')).not.toBe(await hashSecret('x'));
  });

  it('does not let a line ask for more memory than a machine has', () => {
    expect(parseStoredSecret(`scrypt:20:100:1:${'A'.repeat(22)}:${'B'.repeat(43)}`)).toBeUndefined();
  });
});

describe('a grant', () => {
  it('covers the inboxes of its globs; without one, all', () => {
    expect(covers({ name: '', rights: ['read'], scope: ['a@*', 'b@*'] }, 'b@x')).toBe(true);
    expect(covers({ name: '', rights: ['read'], scope: ['a@*', 'b@*'] }, 'c@x')).toBe(false);
    expect(covers({ name: '', rights: ['read'] }, 'c@x')).toBe(true);
  });

  it('with the right admin holds them all', () => {
    expect(allows({ name: '', rights: ['admin'] }, 'delete')).toBe(true);
    expect(allows({ name: '', rights: ['read'] }, 'delete')).toBe(false);
  });
});
