import { describe, expect, it } from 'vitest';
import { MILTER_LIMITS } from '../../src/milter/limits.ts';
import { PacketReader } from '../../src/milter/packet-reader.ts';
import {
  decodeFromMilter,
  decoderOf,
  encodePacket,
  encodeToMilter,
  FROM_MILTER,
  type FromMilter,
  TO_MILTER,
  type ToMilter,
} from '../../src/milter/packets.ts';

const decodeToMilter = decoderOf(TO_MILTER);

// biome-ignore format: one packet a line
const SENT: readonly (readonly [string, ToMilter, string])[] = [
  ['offer', { kind: 'negotiate', version: 6, actions: 0x1ff, protocol: 0x1fffff }, '0000000d4f00000006000001ff001fffff'],
  ['macros', { kind: 'macros', command: 'C', values: [['j', 'mx.test']] }, '0000000c44436a006d782e7465737400'],
  ['no macros', { kind: 'macros', command: 'H', values: [] }, '000000024448'],
  ['IPv4', { kind: 'connect', hostname: 'h.test', family: '4', peer: { port: 40000, address: '192.0.2.7' } }, '0000001543682e7465737400349c403139322e302e322e3700'],
  ['IPv6', { kind: 'connect', hostname: '[2001:db8::7]', family: '6', peer: { port: 40000, address: '2001:db8::7' } }, '0000001e435b323030313a6462383a3a375d00369c40323030313a6462383a3a3700'],
  ['UNIX socket', { kind: 'connect', hostname: 'localhost', family: 'L', peer: { port: 0, address: '/run/s' } }, '00000015436c6f63616c686f7374004c00002f72756e2f7300'],
  ['unknown', { kind: 'connect', hostname: 'localhost', family: 'U', peer: undefined }, '0000000c436c6f63616c686f73740055'],
  ['HELO', { kind: 'hello', name: 'c.test' }, '0000000848632e7465737400'],
  ['MAIL', { kind: 'mail', words: ['<a@x>', 'SIZE=10'] }, '0000000f4d3c6140783e0053495a453d313000'],
  ['RCPT', { kind: 'rcpt', words: ['<b@x>'] }, '00000007523c6240783e00'],
  ['DATA', { kind: 'data' }, '0000000154'],
  ['header', { kind: 'header', name: 'Subject', value: ' hi' }, '0000000d4c5375626a6563740020686900'],
  ['end of header', { kind: 'headEnd' }, '000000014e'],
  ['body', { kind: 'body', octets: Buffer.from('hi\r\n') }, '000000054268690d0a'],
  ['end', { kind: 'end' }, '0000000145'],
  ['abort', { kind: 'abort' }, '0000000141'],
  ['quit', { kind: 'quit' }, '0000000151'],
  ['unknown command', { kind: 'unknown', line: 'FROB x' }, '000000085546524f42207800'],
];

// biome-ignore format: one packet a line
const HEARD: readonly (readonly [string, FromMilter, string])[] = [
  ['reply to the offer', { kind: 'negotiate', version: 6, actions: 0x1ff, protocol: 0x100c00, lists: [{ stage: 3, names: '{rcpt_addr} {rcpt_mailer}' }, { stage: 5, names: 'i {mail_addr}' }] }, '0000003d4f00000006000001ff00100c00000000037b726370745f616464727d207b726370745f6d61696c65727d000000000569207b6d61696c5f616464727d00'],
  ['continue', { kind: 'continue' }, '0000000163'],
  ['add header', { kind: 'addHeader', name: 'X-A', value: ' v' }, '0000000868582d4100207600'],
  ['insert header', { kind: 'insertHeader', index: 0, name: 'X-A', value: ' v' }, '0000000c6900000000582d4100207600'],
  ['delete header', { kind: 'changeHeader', index: 1, name: 'X-A', value: '' }, '0000000a6d00000001582d410000'],
  ['add recipient', { kind: 'addRecipient', address: '<c@x>' }, '000000072b3c6340783e00'],
  ['add recipient, parameters', { kind: 'addRecipientPar', address: '<c@x>', words: 'NOTIFY=NEVER' }, '00000014323c6340783e004e4f544946593d4e4556455200'],
  ['delete recipient', { kind: 'deleteRecipient', address: '<c@x>' }, '000000072d3c6340783e00'],
  ['change sender', { kind: 'changeSender', address: '<n@x>', words: undefined }, '00000007653c6e40783e00'],
  ['replace body', { kind: 'replaceBody', octets: Buffer.from('new\r\n') }, '00000006626e65770d0a'],
  ['quarantine', { kind: 'quarantine', reason: 'why' }, '000000057177687900'],
  ['reply', { kind: 'reply', text: '550 5.7.1 no' }, '0000000e7935353020352e372e31206e6f00'],
  ['progress', { kind: 'progress' }, '0000000170'],
  ['skip', { kind: 'skip' }, '0000000173'],
];

describe('packets of the milter protocol, byte for byte', () => {
  it.each(SENT)('to a milter: %s', (_name, packet, hex) => {
    expect(encodeToMilter(packet).toString('hex')).toBe(hex);
    expect(decodeToMilter(Buffer.from(hex, 'hex').subarray(4))).toEqual({ ok: true, packet });
  });

  it.each(HEARD)('from a milter: %s', (_name, packet, hex) => {
    expect(encodePacket(FROM_MILTER, packet).toString('hex')).toBe(hex);
    expect(decodeFromMilter(Buffer.from(hex, 'hex').subarray(4))).toEqual({ ok: true, packet });
  });

  it('have no letter twice in one direction', () => {
    for (const table of [TO_MILTER, FROM_MILTER]) {
      const letters = Object.values(table).map(({ letter }) => letter);
      expect(new Set(letters).size).toBe(letters.length);
    }
  });

  it('cannot carry a NUL within a text', () => {
    expect(() => encodeToMilter({ kind: 'hello', name: 'a\0b' })).toThrow(TypeError);
  });

  it.each([
    ['a verdict with data', '6358'],
    ['progress with data', '7000'],
    ['an unknown letter', '5a'],
    ['the letter that libmilter reserves', '6c'],
    ['no octets for a number', '6900'],
    ['a text without an end', '2b3c6340783e'],
    ['a value missing', '68582d4100'],
    ['something behind the last field', '71776879007a'],
    ['half of a list of macros', '4f00000006000001ff00100c0000000003'],
    ['a third parameter', '323c6340783e004100424300'],
  ])('that are malformed: %s', (_name, hex) => {
    expect(decodeFromMilter(Buffer.from(hex, 'hex'))).toMatchObject({ ok: false });
  });
});

describe('a stream of packets', () => {
  const octets = Buffer.concat(HEARD.map(([, , hex]) => Buffer.from(hex, 'hex')));
  const packets = HEARD.map(([, packet]) => packet);

  it.each([1, 2, 3, 7, 1000])('comes out the same %i octets at a time', (size) => {
    const reader = new PacketReader(decodeFromMilter, MILTER_LIMITS.packetBytes);
    const read: FromMilter[] = [];
    for (let at = 0; at < octets.length; at += size) {
      reader.push(octets.subarray(at, at + size));
      for (let one = reader.next(); one.kind !== 'more'; one = reader.next()) {
        if (one.kind === 'malformed') throw new Error(one.why);
        read.push(one.packet);
      }
    }
    expect(read).toEqual(packets);
    expect(reader.hasUnread).toBe(false);
  });

  it('that has not come whole is no malformed one', () => {
    const reader = new PacketReader(decodeFromMilter, MILTER_LIMITS.packetBytes);
    reader.push(Buffer.from('00000002', 'hex'));
    expect(reader.next()).toEqual({ kind: 'more' });
    expect(reader.hasUnread).toBe(true);
    reader.push(Buffer.from('6358', 'hex'));
    expect(reader.next()).toMatchObject({ kind: 'malformed' });
  });

  it.each([
    ['of no octets', '00000000'],
    ['of more than may be', '00100001'],
    ['of four gigabytes', 'ffffffff'],
  ])('that claims a packet %s is malformed at once, and stays so', (_name, hex) => {
    const reader = new PacketReader(decodeFromMilter, MILTER_LIMITS.packetBytes);
    reader.push(Buffer.from(hex, 'hex'));
    expect(reader.next()).toMatchObject({ kind: 'malformed' });
    reader.push(Buffer.from('0000000163', 'hex'));
    expect(reader.next()).toMatchObject({ kind: 'malformed' });
  });
});
