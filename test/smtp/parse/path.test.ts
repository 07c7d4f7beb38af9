import { describe, expect, it } from 'vitest';
import type { Why } from '../../../src/smtp/parse/parsed.ts';
import { type PathPrefix, parsePathArg } from '../../../src/smtp/parse/path.ts';
import { createRandom, randomText } from '../../support/random.ts';

const STRICT = { lenient: false, utf8: false };
const UTF8 = { lenient: false, utf8: true };
const LENIENT = { lenient: true, utf8: false };

function path(text: string, options = STRICT, prefix: PathPrefix = 'TO:') {
  const found = parsePathArg(prefix, `${prefix}${text}`, options);
  return found.ok ? found.value.path : found.why;
}

function why(text: string, options = STRICT, prefix: PathPrefix = 'TO:'): Why | 'accepted' {
  const found = parsePathArg(prefix, `${prefix}${text}`, options);
  return found.ok ? 'accepted' : found.why;
}

function arg(prefix: PathPrefix, text: string, options = STRICT) {
  const found = parsePathArg(prefix, text, options);
  return found.ok ? found.value : found.why;
}

const label = (octets: number) => 'd'.repeat(octets);
/** A domain of so many octets, in labels of 49 and one that takes the rest. */
const domainOf = (octets: number) => {
  const labels = Array.from({ length: Math.floor((octets - 14) / 50) }, () => label(49));
  return [...labels, label(octets - labels.length * 50)].join('.');
};

describe('FROM: and TO:', () => {
  it('are known in any case (RFC 5321 §2.4)', () => {
    for (const prefix of ['FROM:', 'from:', 'fRoM:']) {
      expect(arg('FROM:', `${prefix}<a@b.test>`)).toMatchObject({ path: { local: 'a', domain: 'b.test' } });
    }
  });

  it('may have one space behind the colon, as every server accepts (§3.3)', () => {
    expect(path(' <a@b.test>')).toMatchObject({ text: 'a@b.test' });
    expect(path('  <a@b.test>')).toBe('prefix');
    expect(path('\t<a@b.test>')).toBe('unsafe');
  });

  it.each([
    ['FROM :<a@b.test>'],
    ['FROM<a@b.test>'],
    ['<a@b.test>'],
    ['FROM:'],
    ['FROM: '],
    ['FROM'],
    [''],
    ['TO:<a@b.test>'],
    ['XFROM:<a@b.test>'],
  ])('are missed in %j (§4.1.1.2)', (text) => {
    expect(arg('FROM:', text)).toBe('prefix');
  });

  it('take any number of spaces around the colon when lenient', () => {
    expect(arg('FROM:', 'FROM  :   <a@b.test>', LENIENT)).toMatchObject({ path: { text: 'a@b.test' } });
    expect(arg('FROM:', 'FROM :  a@b.test', LENIENT)).toMatchObject({ path: { text: 'a@b.test' } });
    expect(arg('FROM:', 'FROM:   ', LENIENT)).toBe('prefix');
  });
});

describe('what follows a path', () => {
  it('is handed on for the parameters', () => {
    expect(arg('FROM:', 'FROM:<a@b.test> SIZE=1 BODY=7BIT')).toMatchObject({ rest: 'SIZE=1 BODY=7BIT' });
    expect(arg('FROM:', 'FROM:<> SIZE=1')).toMatchObject({ path: null, rest: 'SIZE=1' });
    expect(arg('FROM:', 'FROM:<a@b.test>')).toMatchObject({ rest: '' });
    expect(arg('FROM:', 'FROM:a@b.test SIZE=1', LENIENT)).toMatchObject({ rest: 'SIZE=1' });
  });

  it('may be blanks, which are dropped (RFC 5321 §4.1.1)', () => {
    expect(arg('FROM:', 'FROM:<a@b.test>  ')).toMatchObject({ rest: '' });
    expect(arg('FROM:', 'FROM:<a@b.test> \t')).toMatchObject({ rest: '' });
  });

  it('never touches it', () => {
    for (const end of ['SIZE=1', '>', 'x', ',<c@d.test>', '\u00a0', '(comment)']) {
      expect(why(`<a@b.test>${end}`, UTF8)).not.toBe('accepted');
    }
  });
});

describe('a path', () => {
  it('keeps the case of the local part and the spelling of the domain (RFC 5321 §2.4)', () => {
    expect(path('<User@Example.TEST>')).toEqual({ local: 'User', domain: 'Example.TEST', text: 'User@Example.TEST' });
  });

  it('is postmaster without domain in any case, for RCPT alone (§4.5.1)', () => {
    expect(path('<postmaster>')).toEqual({ local: 'postmaster', domain: '', text: 'postmaster' });
    expect(path('<PostMaster>')).toEqual({ local: 'PostMaster', domain: '', text: 'PostMaster' });
    expect(path('postmaster NOTIFY=NEVER', LENIENT)).toMatchObject({ local: 'postmaster', domain: '' });
    expect(path('<postmaster>', STRICT, 'FROM:')).toBe('syntax');
    expect(path('<postmaster@b.test>')).toMatchObject({ domain: 'b.test' });
    expect(path('<postmasters>')).toBe('syntax');
    expect(path('<"postmaster">')).toBe('syntax');
    expect(path('<@a.test:postmaster>')).toBe('syntax');
  });

  it('is null as a sender and never as a recipient (§4.5.5)', () => {
    expect(path('<>', STRICT, 'FROM:')).toBeNull();
    expect(path(' <>', STRICT, 'FROM:')).toBeNull();
    expect(path('<>')).toBe('syntax');
    expect(path('< >', STRICT, 'FROM:')).toBe('syntax');
  });

  it.each([
    ['"john doe"', 'john doe'],
    [String.raw`"a\"b"`, 'a"b'],
    ['"a@b"', 'a@b'],
    ['"a>b"', 'a>b'],
    [String.raw`"a\\b"`, 'a\\b'],
    [String.raw`"\a\b"`, 'ab'],
    ['"a<b"', 'a<b'],
    ['" "', ' '],
    ['"..a"', '..a'],
    ['"a,b:c;d"', 'a,b:c;d'],
    ['"User"', 'User'],
    ['""', ''],
  ])('may have the quoted local part %s (§4.1.2)', (quoted, local) => {
    expect(path(`<${quoted}@d.test> NOTIFY=NEVER`)).toEqual({ local, domain: 'd.test', text: `${quoted}@d.test` });
  });

  it('may have a source route, which is dropped (§3.6.1, appendix C)', () => {
    expect(path('<@a.test,@b.test:c@d.test>')).toEqual({ local: 'c', domain: 'd.test', text: 'c@d.test' });
    expect(path('<@a.test:"x y"@d.test>')).toMatchObject({ local: 'x y' });
  });

  it.each([
    '<@a.test>',
    '<@a.test:>',
    '<@:c@d.test>',
    '<@a.test,:c@d.test>',
    '<@a.test@b.test:c@d.test>',
    '<@a.test,b.test:c@d.test>',
    '<@a..test:c@d.test>',
    '<@a.test, @b.test:c@d.test>',
    '<@a.test:@b.test:c@d.test>',
    '<@a.test,@b.test c@d.test>',
    '<a.test:c@d.test>',
  ])('has no such source route as %s (§4.1.2)', (text) => {
    expect(why(text)).toBe('syntax');
  });

  it.each(['[192.0.2.1]', '[IPv6:2001:db8::1]', '[ipv6:::1]', '[IPv6:::ffff:192.0.2.1]', '[0.0.0.0]'])(
    'may have the address literal %s (§4.1.3)',
    (literal) => {
      expect(path(`<c@${literal}>`)).toEqual({ local: 'c', domain: literal, text: `c@${literal}` });
    },
  );

  it.each([
    '[192.0.2.256]',
    '[192.0.2]',
    '[192.0.2.1.5]',
    '[192.0.2.01]',
    '[0x7f.0.0.1]',
    '[2001:db8::1]',
    '[IPv6:zz]',
    '[IPv6:]',
    '[IPv6:1::2::3]',
    '[IPv6:fe80::1%eth0]',
    '[IPv6: ::1]',
    '[tag:foo]',
    '[]',
    '[',
    '[192.0.2.1',
    '192.0.2.1]',
    '[192.0.2.1]x',
    '[192.0.2.1].test',
    '[[192.0.2.1]]',
  ])('has no such address literal as %s (§4.1.3)', (literal) => {
    expect(why(`<c@${literal}>`)).toBe('syntax');
    expect(why(`<c@${literal}>`, LENIENT)).toBe('syntax');
  });

  it('may end in a dotted quad without brackets, which is a domain by grammar (§4.1.2)', () => {
    expect(path('<c@192.0.2.1>')).toMatchObject({ domain: '192.0.2.1' });
  });

  it.each(['<@d.test>', '<c@>', '<c>', '<c@d@e.test>', '<@>', '<@@d.test>', '<c@@d.test>', '<c@d.test@>'])(
    'wants one local part, one @ and one domain: %s (§4.1.2)',
    (text) => {
      expect(why(text)).toBe('syntax');
    },
  );

  it.each(['.a', 'a.', 'a..b', '.', '..'])('has no dots as in %s@ unless lenient (§4.1.2)', (local) => {
    expect(why(`<${local}@d.test>`)).toBe('syntax');
    expect(path(`<${local}@d.test>`, LENIENT)).toMatchObject({ local });
  });

  it.each(['d..test', '.d.test', '-d.test', 'd-.test', 'd.-test', 'd.test-', '.', '-', `${label(64)}.test`])(
    'has no such domain as %s (§4.1.2)',
    (domain) => {
      expect(why(`<a@${domain}>`)).toBe('syntax');
      expect(why(`<a@${domain}>`, LENIENT)).toBe('syntax');
    },
  );

  it.each([
    'd',
    'd-e.test',
    'd--e.test',
    '1.test',
    '3com.test',
    'd.1',
    'XN--MNCHEN-3YA.test',
    'xn--a.test',
    `${label(63)}.d`,
  ])('has the domain %s as it is (§4.1.2)', (domain) => {
    expect(path(`<a@${domain}>`)).toMatchObject({ domain });
  });

  it.each(['d_e.test', '_d.test', 'd.test.'])('has the domain %s only when lenient', (domain) => {
    expect(why(`<a@${domain}>`)).toBe('syntax');
    expect(path(`<a@${domain}>`, LENIENT)).toMatchObject({ domain });
    expect(path(`a@${domain}`, LENIENT)).toMatchObject({ domain });
  });

  it('may have a local part of any length within 256 octets (§4.5.3.1.1)', () => {
    expect(why(`<${'a'.repeat(64)}@d.test>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(65)}@d.test>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(247)}@d.test>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(248)}@d.test>`)).toBe('length');
  });

  it('is of 256 octets with its brackets and route, not more (§4.5.3.1.3)', () => {
    expect(why(`<${'a'.repeat(64)}@${domainOf(189)}>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(64)}@${domainOf(190)}>`)).toBe('length');
    expect(why(`<@r.test:${'a'.repeat(64)}@${domainOf(181)}>`)).toBe('accepted');
    expect(why(`<@r.test:${'a'.repeat(64)}@${domainOf(182)}>`)).toBe('length');
    expect(why(`${'a'.repeat(64)}@${domainOf(189)}`, LENIENT)).toBe('accepted');
    expect(why(`${'a'.repeat(64)}@${domainOf(190)}`, LENIENT)).toBe('length');
    expect(why(`<${'é'.repeat(123)}@d.test>`, UTF8)).toBe('accepted');
    expect(why(`<${'é'.repeat(124)}@d.test>`, UTF8)).toBe('length');
  });

  it('may have a domain of 255 octets all the same, not more (§4.5.3.1.2)', () => {
    expect(domainOf(255)).toHaveLength(255);
    expect(why(`<a@${domainOf(255)}>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(64)}@${domainOf(255)}>`)).toBe('accepted');
    expect(why(`<${'a'.repeat(65)}@${domainOf(255)}>`)).toBe('length');
    expect(why(`<a@${domainOf(256)}>`)).toBe('length');
    expect(why(`<a@[${'1'.repeat(254)}]>`)).toBe('length');
  });

  it('may have every special character of an atom (§4.1.2)', () => {
    const specials = "!#$%&'*+-/=?^_`{|}~";
    expect(path(`<${specials}@d.test>`)).toMatchObject({ local: specials });
    for (const special of specials) expect(path(`<${special}@d.test>`)).toMatchObject({ local: special });
  });

  it.each(['a%b', 'a!b', 'a%b%c', 'x.test!a', '__proto__', 'constructor', '-oX', '|cmd', '/etc/passwd'])(
    'has the plain local part %s',
    (local) => {
      expect(path(`<${local}@x>`)).toEqual({ local, domain: 'x', text: `${local}@x` });
    },
  );

  it.each([
    '<a(comment)@d.test>',
    '<(comment)a@d.test>',
    '<a@d.test(comment)>',
    '<a@(comment)d.test>',
    'Alice <a@d.test>',
    '"Alice" <a@d.test>',
    '<Alice <a@d.test>>',
    '<<a@d.test>>',
    '<a@d.test',
    '<a@d.test>>',
    '<a<b@d.test>',
    '<a>b@d.test>',
    '<"a@d.test>',
    '<"a"b@d.test>',
    '<a"b"@d.test>',
    '<a"b@d.test>',
    '<"a".b@d.test>',
    '<"a""b"@d.test>',
    '<"a"@d.test',
    String.raw`<"a\"@d.test>`,
    String.raw`<a\b@d.test>`,
    String.raw`<a\ b@d.test>`,
    '<a b@d.test>',
    '<a @d.test>',
    '<a@ d.test>',
    '<a@d .test>',
    '< a@d.test>',
    '<a@d.test >',
    '<;id;@x>',
    '<a,b@d.test>',
    '<a:b@d.test>',
    '<a;b@d.test>',
    '<a[b@d.test>',
    '<a@d/e.test>',
    '<a@d:25>',
    '<a@d.test,b@d.test>',
    '><',
    '>',
    '<',
  ])('is not %s (§4.1.2)', (text) => {
    expect(why(text)).toBe('syntax');
    expect(why(text, LENIENT)).toBe('syntax');
  });

  it('needs angle brackets unless lenient (§3.3)', () => {
    expect(why('a@b.test')).toBe('syntax');
    expect(path('a@b.test', LENIENT)).toEqual({ local: 'a', domain: 'b.test', text: 'a@b.test' });
    expect(path('"a b"@b.test', LENIENT)).toMatchObject({ local: 'a b' });
    expect(why('a@b.test>', LENIENT)).toBe('syntax');
    expect(why('<a@b.test', LENIENT)).toBe('syntax');
    expect(why('a b@b.test', LENIENT)).toBe('syntax');
  });
});

describe('characters nobody sees', () => {
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).concat('\x7f');

  it.each(controls)('are refused: control %j, quoted or not, lenient or not (RFC 5321 §4.1.2)', (control) => {
    for (const options of [STRICT, LENIENT, UTF8]) {
      for (const text of [`<a${control}b@d.test>`, `<"a${control}b"@d.test>`, `<"a\\${control}b"@d.test>`]) {
        expect(why(text, options)).toBe('unsafe');
      }
      expect(why(`<a@d${control}.test>`, options)).toBe('unsafe');
      expect(why(`<@r${control}.test:a@d.test>`, options)).toBe('unsafe');
      expect(why(`<a@[192.0.2.1${control}]>`, options)).toBe('unsafe');
    }
  });

  it.each([
    ['ZERO WIDTH SPACE', '\u200b'],
    ['ZERO WIDTH JOINER', '\u200d'],
    ['WORD JOINER', '\u2060'],
    ['BYTE ORDER MARK', '\ufeff'],
    ['SOFT HYPHEN', '\u00ad'],
    ['NO-BREAK SPACE', '\u00a0'],
    ['IDEOGRAPHIC SPACE', '\u3000'],
    ['NEXT LINE', '\u0085'],
    ['C1 control', '\u009b'],
    ['RIGHT-TO-LEFT OVERRIDE', '\u202e'],
    ['RIGHT-TO-LEFT ISOLATE', '\u2067'],
    ['LINE SEPARATOR', '\u2028'],
    ['PARAGRAPH SEPARATOR', '\u2029'],
    ['HANGUL FILLER', '\u3164'],
    ['VARIATION SELECTOR', '\ufe0f'],
    ['TAG', '\u{e0041}'],
    ['noncharacter', '\uffff'],
    ['lone surrogate', '\ud800'],
  ])('are refused with SMTPUTF8: %s', (_name, unseen) => {
    for (const text of [`<a${unseen}b@d.test>`, `<"a${unseen}b"@d.test>`, `<a@d${unseen}e.test>`, `<${unseen}@d>`]) {
      expect(why(text, UTF8)).toBe('unsafe');
      expect(why(text, STRICT)).not.toBe('accepted');
    }
  });
});

describe('a path beyond ASCII (RFC 6531 §3.3)', () => {
  it.each([
    '<jörg@d.test>',
    '<"jörg x"@d.test>',
    '<a@bücher.test>',
    '<日本@例え.テスト>',
    '<@bücher.test:a@d.test>',
    '<😀@d>',
  ])('%s needs SMTPUTF8, and the caller is told so', (text) => {
    expect(why(text)).toBe('non-ascii');
    expect(why(text, LENIENT)).toBe('non-ascii');
    const found = parsePathArg('FROM:', `FROM:${text} SMTPUTF8`, UTF8);
    expect(found).toMatchObject({ ok: true, value: { nonAscii: true, rest: 'SMTPUTF8' } });
  });

  it('keeps exactly the UTF-8 it was given, decomposed or not', () => {
    for (const text of ['jo\u0308rg@d.test', 'jörg@BÜCHER.test'])
      expect(path(`<${text}>`, UTF8)).toMatchObject({ text });
  });

  it('is not said of parameters or of an ASCII path', () => {
    expect(arg('FROM:', 'FROM:<a@d.test> X=é', STRICT)).toMatchObject({ nonAscii: false, rest: 'X=é' });
  });

  it.each(['-bücher.test', 'bücher-.test', 'bü..test', '.bü', 'bü\u2100.test', `${'ü'.repeat(60)}.test`, 'ü_d.test'])(
    'has no such domain as %s',
    (domain) => {
      expect(why(`<a@${domain}>`, UTF8)).toBe('syntax');
    },
  );

  it('has quoted-pairs of ASCII only', () => {
    expect(why(String.raw`<"\é"@d.test>`, UTF8)).toBe('syntax');
  });
});

describe('any text at all', () => {
  it('gives a path or a reason, never an exception, and never a control or a line end in a path', () => {
    const random = createRandom(20_260_101);
    for (let round = 0; round < 20_000; round++) {
      const prefix = round % 2 ? 'FROM:' : 'TO:';
      const text = (round % 3 ? `${prefix}<` : '') + randomText(random, 12) + (round % 5 ? '@d.test>' : '');
      const found = parsePathArg(prefix, text, { lenient: round % 7 < 3, utf8: round % 11 < 5 });
      if (found.ok && found.value.path) {
        const { local, domain, text: whole } = found.value.path;
        expect(`${local}${domain}${whole}`).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\ud800]/u);
        expect(Buffer.byteLength(whole)).toBeLessThanOrEqual(320);
        expect(parsePathArg('TO:', `TO:<${whole}>`, { lenient: true, utf8: true })).toMatchObject({
          ok: true,
          value: { path: found.value.path },
        });
      } else if (!found.ok) expect(found.text).toMatch(/^[ -~]{1,100}$/);
    }
  });

  it('quoted and read back is the same local part', () => {
    const random = createRandom(7);
    for (let round = 0; round < 5_000; round++) {
      const local = randomText(random, 6)
        .replace(/[^ -~]/g, '')
        .slice(0, 100);
      const quoted = `"${local.replace(/["\\]/g, '\\$&')}"`;
      expect(path(`<${quoted}@d.test>`)).toEqual({ local, domain: 'd.test', text: `${quoted}@d.test` });
    }
  });

  it.each(['"', '\\', '("', '<', '@', '.', 'a.', '"\\"', '@a,', '@a.b,', '[', ' ', '\t', '-', 'é', 'xn--', '>', '\0'])(
    'of 64 KiB of %j is soon judged',
    (piece) => {
      for (const lead of ['TO:', 'TO:<', 'TO:<"', 'TO:<a@', 'TO:<a@d> ']) {
        const text = lead + piece.repeat(65_536 / piece.length);
        for (const options of [STRICT, LENIENT, UTF8]) expect(parsePathArg('TO:', text, options)).toHaveProperty('ok');
      }
    },
  );
});
