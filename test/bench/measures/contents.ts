import { contest, type Load } from '../contest.ts';
import { base64Lines } from '../loads/base64-lines.ts';
import { Wire } from '../loads/wire.ts';
import { inboxdDiscard } from '../servers/inboxd.ts';
import { smtpSink } from '../servers/smtp-sink.ts';
import { median } from '../statistics.ts';
import { type Measure, markdownTable } from './measure.ts';

const MIB = 1024 * 1024;
const SESSIONS = 4;
const HEADER = 'From: <foo@bench.example>\r\nSubject: One kind of content\r\n\r\n';

interface Kind {
  readonly name: string;
  readonly title: string;
  /** As it travels, without the lone dot. */
  readonly content: Buffer;
  /** In a chunk of its own and not behind DATA. */
  readonly isChunk?: boolean;
  /** So many octets in each write; all at once if absent. */
  readonly cut?: number;
  readonly messages: number;
}

const latin1 = (text: string): Buffer => Buffer.from(HEADER + text, 'latin1');
const plain = base64Lines(MIB);
const utf8Line = `${'Grüße aus Köln, žluťoučký kůň, 日本語の長い文章'.repeat(2)}\r\n`;

/** What content can be made of; all of a MiB but the last, each octet of which is a segment. */
const KINDS: readonly Kind[] = [
  { name: 'base64', title: 'base64', content: latin1(plain), messages: 200 },
  {
    name: 'dotted',
    title: 'every line begins with a dot',
    content: latin1(`..${'x'.repeat(70)}\r\n`.repeat(MIB / 74)),
    messages: 200,
  },
  { name: 'dots', title: 'lines of nothing but a dot', content: latin1('..\r\n'.repeat(MIB / 4)), messages: 100 },
  { name: 'long', title: 'one line', content: latin1(`${'x'.repeat(MIB)}\r\n`), messages: 200 },
  { name: 'short', title: 'empty lines', content: latin1('\r\n'.repeat(MIB / 2)), messages: 100 },
  {
    name: '8bit',
    title: '8-bit text',
    content: Buffer.from(HEADER + utf8Line.repeat(MIB / Buffer.byteLength(utf8Line))),
    messages: 200,
  },
  { name: 'bdat', title: 'base64 in a chunk (BDAT)', content: latin1(plain), isChunk: true, messages: 200 },
  { name: 'octets', title: 'base64, a write for each octet', content: latin1(base64Lines(4096)), cut: 1, messages: 40 },
];

function loadOf({ name, title, content, isChunk = false, cut, messages }: Kind): Load {
  return {
    name,
    title,
    messages,
    reconnects: false,
    ...(isChunk && { without: ['smtp-sink'] }), // it knows no BDAT
    async run(port, count) {
      let left = count;
      const session = async (): Promise<void> => {
        const wire = await Wire.open(port);
        await wire.exchange('EHLO client.bench.example\r\n');
        while (left-- > 0) {
          await wire.exchange('MAIL FROM:<foo@bench.example>\r\n');
          await wire.exchange('RCPT TO:<bar@bench.example>\r\n');
          if (isChunk) {
            wire.send(`BDAT ${content.length} LAST\r\n`);
            await wire.exchange(content);
            continue;
          }
          await wire.exchange('DATA\r\n');
          for (let at = 0; cut !== undefined && at < content.length; at += cut)
            wire.send(content.subarray(at, at + cut));
          if (cut === undefined) wire.send(content);
          await wire.exchange('.\r\n');
        }
        wire.close();
      };
      await Promise.all(Array.from({ length: SESSIONS }, session));
    },
  };
}

/** What an octet costs the server, by what it belongs to. */
export const contents: Measure = {
  name: 'contents',
  title: 'Contents of every kind, thrown away',
  async run(isShort) {
    const rows: string[][] = [];
    let plainNanos = Number.NaN;
    for (const kind of KINDS) {
      const load = loadOf({ ...kind, messages: isShort ? Math.ceil(kind.messages / 8) : kind.messages });
      const { scores } = await contest(load, [inboxdDiscard, smtpSink], isShort ? 2 : 5);
      const cells = scores.flatMap(({ rates, cpuMicros, contestant }) => {
        const nanos = (median(cpuMicros) * 1000) / kind.content.length;
        if (contestant === inboxdDiscard && kind.name === 'base64') plainNanos = nanos;
        const speed = ((median(rates) * kind.content.length) / MIB).toFixed(kind.cut ? 2 : 0);
        return contestant === inboxdDiscard
          ? [speed, nanos.toFixed(2), `${(nanos / plainNanos).toFixed(1)}x`]
          : [speed, nanos.toFixed(2)];
      });
      rows.push([kind.title, ...cells, ...(scores.length === 1 ? ['–', '–'] : [])]);
    }
    return markdownTable(
      ['content', 'MiB/s', 'CPU ns/octet', 'against base64', 'smtp-sink, MiB/s', 'its CPU ns/octet'],
      rows,
    );
  },
};
