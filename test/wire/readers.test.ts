import { describe, expect, it } from 'vitest';
import { BareNewlines } from '../../src/wire/bare-newlines.ts';
import { ChunkReader } from '../../src/wire/chunk-reader.ts';
import { DotReader } from '../../src/wire/dot-reader.ts';
import { Input } from '../../src/wire/input.ts';
import { LineReader } from '../../src/wire/line-reader.ts';
import { splitVerb } from '../../src/wire/split-verb.ts';
import { createRandom, pick } from '../support/random.ts';

/** Every way to cut a short text into segments. */
function cuttings(text: string): Buffer[][] {
  const bytes = Buffer.from(text, 'latin1');
  const ways: Buffer[][] = [];
  for (let mask = 0; mask < 1 << (bytes.length - 1); mask++) {
    const segments: Buffer[] = [];
    let from = 0;
    for (let at = 1; at <= bytes.length; at++) {
      if (at === bytes.length || mask & (1 << (at - 1))) {
        segments.push(Buffer.from(bytes.subarray(from, at)));
        from = at;
      }
    }
    ways.push(segments);
  }
  return ways;
}

/** What content can be made of, so that every way through the reader is gone, and every way from one to another. */
const MIXTURES = {
  'empty lines': ['\r\n'],
  'lines of stuffed dots': ['..\r\n', '..\r\n', '...\r\n', '\r\n'],
  'short lines': ['a\r\n', 'ab\r\n', '..abc\r\n', '\r\n', 'seven..\r\n'],
  'lines of every length': ['\r\n', '\r\n..', 'word', ' ', '.', 'x'.repeat(30), '\xff'.repeat(70)],
  'stray CRs, LFs and dots': ['\r\n', '\r\n.', '\r', '\n', '.', 'x', '.\r', '\r\n.\rx', 'some text'],
  'control characters': ['\0', '\t', '\x0b', '\x0c', '\x0e', '\x7f', '\r\n', '\r\n..', 'text and ', '\x80\x8d\x8a'],
} as const;

interface DotRead {
  readonly content: string;
  readonly ended: boolean;
  readonly bare: boolean;
  readonly rest: string;
}

const MARGIN = Buffer.alloc(8, '!');

/** A view at a place of a memory of its own; `check` throws if anything was written beside it. */
function viewAt(place: number, octets: Buffer): { view: Buffer; check: () => void } {
  const before = Buffer.concat([MARGIN, Buffer.alloc(place, '!')]);
  const memory = Buffer.concat([before, octets, MARGIN]);
  const end = before.length + octets.length;
  const check = (): void => {
    if (memory.subarray(0, before.length).equals(before) && memory.subarray(end).equals(MARGIN)) return;
    throw new Error('octets beside the view have changed');
  };
  return { view: memory.subarray(before.length, end), check };
}

/** Cuts octets at random places. */
function cutAtRandom(random: () => number, text: string, most: number): Buffer[] {
  const segments: Buffer[] = [];
  for (let at = 0; at < text.length; ) {
    const size = 1 + Math.floor(random() * most);
    segments.push(Buffer.from(text.slice(at, at + size), 'latin1'));
    at += size;
  }
  return segments;
}

function readDots(segments: readonly Buffer[], place: () => number = () => 0): DotRead {
  const reader = new DotReader();
  const input = new Input();
  const parts: Buffer[] = [];
  for (const segment of segments) {
    const { view: pushed, check } = viewAt(place(), segment);
    input.push(pushed);
    for (let view = reader.next(input); view !== undefined; view = reader.next(input)) parts.push(Buffer.from(view));
    check();
  }
  const rest: Buffer[] = [];
  for (let head = input.head; head; head = input.head) {
    rest.push(Buffer.from(head));
    input.consume(head.length);
  }
  if (input.length !== 0) throw new Error('more or less was read than there is');
  return {
    content: Buffer.concat(parts).toString('latin1'),
    ended: reader.ended,
    bare: reader.bareNewlines,
    rest: Buffer.concat(rest).toString('latin1'),
  };
}

/** What RFC 5321 says in the plainest words: cut at CR LF . CR LF, then take one dot off each line that CR LF begins. */
function plainly(text: string): DotRead {
  const whole = `\r\n${text}`;
  const end = whole.indexOf('\r\n.\r\n');
  const ended = end !== -1;
  const body = ended ? whole.slice(2, end + 2) : text;
  const content = `\r\n${body}`.replaceAll('\r\n.', '\r\n').slice(2);
  return { content, ended, bare: /\r(?!\n)|(?<!\r)\n/.test(body), rest: ended ? whole.slice(end + 5) : '' };
}

describe('content up to the lone dot', () => {
  it.each([
    'a\r\n.\r\n',
    '.\r\n',
    '..\r\n.\r\n',
    '.a\r\n.\r\nQ',
    'a\r\n..\r\n.\r\n',
    'a\n.\n\r\n.\r\n',
    'a\n.\r\n\r\n.\r\n',
    'a\r\n.\rx\r\n.\r\n',
    '.\r\r\n.\r\n',
    '\r\n.\r\r\n.\r\n',
    '\r\r\n.\r\nQ',
    '\r\n.\n\r\n.\r\n',
    '\r\n.\0\r\n.\r\n',
  ])('reads %j the same however it is cut', (text) => {
    const expected = plainly(text);
    expect(expected.ended).toBe(true);
    for (const segments of cuttings(text)) expect(readDots(segments)).toEqual(expected);
  });

  it('agrees with the plain words on random bytes of the alphabet that matters', () => {
    const next = createRandom(20_261_121);
    for (let round = 0; round < 20_000; round++) {
      const length = 1 + Math.floor(next() * 40);
      let text = '';
      for (let at = 0; at < length; at++) text += '\r\n\r\n..a\0\r\n'[Math.floor(next() * 10)];
      text += '\r\n.\r\n';
      expect(readDots(cutAtRandom(next, text, 8)), JSON.stringify(text)).toEqual(plainly(text));
    }
  });

  it.each(Object.entries(MIXTURES))(
    'agrees with the plain words on %s, wherever it is cut and lies in memory',
    (_, pieces) => {
      const next = createRandom(20_261_201);
      for (let round = 0; round < 150; round++) {
        let text = '';
        for (let count = next() * 200; count > 0; count--) text += pick(next, pieces);
        text += next() < 0.9 ? '\r\n.\r\nRSET\r\n' : 'x';
        const segments = cutAtRandom(next, text, pick(next, [3, 9, 40, 500, 10_000]));
        const read = readDots(segments, () => Math.floor(next() * 8));
        expect(read, JSON.stringify(text)).toEqual(plainly(text));
      }
    },
  );

  it('finds an end, a stuffed dot and a bare newline at every place of text', () => {
    for (let before = 0; before < 40; before++) {
      for (const middle of ['\r\n.', '\r\n..', '\r\n.a', '\n', '\r', '\r\n\r\n', '\t', '']) {
        const text = `${'x'.repeat(before)}${middle}${'y'.repeat(30)}\r\n.\r\n`;
        for (let offset = 0; offset < 4; offset++) {
          const memory = Buffer.concat([Buffer.alloc(offset), Buffer.from(text, 'latin1')]);
          expect(readDots([memory.subarray(offset)]), JSON.stringify(text)).toEqual(plainly(text));
        }
      }
    }
  });

  it.each([
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    '\r\r\n',
    '.\r\n',
    '..\r\n',
    '\t\r\n',
    'a\r\n',
    'ab\r\n',
    '\0',
    '\t',
    '\t\x0b',
  ])('reads a run of %j behind anything, and what ends it', (repeated) => {
    for (const before of ['', 'x', 'xy', 'xyz', '\r\n', '\r\n..', '..', '\r', '\r\n..x\r\n..y']) {
      for (const after of ['', '.', 'x', '\r', '\n', '\r\n..z', '\t']) {
        for (const times of [1, 3, 4, 5, 30, 31]) {
          const text = `${before}${repeated.repeat(times)}${after}\r\n.\r\nQ`;
          for (let place = 0; place < 4; place++) {
            expect(
              readDots([Buffer.from(text, 'latin1')], () => place),
              JSON.stringify(text),
            ).toEqual(plainly(text));
          }
        }
      }
    }
  });

  it('gives one view for one view, even if every line is stuffed', () => {
    const reader = new DotReader();
    const input = new Input();
    input.push(Buffer.from('..a\r\n'.repeat(10_000)));
    expect(reader.next(input)?.toString()).toBe('.a\r\n'.repeat(10_000));
    expect(reader.next(input)).toBeUndefined();
  });
});

describe('bare newlines in chunks', () => {
  it.each([
    ['a\r\nb\r\n', false],
    ['', false],
    ['a\nb', true],
    ['a\rb', true],
    ['a\r', true],
    ['\r\r\n', true],
    ['\n', true],
    ['\r\n\r\n', false],
  ])('%j: %s, however it is cut', (text, bare) => {
    for (const segments of text === '' ? [[]] : cuttings(text)) {
      const watch = new BareNewlines();
      for (const segment of segments) watch.see(segment);
      expect(watch.end()).toBe(bare);
    }
  });
});

it('finds a bare newline at every place of a chunk', () => {
  for (let before = 0; before < 40; before++) {
    for (const [middle, bare] of [
      ['\n', true],
      ['\r', true],
      ['\r\n', false],
      ['\r\n.\n', true],
      ['\r\n\r\n.', false],
    ] as const) {
      const watch = new BareNewlines();
      watch.see(Buffer.from(`${'x'.repeat(before)}${middle}${'y'.repeat(30)}`));
      expect(watch.end(), `${before} ${JSON.stringify(middle)}`).toBe(bare);
    }
  }
});

it.each(Object.entries(MIXTURES))('finds a bare newline or none in a chunk of %s', (_, pieces) => {
  const next = createRandom(20_261_202);
  const found = new Set<boolean>();
  for (let round = 0; round < 150; round++) {
    let text = '';
    for (let count = next() * pick(next, [3, 20, 300]); count > 0; count--) text += pick(next, pieces);
    const watch = new BareNewlines();
    for (const segment of cutAtRandom(next, text, pick(next, [3, 9, 40, 500]))) {
      const { view, check } = viewAt(Math.floor(next() * 8), segment);
      watch.see(view);
      check();
      if (!view.equals(segment)) throw new Error('what is only looked at has changed');
    }
    const bare = /\r(?!\n)|(?<!\r)\n/.test(text);
    expect(watch.end(), JSON.stringify(text)).toBe(bare);
    found.add(bare);
  }
  expect(found.has(pieces.some((piece) => piece === '\r'))).toBe(true);
});

describe('command lines', () => {
  function readLines(segments: readonly Buffer[], limit = 64): unknown[] {
    const reader = new LineReader();
    const input = new Input();
    const lines: unknown[] = [];
    for (const segment of segments) {
      input.push(segment);
      for (let line = reader.next(input, limit); line !== undefined; line = reader.next(input, limit)) {
        lines.push(typeof line === 'string' ? line : line.trouble);
        if (typeof line !== 'string' && (line.trouble === 'endless' || line.trouble === 'tls')) return lines;
      }
    }
    return lines;
  }

  it.each([
    ['NOOP\r\nQUIT\r\n', ['NOOP', 'QUIT']],
    ['A\nB\r\nC\r\n', ['bareLineFeed', 'C']],
    ['A\nB\nC\r\n', ['bareLineFeed', 'bareLineFeed']],
    ['A\rB\r\nC\r\n', ['bareCarriageReturn', 'C']],
    ['A\r\r\nC\r\n', ['bareCarriageReturn', 'C']],
    ['A\0\r\nC\r\n', ['nul', 'C']],
    ['\xff\r\nC\r\n', ['notUtf8', 'C']],
    ['\r\n\r\n', ['', '']],
  ])('%j gives %j however it is cut', (text, lines) => {
    for (const segments of cuttings(text)) expect(readLines(segments)).toEqual(lines);
  });

  it('takes a line of exactly the limit, CR LF included, and not one more', () => {
    const line = (length: number): Buffer => Buffer.from(`${'x'.repeat(length - 2)}\r\nNOOP\r\n`);
    const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((octet) => Buffer.of(octet));
    for (const cut of [(bytes: Buffer) => [bytes], bytewise]) {
      expect(readLines(cut(line(64)))).toEqual(['x'.repeat(62), 'NOOP']);
      expect(readLines(cut(line(65)))).toEqual(['tooLong', 'NOOP']);
    }
  });

  it('gives an endless line up', () => {
    expect(readLines(Array.from({ length: 100 }, () => Buffer.alloc(1024, 0x41)))).toEqual(['endless']);
  });

  it('keeps UTF-8 whole over segments', () => {
    for (const octets of [1, 2, 3]) {
      const bytes = Buffer.from('ü€😀\r\n');
      const segments: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += octets) segments.push(bytes.subarray(at, at + octets));
      expect(readLines(segments)).toEqual(['ü€😀']);
    }
  });

  it('sees a TLS handshake', () => {
    expect(readLines([Buffer.from('160301020001', 'hex')])).toEqual(['tls']);
  });
});

describe('verbs', () => {
  it.each([
    ['noop', 'NOOP', ''],
    ['MaIl FROM:<a@b> ', 'MAIL', 'FROM:<a@b>'],
    ['MAIL  FROM:<a@b>', 'MAIL', ' FROM:<a@b>'],
    [' NOOP', '', 'NOOP'],
    ['', '', ''],
    ['   ', '', ''],
    ['NOOP\t', 'NOOP', ''],
    ['NOOP\tx', 'NOOP\tX', ''],
    ['maıl x', 'MAıL', 'x'],
    ['NOOP x\u00a0', 'NOOP', 'x\u00a0'],
  ])('%j is %j with %j', (line, verb, arg) => {
    expect(splitVerb(line)).toEqual({ verb, arg });
  });
});

describe('chunks', () => {
  it('takes exactly the octets announced and leaves the next command', () => {
    const input = new Input();
    input.push(Buffer.from('abc'));
    input.push(Buffer.from('deQUIT\r\n'));
    const reader = new ChunkReader(5);
    expect(reader.next(input)?.toString()).toBe('abc');
    expect(reader.next(input)?.toString()).toBe('de');
    expect(reader.ended).toBe(true);
    expect(reader.next(input)).toBeUndefined();
    expect(input.head?.toString()).toBe('QUIT\r\n');
  });

  it('has ended at once when nothing was announced', () => {
    expect(new ChunkReader(0).ended).toBe(true);
  });
});
