import { describe, expect, it } from 'vitest';
import { DotReader } from '../../src/wire/dot-reader.ts';
import { DotWriter, LineEnds } from '../../src/wire/dot-writer.ts';
import { Input } from '../../src/wire/input.ts';

/** Passes text through in views of so many octets. */
function inViews(text: string, size: number, pass: (view: Buffer) => Buffer): string {
  const bytes = Buffer.from(text, 'latin1');
  let out = '';
  for (let at = 0; at < bytes.length; at += size) out += pass(bytes.subarray(at, at + size)).toString('latin1');
  return out;
}

const lineEnds = (text: string, size: number): string => {
  const ends = new LineEnds();
  return inViews(text, size, (view) => ends.pass(view)) + ends.end().toString('latin1');
};
const stuff = (text: string, size: number): string => {
  const dots = new DotWriter();
  return inViews(text, size, (view) => dots.pass(view));
};

describe.each([1, 2, 3, 1000])('views of %i octets', (size) => {
  it.each([
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\nb\n', 'a\r\nb\r\n'],
    ['\n\n', '\r\n\r\n'],
    ['a\rb', 'a\rb\r\n'],
    ['a\r', 'a\r\n'],
    ['a\r\r\n', 'a\r\r\n'],
    ['', ''],
  ])('LineEnds makes %j into %j', (text, expected) => {
    expect(lineEnds(text, size)).toBe(expected);
  });

  it.each([
    ['.\r\n', '..\r\n'],
    ['a.\r\n.b\r\n..\r\n', 'a.\r\n..b\r\n...\r\n'],
    ['a\r.b\r\n', 'a\r.b\r\n'],
    ['', ''],
  ])('DotWriter makes %j into %j', (text, expected) => {
    expect(stuff(text, size)).toBe(expected);
  });

  it('DotWriter is undone by DotReader', () => {
    const text = '.a\r\n..\r\n\r\n.\r\nb.\r\n\xff.\r\n';
    const input = new Input();
    input.push(Buffer.from(`${stuff(text, size)}.\r\n`, 'latin1'));
    const reader = new DotReader();
    let out = '';
    for (let view = reader.next(input); view; view = reader.next(input)) out += view.toString('latin1');
    expect(out).toBe(text);
  });
});

it('leaves views as they are where there is nothing to do', () => {
  const view = Buffer.from('no dots at the start.\r\n');
  expect(new DotWriter().pass(view)).toBe(view);
  expect(new LineEnds().pass(view)).toBe(view);
});
