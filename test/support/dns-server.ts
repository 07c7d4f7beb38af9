/**
 * A DNS server on loopback for tests, over UDP: answers from a zone given as plain data, and misbehaves when asked to.
 * Names are matched without regard to case; a name that has records of another type only is NODATA, an unknown one NXDOMAIN.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface ZoneEntry {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Each record as one string (cut into character strings of 255 octets) or as its character strings. */
  readonly TXT?: readonly (string | readonly string[])[];
  readonly MX?: readonly { readonly exchange: string; readonly priority: number }[];
  readonly PTR?: readonly string[];
  readonly CNAME?: readonly string[];
  /** Instead of an answer: an error code, or none at all. */
  readonly fails?: 'SERVFAIL' | 'REFUSED' | 'silent';
}
export type Zone = Readonly<Record<string, ZoneEntry>>;

export interface DnsServer {
  /** `127.0.0.1:port`, as `servers` of a resolver takes it. */
  readonly address: string;
  /** What was asked, e.g. `TXT example.test`. */
  readonly questions: string[];
  /** Changes what is answered from now on; `silent` answers nothing at all. */
  serve(zone: Zone | 'silent'): void;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<number, Exclude<keyof ZoneEntry, 'fails'>>> = {
  1: 'A',
  5: 'CNAME',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
};
const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

export async function startDnsServer(initial: Zone | 'silent' = {}): Promise<DnsServer> {
  const socket = createSocket('udp4');
  let zone = initial;
  const questions: string[] = [];
  socket.on('message', (query, peer) => {
    const { name, type, end } = readQuestion(query);
    const wanted = TYPES[type];
    questions.push(`${wanted ?? type} ${name}`);
    if (zone === 'silent') return;
    const entry = Object.entries(zone).find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];
    if (entry?.fails === 'silent') return;
    const code = entry?.fails ? CODES[entry.fails] : entry ? 0 : CODES.NXDOMAIN;
    const records = entry && wanted && code === 0 ? recordsOf(entry, wanted) : [];
    socket.send(answer(query, end, type, code, records), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    serve(next) {
      zone = next;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, end: number, type: number, code: number, records: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const answers = records.map((data) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...answers]);
}

function recordsOf(entry: ZoneEntry, type: Exclude<keyof ZoneEntry, 'fails'>): Buffer[] {
  switch (type) {
    case 'A':
      return (entry.A ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
    case 'AAAA':
      return (entry.AAAA ?? []).map(ipv6Octets);
    case 'TXT':
      return (entry.TXT ?? []).map((text) => Buffer.concat(characterStrings(text)));
    case 'MX':
      return (entry.MX ?? []).map(({ exchange, priority }) =>
        Buffer.concat([Buffer.from([priority >> 8, priority & 255]), encodeName(exchange)]),
      );
    case 'PTR':
    case 'CNAME':
      return (entry[type] ?? []).map(encodeName);
  }
}

function characterStrings(text: string | readonly string[]): Buffer[] {
  const parts = typeof text === 'string' ? (text.match(/.{1,255}/gs) ?? ['']) : text;
  return parts.map((part) => Buffer.concat([Buffer.from([Buffer.byteLength(part)]), Buffer.from(part)]));
}

function encodeName(name: string): Buffer {
  const labels = name.replace(/\.$/, '').split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function ipv6Octets(address: string): Buffer {
  const [left = '', right] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const head = words(left);
  const tail = words(right ?? '');
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  const all = right === undefined ? head : [...head, ...gap, ...tail];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}
