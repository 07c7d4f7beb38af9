import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/mail/report.ts';
import type { Verification } from '../../src/mail/verification.ts';
import type { Facts, Finding } from '../../src/verify/protocol.ts';
import { createVerifier, type Verifier, type VerifierOptions } from '../../src/verify/verifier.ts';
import type { Zone } from '../support/dns-server.ts';
import {
  ed25519Key,
  FACTS,
  lines,
  plainMail,
  rsaKey,
  type SigningKey,
  sealed,
  signed,
  type ZoneResolver,
  zoneResolver,
} from './support.ts';

let key: SigningKey;
let other: SigningKey;
let shared: Verifier; // starting a thread takes longer than most tests
let verifier: Verifier;
let resolver: ZoneResolver;
let reports: Report[] = [];
beforeAll(() => {
  key = rsaKey();
  other = rsaKey();
  shared = make({ lookups: { keepMs: 0, keepFailuresMs: 0, pauseMs: 0 } });
});
afterAll(() => shared.close());
afterEach(async () => {
  if (verifier !== shared) await verifier.close();
});

function make(options: Partial<VerifierOptions>): Verifier {
  const current = new Proxy({} as ZoneResolver, { get: (_, name: keyof ZoneResolver) => resolver[name] });
  return createVerifier({ resolver: current, report: (one) => reports.push(one), isBackground: false, ...options });
}

function start(zone: Zone, options?: Partial<VerifierOptions>): ZoneResolver {
  reports = [];
  resolver = zoneResolver(zone);
  verifier = options ? make(options) : shared;
  return resolver;
}

function pieces(raw: string | Buffer, octets = 64 * 1024) {
  const bytes = typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw;
  return async function* () {
    for (let at = 0; at < bytes.length; at += octets) yield bytes.subarray(at, at + octets);
  };
}

async function find(raw: string | Buffer, facts: Partial<Facts> = {}): Promise<Finding> {
  return verifier.verify({ ...FACTS, ...facts }, pieces(raw));
}

async function verification(raw: string | Buffer, facts: Partial<Facts> = {}): Promise<Verification> {
  const finding = await find(raw, facts);
  if (finding.kind !== 'verified') throw new Error(`${finding.kind}: ${finding.why}`);
  return finding.verification;
}

describe('SPF (RFC 7208)', () => {
  const many = Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [
      `i${n}.test`,
      { TXT: [n < 11 ? `v=spf1 include:i${n + 1}.test -all` : 'v=spf1 +all'] },
    ]),
  );
  it.each([
    ['v=spf1 ip4:192.0.2.0/24 -all', 'pass'],
    ['v=spf1 a -all', 'pass'],
    ['v=spf1 mx -all', 'pass'],
    ['v=spf1 exists:%{i}.ok.example.org -all', 'pass'],
    ['v=spf1 include:list.example.org -all', 'pass'],
    ['v=spf1 redirect=list.example.org', 'pass'],
    ['v=spf1 ptr -all', 'pass'],
    ['v=spf1 -all', 'fail'],
    ['v=spf1 ~all', 'softfail'],
    ['v=spf1 ?all', 'neutral'],
    ['v=spf1 ip4:nonsense -all', 'permerror'],
    ['v=spf1 include:i0.test -all', 'permerror'],
    ['v=spf1 include:hangs.test -all', 'temperror'],
    ['no policy', 'none'],
  ])('%s: %s', async (policy, result) => {
    start({
      ...many,
      'example.org': { TXT: [policy], A: ['192.0.2.1'], MX: [{ exchange: 'mx.example.org', priority: 10 }] },
      'mx.example.org': { A: ['192.0.2.1'] },
      '192.0.2.1.ok.example.org': { A: ['127.0.0.2'] },
      'list.example.org': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
      'reverse of 192.0.2.1': { PTR: ['mx.example.org'] },
      'hangs.test': { fails: 'silent' },
    });
    const { spf } = await verification(plainMail());
    expect(spf).toMatchObject({ result, domain: 'example.org', identity: 'mailfrom' });
  });

  it('is asked of IPv6 clients', async () => {
    start({ 'example.org': { TXT: ['v=spf1 ip6:2001:db8::/32 -all'] } });
    expect((await verification(plainMail(), { address: '2001:db8::1' })).spf?.result).toBe('pass');
  });

  it('asks for the name of the client where the reverse-path is null', async () => {
    start({ 'mail.example.org': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] } });
    const { spf } = await verification(plainMail(), { mailFrom: '' });
    expect(spf).toMatchObject({ result: 'pass', domain: 'mail.example.org', identity: 'helo' });
  });

  it('believes no Return-Path that the mail brings', async () => {
    start({ 'bad.test': { TXT: ['v=spf1 +all'] } });
    const { spf } = await verification(`Return-Path: <x@bad.test>\r\n${plainMail()}`, { mailFrom: '' });
    expect(spf).toMatchObject({ result: 'none', domain: 'mail.example.org' });
  });

  it('says that a client without an address has none', async () => {
    start({});
    expect((await verification(plainMail(), { address: '' })).spf?.result).toBe('none');
  });
});

describe('DKIM (RFC 6376)', () => {
  const zone = (): Zone => ({ 's1._domainkey.example.org': { TXT: [key.record] } });

  it.each(['relaxed/relaxed', 'simple/simple', 'relaxed/simple'])(
    'passes what is signed (%s)',
    async (canonicalization) => {
      start(zone());
      const { dkim } = await verification(await signed(plainMail(), { key, domain: 'example.org', canonicalization }));
      expect(dkim).toEqual([
        { result: 'pass', domain: 'example.org', reason: '', selector: 's1', algorithm: 'rsa-sha256' },
      ]);
    },
  );

  it('passes Ed25519 (RFC 8463)', async () => {
    const short = ed25519Key();
    start({ 's1._domainkey.example.org': { TXT: [short.record] } });
    const raw = await signed(plainMail(), { key: short, domain: 'example.org', algorithm: 'ed25519-sha256' });
    expect((await verification(raw)).dkim[0]).toMatchObject({ result: 'pass', algorithm: 'ed25519-sha256' });
  });

  it('finds nothing in a mail that is not signed', async () => {
    start(zone());
    expect((await verification(plainMail())).dkim).toEqual([]);
  });

  it.each([
    [
      'a changed body',
      (raw: string) => raw.replace('Hello\r\n', 'Hallo\r\n').replace(/\r\nHello\r\n$/, '\r\nBye\r\n'),
      'fail',
    ],
    ['a changed subject', (raw: string) => raw.replace('Subject: Hello', 'Subject: Send money'), 'fail'],
    ['a signature of nothing', (raw: string) => raw.replace(/b=[^;]*$/m, 'b='), 'neutral'],
  ])('does not pass %s', async (_name, change, result) => {
    start(zone());
    const raw = change(await signed(plainMail(), { key, domain: 'example.org' }));
    const [found] = (await verification(raw)).dkim;
    expect(['fail', 'neutral', 'permerror']).toContain(found?.result);
    if (result === 'fail') expect(found?.result).toBe('fail');
    expect(found?.reason).not.toBe('');
  });

  it.each([
    ['no key', {}, 'neutral'],
    ['a revoked key', { 's1._domainkey.example.org': { TXT: ['v=DKIM1; p='] } }, 'neutral'],
    ['the key of somebody else', { 's1._domainkey.example.org': { TXT: ['OTHER'] } }, 'fail'],
    ['a key that is no key', { 's1._domainkey.example.org': { TXT: ['v=DKIM1; p=AAAA'] } }, 'neutral'],
    ['a server that fails', { 's1._domainkey.example.org': { fails: 'SERVFAIL' } }, 'temperror'],
    ['a server that hangs', { 's1._domainkey.example.org': { fails: 'silent' } }, 'temperror'],
  ] as const)('DNS with %s: %s', async (_name, records, result) => {
    const given = JSON.parse(JSON.stringify(records).replace('OTHER', other.record)) as Zone;
    start(given);
    const { dkim } = await verification(await signed(plainMail(), { key, domain: 'example.org' }));
    expect(dkim[0]?.result).toBe(result);
  });

  it('trusts no key below 1024 bits (RFC 8301)', async () => {
    const weak = rsaKey(768);
    start({ 's1._domainkey.example.org': { TXT: [weak.record] } });
    const { dkim } = await verification(await signed(plainMail(), { key: weak, domain: 'example.org' }));
    expect(dkim[0]).toMatchObject({ result: 'policy', reason: 'weak-key' });
  });

  it('says what a signature leaves unsigned', async () => {
    start(zone());
    const raw = `${await signed(plainMail(), { key, domain: 'example.org', maxBodyLength: 7 })}and more\r\n`;
    expect((await verification(raw)).dkim[0]?.reason).toMatch(/^the last \d+ octets of the body are not signed$/);
  });
});

describe('DMARC (RFC 9989)', () => {
  const zone = (policy: string, more: Zone = {}): Zone => ({
    'example.org': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
    '_dmarc.example.org': { TXT: [`v=DMARC1; ${policy}`] },
    's1._domainkey.example.org': { TXT: [key.record] },
    'news.example.org': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
    'bad.test': { TXT: ['v=spf1 +all'] },
    's1._domainkey.bad.test': { TXT: [other.record] },
    ...more,
  });

  it.each([
    ['SPF of the same domain', 'p=reject', {}, 'pass'],
    ['SPF of a subdomain', 'p=reject', { mailFrom: 'x@news.example.org' }, 'pass'],
    ['SPF of a subdomain where it must be the same', 'p=reject; aspf=s', { mailFrom: 'x@news.example.org' }, 'fail'],
    ['SPF of somebody else', 'p=reject', { mailFrom: 'x@bad.test' }, 'fail'],
    ['SPF that fails', 'p=quarantine', { address: '192.0.2.99' }, 'fail'],
    ['SPF that fails, and nothing asked for', 'p=none', { address: '192.0.2.99' }, 'fail'],
  ] as const)('%s (%s): %s', async (_name, policy, facts, result) => {
    start(zone(policy));
    const { dmarc } = await verification(plainMail(), facts);
    expect(dmarc).toMatchObject({ result, domain: 'example.org', policy: /p=(\w+)/.exec(policy)?.[1] });
  });

  it.each([
    ['example.org', 'pass'],
    ['bad.test', 'fail'],
  ])('a signature by %s: %s', async (domain, result) => {
    start(zone('p=reject'));
    const raw = await signed(plainMail(), { key: domain === 'bad.test' ? other : key, domain });
    const { dmarc, dkim } = await verification(raw, { mailFrom: 'x@bad.test' });
    expect(dkim[0]?.result).toBe('pass');
    expect(dmarc?.result).toBe(result);
  });

  it('has a policy of its own for subdomains', async () => {
    start(zone('p=none; sp=reject'));
    const { dmarc } = await verification(plainMail('x@news.example.org'), { mailFrom: 'x@bad.test' });
    expect(dmarc).toMatchObject({ result: 'fail', policy: 'reject' });
  });

  it('asks for nothing as strict while it is being tried', async () => {
    start(zone('p=reject; t=y'));
    expect((await verification(plainMail(), { address: '192.0.2.9' })).dmarc?.policy).toBe('quarantine');
  });

  it.each([
    ['a domain without a policy', 'none', plainMail('x@nobody.test')],
    ['no From', 'permerror', lines('Subject: x', '', 'x')],
    ['two From fields', 'permerror', `From: x@bad.test\r\n${plainMail()}`],
    ['two authors', 'permerror', plainMail('a@example.org, b@bad.test')],
    ['From without an address', 'permerror', plainMail('Ann')],
  ])('%s: %s', async (_name, result, raw) => {
    start(zone('p=reject'));
    expect((await verification(raw)).dmarc?.result).toBe(result);
  });

  it.each([
    ['the policy', { '_dmarc.example.org': { fails: 'silent' } }, {}],
    ['the key of the domain', { 's1._domainkey.example.org': { fails: 'SERVFAIL' } }, { address: '192.0.2.9' }],
    ['the SPF of the domain', { 'example.org': { fails: 'silent' } }, {}],
  ] as const)('is not known when DNS keeps back %s', async (_name, broken, facts) => {
    start(zone('p=reject', broken));
    const raw = await signed(plainMail(), { key, domain: 'example.org' });
    const mail = 'example.org' in broken ? plainMail() : raw;
    expect((await verification(mail, facts)).dmarc?.result).toBe('temperror');
  });

  it('fails all the same when DNS keeps back what is somebody else’s', async () => {
    start(zone('p=reject', { 's1._domainkey.bad.test': { fails: 'silent' } }));
    const raw = await signed(plainMail(), { key: other, domain: 'bad.test' });
    expect((await verification(raw, { mailFrom: 'x@bad.test' })).dmarc?.result).toBe('fail');
  });
});

describe('ARC (RFC 8617)', () => {
  const zone = (): Zone => ({
    's1._domainkey.list.test': { TXT: [key.record] },
    's1._domainkey.relay.test': { TXT: [other.record] },
  });
  const chain = async (): Promise<string> => {
    const once = await sealed(plainMail(), { key, domain: 'list.test' }, 'none');
    return sealed(once, { key: other, domain: 'relay.test' }, 'pass');
  };

  it('finds none', async () => {
    start(zone());
    expect((await verification(plainMail())).arc).toMatchObject({ result: 'none', instances: 0 });
  });

  it('passes a whole chain', async () => {
    start(zone());
    expect((await verification(await chain())).arc).toEqual({
      result: 'pass',
      domain: 'relay.test',
      reason: '',
      instances: 2,
    });
  });

  it.each([
    ['a changed body', (raw: string) => raw.replace(/Hello\r\n$/, 'Bye\r\n')],
    ['a missing seal', (raw: string) => raw.replace(/^ARC-Seal: i=1;/m, 'X-Seal: i=1;')],
    ['a set twice', (raw: string) => raw.replace(/^(ARC-Seal: i=1;[\s\S]*?\r\n)(?=\S)/m, '$1$1')],
  ])('fails %s', async (_name, change) => {
    start(zone());
    const { arc } = await verification(change(await chain()));
    expect(arc?.result).toBe('fail');
  });

  it('does not know when DNS does not answer', async () => {
    start({ ...zone(), 's1._domainkey.list.test': { fails: 'silent' } });
    expect((await verification(await chain())).arc).toMatchObject({ result: 'temperror', domain: 'relay.test' });
  });
});

describe('hostile mail', () => {
  it('MIME and regex bombs: of a thousand signatures it looks at twenty', async () => {
    const { questions } = start({ 's1._domainkey.example.org': { TXT: [key.record] } });
    const raw = await signed(plainMail(), { key, domain: 'example.org' });
    const field = raw.slice(0, raw.indexOf('From:'));
    const junk = 'DKIM-Signature: v=1; a=rsa-sha256; d=x.test; s=s; h=from; bh=AA==; b=AA==\r\n'.repeat(1000);
    const found = await verification(field + junk + plainMail());
    expect(found.dkim).toHaveLength(20);
    expect(found.dkim[0]?.result).toBe('pass');
    expect(questions.length).toBeLessThan(30);
  });

  it.each([
    ['header without end', Buffer.from(`X: ${'y'.repeat(400_000)}`)],
    ['header of many lines', Buffer.from(`${'a:\n'.repeat(6_000)}\nbody`)],
  ])('MIME and regex bombs: %s is not looked at', async (_name, raw) => {
    start({});
    expect(await find(raw)).toMatchObject({ kind: 'unreadable' });
    expect(reports).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['an empty line', '\r\n'],
    ['a body alone', '\r\nbody\r\n'],
    ['a header alone', 'From: ann@example.org'],
    ['NUL', 'From: \0\r\n\0\0:\0\r\n\r\n\0'],
    ['prototype keys', 'DKIM-Signature: __proto__=1; constructor=2; d=__proto__; s=constructor\r\n\r\n'],
    ['a list that never ends', `From: ${'"a'.repeat(20_000)}\r\n\r\n`],
    ['groups in groups', `From: ${'a:'.repeat(20_000)}\r\n\r\n`],
    ['brackets', `From: ${'<('.repeat(20_000)}\r\n\r\n`],
    ['blanks', `From: ${' '.repeat(100_000)}x\r\n\r\n${' '.repeat(2_000_000)}\r\n`],
    ['a body of line ends', `From: a@example.org\r\n\r\n${'\r\n'.repeat(500_000)}`],
    ['Content-Type without end', `Content-Type: a/b; ${'x*0*="'.repeat(10_000)}\r\n\r\n`],
  ])('Malformed trivia: %s', async (_name, raw) => {
    start({});
    const finding = await find(raw);
    expect(finding.kind).toBe('verified');
  });

  it('Prototype keys: tags and domains may have any name', async () => {
    start({});
    const raw = `ARC-Seal: i=1; __proto__=x; constructor=y\r\nDKIM-Signature: v=1; a=rsa-sha256; d=__proto__; s=toString; h=from; bh=AA==; b=AA==; __proto__=1\r\n${plainMail('x@__proto__')}`;
    expect((await find(raw)).kind).toBe('verified');
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('Metadata injection: reasons and names are one plain line', async () => {
    start({ 'example.org': { TXT: ['v=spf1 \u202e\u0007bad -all'] } });
    const raw = `DKIM-Signature: v=1; a=rsa-sha256\u0007; d=ex\u0001ample; s=\u0002s; h=from; bh=AA==; b=AA==\r\n${plainMail()}`;
    const text = JSON.stringify(await find(raw, { hello: 'a\u0007b' }));
    expect(text).not.toMatch(/\\u00[01]|\\[rn]/);
  });

  it('goes on when a mail stops the thread, and tries those again that were with it', async () => {
    const entry = new URL(`data:text/javascript,${encodeURIComponent(HANGING)}`);
    start({}, { entry, limits: { messageMs: 1_000 } });
    const findings = await Promise.all(['good', 'bad', 'good'].map((hello) => find('x', { hello })));
    expect(findings.map(({ kind }) => kind)).toEqual(['unreadable', 'gaveUp', 'unreadable']);
    expect(reports.length).toBeGreaterThan(0);
    expect((await find('x', { hello: 'good' })).kind).toBe('unreadable');
  });

  it('takes no more than may wait', async () => {
    const entry = new URL(`data:text/javascript,${encodeURIComponent(HANGING)}`);
    start({}, { entry, limits: { messageMs: 60_000, messages: 1, waiting: 2 } });
    const first = [1, 2, 3].map(() => find('x', { hello: 'late' }));
    expect(await find('x')).toEqual({ kind: 'gaveUp', why: 'too many messages wait' });
    await verifier.close();
    expect(await Promise.all(first)).toEqual(first.map(() => ({ kind: 'gaveUp', why: 'the daemon is stopping' })));
  });

  it('gives up when the content cannot be read', async () => {
    start({});
    const finding = await verifier.verify(FACTS, async function* () {
      yield Buffer.from('From: x');
      throw new Error('EIO');
    });
    expect(finding).toEqual({ kind: 'gaveUp', why: 'the content could not be read' });
  });

  it('waits for DNS only so long', async () => {
    const hanging = new Promise<never>(() => {});
    const silent = new Proxy({}, { get: () => () => hanging }) as VerifierOptions['resolver'];
    start({}, { resolver: silent, limits: { dnsMs: 200 } });
    const { spf, dkim, dmarc } = await verification(await signed(plainMail(), { key, domain: 'example.org' }));
    expect([spf?.result, dkim[0]?.result, dmarc?.result]).toEqual(['temperror', 'temperror', 'temperror']);
  });
});

/** Answers `good` at once, never `late`, and spins for `bad`. */
const HANGING = `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ kind, job, facts }) => {
    if (kind !== 'verify') return;
    if (facts.hello === 'bad') for (;;);
    if (facts.hello === 'good') setTimeout(() => parentPort.postMessage({ kind: 'done', job, finding: { kind: 'unreadable', why: '' } }), 50);
  });
`;
