import { describe, expect, it } from 'vitest';
import { parseHelloArg } from '../../../src/smtp/parse/hello.ts';

const hello = (arg: string) => {
  const found = parseHelloArg(arg);
  return found.ok ? { name: found.value } : found.why;
};

describe('the argument of EHLO', () => {
  it.each([
    'x.test',
    'X.Test',
    'localhost',
    'my_laptop',
    'x.test.',
    '[127.0.0.1]',
    '[IPv6:::1]',
    '192.0.2.1',
    '[zz]',
    '-x-',
  ])('may be %s: it is recorded, never a reason to refuse mail (RFC 5321 §4.1.4)', (name) => {
    expect(hello(name)).toEqual({ name });
  });

  it('may be several words, of which all are recorded', () => {
    expect(hello('my laptop')).toEqual({ name: 'my laptop' });
  });

  it('loses the blanks around it (§4.1.1)', () => {
    expect(hello(' x.test \t')).toEqual({ name: 'x.test' });
  });

  it('is missing when there is nothing, or blanks (§4.1.1.1)', () => {
    for (const arg of ['', ' ', '\t ']) expect(hello(arg)).toBe('missing');
  });

  it.each(['x\0', '\x1b[2J', 'x\x7f', 'a\tb', 'a\rb', 'a\nb', 'bücher.test', '\u00a0', 'x\u0085', '日本'])(
    'has no control or 8-bit character as in %j (§2.4, §4.1.2)',
    (arg) => {
      expect(hello(arg)).toBe('unsafe');
    },
  );

  it('has at most 255 octets (§4.5.3.1.2)', () => {
    expect(hello('x'.repeat(255))).toEqual({ name: 'x'.repeat(255) });
    expect(hello('x'.repeat(256))).toBe('length');
  });
});
