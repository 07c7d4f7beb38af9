import { describe, expect, it } from 'vitest';
import { type BadFrame, encodeFrame, type Frame, type FrameLimits, FrameReader } from '../../src/wire/frame-reader.ts';
import { Input } from '../../src/wire/input.ts';

const LIMITS: FrameLimits = { headerBytes: 32, payloadBytes: 8 };

/** A frame as `TYPE [args] "payload"`, trouble as its name. */
function show(frame: Frame | BadFrame): string {
  if ('trouble' in frame) return frame.trouble;
  return `${frame.type} [${frame.args.join('|')}] ${JSON.stringify(frame.payload.toString('latin1'))}`;
}

/** All frames of octets that come in segments, up to the first trouble; whoever keeps a view finds it overwritten. */
function read(segments: readonly Buffer[], limits = LIMITS): string[] {
  const reader = new FrameReader();
  const input = new Input();
  const read: string[] = [];
  for (const segment of segments) {
    const view = Buffer.from(segment);
    input.push(view);
    for (let frame = reader.next(input, limits); frame !== undefined; frame = reader.next(input, limits)) {
      read.push(show(frame));
      if ('trouble' in frame) return read;
    }
    input.keep();
    view.fill('!');
  }
  return read;
}

const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((octet) => Buffer.of(octet));

/** Every way to cut octets in two. */
const halves = (bytes: Buffer): Buffer[][] =>
  [...bytes.keys()].slice(1).map((at) => [bytes.subarray(0, at), bytes.subarray(at)]);

describe('frames', () => {
  it.each([
    ['PING 0\n', ['PING [] ""']],
    ['USER 0 corrado\nPASS 0 x\n', ['USER [corrado] ""', 'PASS [x] ""']],
    ['BIND 0 127.0.0.1 5555\n', ['BIND [127.0.0.1|5555] ""']],
    ['ACK 3\nabcPONG 0\n', ['ACK [] "abc"', 'PONG [] ""']],
    ['M_1 4 a\n\n\0\r\nM_1 0\n', ['M_1 [a] "\\n\\u0000\\r\\n"', 'M_1 [] ""']],
    ['A 007\n1234567B 0\n', ['A [] "1234567"', 'B [] ""']],
    ['PING 0\r\nA 2 x\r\n\r\n', ['PING [] ""', 'A [x] "\\r\\n"']],
    ['X 0 \xc3\xa9\n', ['X [é] ""']],
    ['connect 0\n', ['connect [] ""']],
    // more is needed
    ['PING 0', []],
    ['PING 8\n1234567', []],
    ['PING 0\nPI', ['PING [] ""']],
    // no frames
    ['\n', ['malformed']],
    [' PING 0\n', ['malformed']],
    ['PING\n', ['malformed']],
    ['PING  0\n', ['malformed']],
    ['PING 0 \n', ['malformed']],
    ['PING 0  a\n', ['malformed']],
    ['PING 0\ta\n', ['malformed']],
    ['PING +1\n', ['malformed']],
    ['PING -1\n', ['malformed']],
    ['PING 1e1\n', ['malformed']],
    ['PING 0x1\n', ['malformed']],
    ['PI-NG 0\n', ['malformed']],
    ['PING 0 a\0b\n', ['malformed']],
    ['PING 0 a\x1bb\n', ['malformed']],
    ['PING 0 a\rb\n', ['malformed']],
    ['PING 0\r\r\n', ['malformed']],
    ['PING 0 \xff\n', ['malformed']],
    ['PING 0 \xc2\xa0\n', ['malformed']],
    ['\x16\x03\x01', ['malformed']],
    ['A 0\n\x16', ['A [] ""', 'malformed']],
    ['A 9\n', ['payloadTooLong']],
    ['A 99999999999999999999999\n', ['payloadTooLong']],
  ])('%j is %j however it is cut', (text, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(read([bytes])).toEqual(expected);
    expect(read(bytewise(bytes))).toEqual(expected);
    for (const segments of halves(bytes)) expect(read(segments)).toEqual(expected);
  });

  it.each([
    ['a header of exactly the limit', 31, [`A [${'x'.repeat(27)}] ""`]],
    ['one octet more', 32, ['headerTooLong']],
  ])('%s, LF included', (_, length, expected) => {
    const bytes = Buffer.from(`${'A 0 '.padEnd(length, 'x')}\n`);
    expect(read([bytes])).toEqual(expected);
    expect(read(bytewise(bytes))).toEqual(expected);
  });

  it('gives a header up whose end cannot come within the limit any more', () => {
    expect(read([Buffer.alloc(31, 'A')])).toEqual([]);
    expect(read([Buffer.alloc(32, 'A')])).toEqual(['headerTooLong']);
  });

  it('Size checked only when declared: keeps room for what has come, not for what is promised', () => {
    const limits = { headerBytes: 32, payloadBytes: 2 ** 40 };
    expect(read([Buffer.from(`A ${2 ** 40}\nabc`)], limits)).toEqual([]);
  });

  it('reads its own writing', () => {
    const payload = Buffer.from('hi corrado, authentication required');
    expect(encodeFrame('ACK', [], payload).toString()).toBe('ACK 35\nhi corrado, authentication required');
    expect(encodeFrame('MESSAGE', ['inboxd'], Buffer.from('é')).toString()).toBe('MESSAGE 2 inboxd\né');
    expect(read([encodeFrame('PING')])).toEqual(['PING [] ""']);
  });
});
