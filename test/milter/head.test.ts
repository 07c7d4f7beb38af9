import { describe, expect, it } from 'vitest';
import { readHead } from '../../src/milter/head.ts';
import { cleanValue, editHead, type HeaderEdit, isFieldName } from '../../src/milter/head-edits.ts';

async function* cut(text: string, size: number): AsyncGenerator<Buffer> {
  const octets = Buffer.from(text, 'latin1');
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

async function read(text: string, size = 1, most = 1000) {
  const head = await readHead(cut(text, size), most);
  if (!head) return undefined;
  const body: Buffer[] = [];
  for await (const view of head.body()) body.push(view);
  const fields = head.lines.map(({ name, value }) => [name, value]);
  return {
    fields,
    bytes: head.bytes,
    separator: head.separator.toString(),
    body: Buffer.concat(body).toString('latin1'),
  };
}

describe('a header section', () => {
  it.each([1, 2, 5, 1000])('is cut from its body, %i octets at a time', async (size) => {
    const text = 'A: 1\r\nB:\ttwo\r\n\tfolds\r\n more\r\nc \t: x\r\n\r\nbody\r\nB: no\r\n';
    expect(await read(text, size)).toEqual({
      fields: [
        ['A', ' 1'],
        ['B', '\ttwo\n\tfolds\n more'],
        ['c', ' x'],
      ],
      bytes: text.indexOf('body'),
      separator: '\r\n',
      body: 'body\r\nB: no\r\n',
    });
  });

  it.each([
    ['nothing', '', [], '', ''],
    ['no body and no line end', 'A: 1', [['A', ' 1']], '', ''],
    ['an empty body', 'A: 1\r\n\r\n', [['A', ' 1']], '\r\n', ''],
    ['no header', '\r\nbody\r\n', [], '\r\n', 'body\r\n'],
    ['a line that is no field', 'A: 1\r\nno field\r\nB: 2\r\n', [['A', ' 1']], '', 'no field\r\nB: 2\r\n'],
    ['a continuation of nothing', ' x\r\nA: 1\r\n', [], '', ' x\r\nA: 1\r\n'],
    [
      'bare line feeds',
      'A: 1\nB: 2\n\nbody\n',
      [
        ['A', ' 1'],
        ['B', ' 2'],
      ],
      '\n',
      'body\n',
    ],
    ['octets that are no ASCII, and a NUL', 'A: \xe4\xff\0\r\n\r\n', [['A', ' \xe4\xff ']], '\r\n', ''],
    ['an empty value', 'A:\r\n\r\n', [['A', '']], '\r\n', ''],
    ['a colon and nothing before it', ': x\r\n', [], '', ': x\r\n'],
  ])('of %s', async (_what, text, fields, separator, body) => {
    for (const size of [1, 1000]) expect(await read(text, size)).toMatchObject({ fields, separator, body });
  });

  it('is not read without end', async () => {
    expect(await read(`A: ${'x'.repeat(2000)}\r\n\r\n`)).toBeUndefined();
    expect(await read('A: 1\r\n'.repeat(300))).toBeUndefined();
    expect(await read(`A: 1\r\n\r\n${'x'.repeat(2000)}`, 100)).toMatchObject({ fields: [['A', ' 1']] });
  });
});

function lines(...names: string[]) {
  return names.map((name) => ({ name, value: ` ${name}`, octets: Buffer.from(`${name}: ${name}\r\n`) }));
}

function edited(names: readonly string[], edits: readonly HeaderEdit[], leadingSpace = false, above = 0) {
  const head = editHead({ lines: lines(...names), above }, edits, leadingSpace);
  return { text: head.lines.map(({ octets }) => octets.toString('latin1').trimEnd()), above: head.above };
}

describe('changes to a header section', () => {
  const add = (name: string, value: string): HeaderEdit => ({ kind: 'addHeader', name, value });
  const insert = (index: number, name: string, value: string): HeaderEdit => ({
    kind: 'insertHeader',
    index,
    name,
    value,
  });
  const change = (index: number, name: string, value: string): HeaderEdit => ({
    kind: 'changeHeader',
    index,
    name,
    value,
  });

  it.each<[string, string[], HeaderEdit[], string[]]>([
    ['add at the end', ['A'], [add('X', 'v')], ['A: A', 'X: v']],
    ['insert above everything', ['A'], [insert(0, 'X', 'v')], ['X: v', 'A: A']],
    ['insert below our own Received line', ['A'], [insert(1, 'X', 'v')], ['X: v', 'A: A']],
    ['insert by place', ['A', 'B'], [insert(2, 'X', 'v')], ['A: A', 'X: v', 'B: B']],
    ['insert beyond the end', ['A'], [insert(99, 'X', 'v')], ['A: A', 'X: v']],
    [
      'insert at the top again and again: the last is above',
      ['A'],
      [insert(0, 'X', '1'), insert(0, 'X', '2')],
      ['X: 2', 'X: 1', 'A: A'],
    ],
    [
      'insert above and below our Received line',
      ['A'],
      [insert(1, 'X', 'below'), insert(0, 'X', 'above')],
      ['X: above', 'X: below', 'A: A'],
    ],
    ['change keeps place and spelling', ['A', 'Sub', 'B'], [change(1, 'SUB', 'v')], ['A: A', 'Sub: v', 'B: B']],
    ['change 0 is change 1', ['A'], [change(0, 'a', 'v')], ['A: v']],
    ['change the second', ['A', 'B', 'A'], [change(2, 'A', 'v')], ['A: A', 'B: B', 'A: v']],
    ['change beyond the count adds', ['A'], [change(2, 'A', 'v')], ['A: A', 'A: v']],
    ['change of an absent one adds', ['A'], [change(1, 'X-Spam', 'Yes')], ['A: A', 'X-Spam: Yes']],
    ['delete', ['A', 'B'], [change(1, 'A', '')], ['B: B']],
    ['delete beyond the count does nothing', ['A'], [change(2, 'A', ''), change(1, 'B', '')], ['A: A']],
    [
      'delete one and two: numbers stay as the milter saw them',
      ['A', 'A', 'A'],
      [change(1, 'A', ''), change(2, 'A', ''), change(3, 'A', 'v')],
      ['A: v'],
    ],
    ['what was added can be changed', ['A'], [add('X', '1'), change(1, 'X', '2')], ['A: A', 'X: 2']],
    [
      'what was deleted can be given a value again',
      ['A', 'B'],
      [change(1, 'A', ''), change(1, 'A', 'v')],
      ['A: v', 'B: B'],
    ],
    [
      'insert does not count what was deleted',
      ['A', 'B', 'C'],
      [change(1, 'A', ''), insert(2, 'X', 'v')],
      ['B: B', 'X: v', 'C: C'],
    ],
  ])('%s', (_what, names, edits, text) => {
    expect(edited(names, edits).text).toEqual(text);
  });

  it('of a later milter know where our own Received line will be', () => {
    const first = edited(['A'], [insert(0, 'X', '1')]);
    expect(first).toEqual({ text: ['X: 1', 'A: A'], above: 1 });
    expect(edited(['X', 'A'], [insert(1, 'Y', '2')], false, first.above)).toEqual({
      text: ['X: X', 'Y: 2', 'A: A'],
      above: 2,
    });
    expect(edited(['X', 'A'], [insert(0, 'Y', '2')], false, first.above).text).toEqual(['Y: 2', 'X: X', 'A: A']);
  });

  it('with leading space are taken as they are', () => {
    expect(edited([], [add('X', 'v'), add('Y', '  v')], true).text).toEqual(['X:v', 'Y:  v']);
  });

  it.each([
    ['a line that would be a header', 'a\nX-Evil: 1', 'a\n\tX-Evil: 1'],
    ['an end of the header section', 'a\n\nbody', 'a\n\tbody'],
    ['carriage returns', 'a\r\nX-Evil: 1\r', 'a\n\tX-Evil: 1'],
    ['line ends at the end', 'a\n\n \n', 'a'],
    ['folds', 'a\n\tb\n c', 'a\n\tb\n c'],
    ['folds of white space alone', 'a\n \t\n b', 'a\n b'],
  ])('never let a value be more than a value: %s', (_what, value, clean) => {
    expect(cleanValue(value)).toBe(clean);
    const octets = editHead({ lines: [], above: 0 }, [add('X', value)], false).lines[0]!.octets.toString();
    expect(octets).toMatch(/^X: [^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n$/);
  });

  it.each(['', 'a b', 'a:', 'a\n', 'ä', 'a\0'])('never have a name such as %j', (name) => {
    expect(isFieldName(name)).toBe(false);
  });
});
