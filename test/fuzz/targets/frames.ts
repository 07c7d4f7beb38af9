import { type FrameLimits, FrameReader } from '../../../src/wire/frame-reader.ts';
import { Input } from '../../../src/wire/input.ts';
import { pick } from '../../support/random.ts';
import { mutate, noise, small, text } from '../generate.ts';
import { Finding, sound, type Target } from '../target.ts';

const FRAMES = [
  'USER 0 corrado\nPASS 0 x\nBIND 0 127.0.0.1 5555\nQUERY 0\nLEAVE 0\n',
  'ACK 35\nhi corrado, authentication required',
  'MESSAGE 5 inboxd\na\nb\ncPING 0\nPONG 0\n',
  'A 2\r\n\r\nB 10 x y z\r\n0123456789',
  'A 99999999999999999999\n',
].map((frame) => Buffer.from(frame));
const LIMITS: FrameLimits = { headerBytes: 64, payloadBytes: 256 };

/** What is read of octets in segments, up to the first trouble; whoever keeps a view finds it overwritten. */
function read(segments: readonly Buffer[]): string[] {
  const reader = new FrameReader();
  const input = new Input();
  const read: string[] = [];
  for (const segment of segments) {
    const view = Buffer.from(segment);
    input.push(view);
    for (let frame = reader.next(input, LIMITS); frame !== undefined; frame = reader.next(input, LIMITS)) {
      if ('trouble' in frame) return [...read, frame.trouble];
      read.push(JSON.stringify([frame.type, frame.args, frame.payload.toString('latin1')]));
    }
    input.keep();
    view.fill(0x21);
  }
  return read;
}

/** The same in the plainest words, with the whole input at hand. */
function plainly(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (!/\w/.test(String.fromCharCode(bytes[at]!))) return [...frames, 'malformed'];
    const end = bytes.indexOf(0x0a, at);
    if ((end < 0 ? bytes.length : end) - at >= LIMITS.headerBytes) return [...frames, 'headerTooLong'];
    if (end < 0) return frames;
    const header = bytes.subarray(at, end);
    const words = header.toString('utf8').replace(/\r$/, '').split(' ');
    const [type = '', length = '', ...args] = words;
    const isWord = (word: string): boolean => word !== '' && !/[\s\p{Cc}]/u.test(word);
    const isText = Buffer.from(header.toString('utf8')).equals(header);
    if (!isText || !/^\w+$/.test(type) || !/^\d+$/.test(length) || !args.every(isWord)) return [...frames, 'malformed'];
    if (Number(length) > LIMITS.payloadBytes) return [...frames, 'payloadTooLong'];
    at = end + 1 + Number(length);
    if (at > bytes.length) return frames;
    frames.push(JSON.stringify([type, args, bytes.toString('latin1', end + 1, at)]));
  }
  return frames;
}

/** Frames, whole, mutated and as they arrive: the same frames and the same trouble, however the octets are cut. */
export const frames: Target = {
  name: 'frames',
  share: 10,
  deadlineMs: 250,
  run(random) {
    const whole =
      random() < 0.2 ? Buffer.from(text(random, 6)) : Buffer.concat([pick(random, FRAMES), pick(random, FRAMES)]);
    const input = Buffer.concat([random() < 0.3 ? whole : mutate(random, whole, FRAMES), noise(random, 20)]);
    const shown = input.toString('latin1');
    sound(shown, () => {
      const expected = JSON.stringify(plainly(input));
      const segments: Buffer[] = [];
      for (let at = 0; at < input.length; ) {
        const length = 1 + small(random, 40);
        segments.push(input.subarray(at, at + length));
        at += length;
      }
      // octet by octet costs a call each
      const octets = input.length <= 2_000 ? [[...input].map((octet) => Buffer.of(octet))] : [];
      for (const cut of [[input], segments, ...octets]) {
        const is = JSON.stringify(read(cut));
        if (is !== expected) throw new Finding(`read ${is}, not ${expected}`, shown);
      }
    });
  },
};
