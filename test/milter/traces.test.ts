/** Packets that sendmail and Postfix exchanged with a milter, as they were recorded. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MILTER_LIMITS } from '../../src/milter/limits.ts';
import { PacketReader } from '../../src/milter/packet-reader.ts';
import {
  decoderOf,
  encodePacket,
  FROM_MILTER,
  type FromMilter,
  TO_MILTER,
  type ToMilter,
} from '../../src/milter/packets.ts';
import { FakeMilter } from '../support/fake-milter.ts';
import { SmtpClient } from '../support/smtp-client.ts';
import { later, startBench, stopAfterEach } from './support.ts';

stopAfterEach();

interface Recorded {
  readonly from: 'MTA' | 'milter';
  readonly octets: Buffer;
}

/** Reads a recording: a packet a line, its letter and its data as a JSON string of octets. */
function readTrace(name: string): Recorded[] {
  const text = readFileSync(new URL(`traces/${name}.txt`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line): Recorded[] => {
    const match = /^#1 +(MTA>|<M) (\S) (.*)$/.exec(line);
    if (!match) return [];
    const from = match[1] === 'MTA>' ? 'MTA' : 'milter';
    const data = dataOf(match[2]!, match[3]!);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(data.length + 1);
    head.write(match[2]!, 4);
    return [{ from, octets: Buffer.concat([head, data]) }];
  });
}

function dataOf(letter: string, text: string): Buffer {
  if (letter === 'O') {
    const [version, actions, protocol, further] = text.split(' ');
    const data = Buffer.alloc(12);
    for (const [place, word] of [version, actions, protocol].entries()) data.writeUInt32BE(Number(word), place * 4);
    // 48 octets of lists of macros, which the recording has only counted: those of the byte-exact examples
    const lists = '00000000037b726370745f616464727d207b726370745f6d61696c65727d000000000569207b6d61696c5f616464727d00';
    return further === '+48' ? Buffer.concat([data, Buffer.from(lists, 'hex')]) : data;
  }
  const long = /^"(.)\1*…\((\d+)\)"$/.exec(text);
  if (long) return Buffer.from(long[1]!.repeat(Number(long[2])), 'latin1');
  return Buffer.from(JSON.parse(text) as string, 'latin1');
}

const TRACES = ['sendmail', 'postfix', 'postfix-second-milter'];
const decoders = { MTA: decoderOf(TO_MILTER), milter: decoderOf(FROM_MILTER) };

describe('a recorded conversation', () => {
  it.each(TRACES)('is read and written octet for octet: %s', (name) => {
    const trace = readTrace(name);
    expect(trace.length).toBeGreaterThan(60);
    for (const { from, octets } of trace) {
      const read = decoders[from](octets.subarray(4));
      if (!read.ok) throw new Error(read.why);
      const table = from === 'MTA' ? TO_MILTER : FROM_MILTER;
      const written = encodePacket(table, read.packet as never);
      expect(written.equals(octets), JSON.stringify(read.packet)).toBe(true);
    }
  });

  it.each(TRACES)('is read the same when it trickles: %s', (name) => {
    for (const side of ['MTA', 'milter'] as const) {
      const packets = readTrace(name).filter(({ from }) => from === side);
      const reader = new PacketReader<FromMilter | ToMilter>(decoders[side], MILTER_LIMITS.packetBytes);
      let count = 0;
      for (const octet of Buffer.concat(packets.map(({ octets }) => octets))) {
        reader.push(Buffer.from([octet]));
        if (reader.next().kind === 'packet') count++;
      }
      expect(count).toBe(packets.length);
    }
  });

  it("with a milter that answers as sendmail's did goes as sendmail's went", async () => {
    const trace = readTrace('sendmail');
    const answers = trace.filter(({ from }) => from === 'milter').map(({ octets }) => octets);
    // the answers to each question, in order: from one question to the next
    const rounds: Buffer[][] = [];
    for (const { from, octets } of trace) {
      if (from === 'milter') rounds.at(-1)!.push(octets);
      else if (!'DAQ'.includes(String.fromCharCode(octets[4]!))) rounds.push([]);
    }
    expect(rounds.flat()).toHaveLength(answers.length);
    const milter = await FakeMilter.start(
      ({ kind }) =>
        kind === 'macros' || kind === 'abort' || kind === 'quit' ? [] : Buffer.concat(rounds.shift() ?? []),
      { negotiate: Buffer.concat(rounds.shift()!) },
    );
    later(() => milter.stop());
    const { port, taken } = await startBench([milter.address()]);

    const client = await SmtpClient.open(port, 'EHLO client.test');
    const content =
      'From: Alice <a@example.test>\r\nTo:  b@example.test\r\nSubject:no space\r\nMessage-ID: <1@example.test>\r\n' +
      'Date: Thu, 20 Nov 2025 10:00:00 +0000\r\nX-Fold: one\r\n\ttwo\r\n\r\nHello body\r\n..dot line\r\n.';
    // biome-ignore format: a conversation
    const lines: readonly (readonly [number, string])[] = [
      [500, 'FROB x'],
      [250, 'MAIL FROM:<a@example.test> BODY=8BITMIME'], [550, 'RCPT TO:<rcptreject@mx.example.test>'],
      [250, 'RCPT TO:<b@mx.example.test>'], [250, 'RCPT TO:<mods@mx.example.test>'], [354, 'DATA'], [250, content],
      [250, 'MAIL FROM:<>'], [250, 'RCPT TO:<plain@mx.example.test>'], [250, 'RSET'],
      [250, 'EHLO again.test'], [250, 'MAIL FROM:<a@example.test>'], [250, 'RCPT TO:<quar@mx.example.test>'], [354, 'DATA'], [250, content],
    ];
    for (const [code, line] of lines) await client.expect(code, line);
    await client.quit();
    await expect.poll(() => milter.asked().isClosed).toBe(true);

    const asked = milter.asked().packets.filter(({ kind }) => kind !== 'macros' && kind !== 'connect');
    const sent = trace.flatMap(({ from, octets }) => {
      const read = from === 'MTA' ? decoders.MTA(octets.subarray(4)) : undefined;
      return read?.ok && read.packet.kind !== 'macros' && read.packet.kind !== 'connect' ? [read.packet] : [];
    });
    expect(asked).toEqual(sent);
    expect(taken.map(({ message }) => message.quarantine)).toEqual([undefined, 'because']);
    expect(taken[0]!.content).toBe(
      'X-Ins0: ins at 0\r\nX-Ins2: ins at 2\r\nFrom: Alice <a@example.test>\r\nTo:  b@example.test\r\nSubject: changed\r\n\tfolded\r\n' +
        'Message-ID: <1@example.test>\r\nDate: Thu, 20 Nov 2025 10:00:00 +0000\r\nX-Added: added\r\nX-New: via chg\r\n\r\n' +
        'new body\r\nsecond\r\nthird\nbareLF\rbareCR\r\nno newline at end\r\n',
    );
    const { envelope } = taken[0]!.message;
    expect(envelope.from.path?.text).toBe('new@example.test');
    expect(envelope.to.map(({ path }) => path.text)).toEqual([
      'b@mx.example.test',
      'mods@mx.example.test',
      'c@example.test',
      'd@example.test',
    ]);
  });
});
