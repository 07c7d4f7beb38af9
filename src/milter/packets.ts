import { Cursor, FIELDS, type FieldType, type FieldValue } from './fields.ts';

/**
 * Every packet of the milter protocol, version 6. One table for each direction drives encoder, decoder and types: a
 * packet is a row. The letter is what stands on the wire; the fields follow it in this order and fill the packet.
 */

interface PacketRow {
  readonly letter: string;
  readonly fields: Readonly<Record<string, FieldType>>;
}

type PacketTable = Readonly<Record<string, PacketRow>>;

const NO_FIELDS = {} as const;

/** What the daemon says to a milter. */
// biome-ignore format: one packet a line
export const TO_MILTER = {
  negotiate: { letter: 'O', fields: { version: 'u32', actions: 'u32', protocol: 'u32' } },
  macros:    { letter: 'D', fields: { command: 'char', values: 'strpairs' } },
  connect:   { letter: 'C', fields: { hostname: 'str', family: 'char', peer: 'peer?' } },
  hello:     { letter: 'H', fields: { name: 'str' } },
  mail:      { letter: 'M', fields: { words: 'strs' } },
  rcpt:      { letter: 'R', fields: { words: 'strs' } },
  data:      { letter: 'T', fields: NO_FIELDS },
  header:    { letter: 'L', fields: { name: 'str', value: 'str' } },
  headEnd:   { letter: 'N', fields: NO_FIELDS },
  body:      { letter: 'B', fields: { octets: 'buf' } },
  end:       { letter: 'E', fields: NO_FIELDS },
  abort:     { letter: 'A', fields: NO_FIELDS },
  quit:      { letter: 'Q', fields: NO_FIELDS },
  unknown:   { letter: 'U', fields: { line: 'str' } },
} as const satisfies PacketTable;

/** What a milter says. */
// biome-ignore format: one packet a line
export const FROM_MILTER = {
  negotiate:       { letter: 'O', fields: { version: 'u32', actions: 'u32', protocol: 'u32', lists: 'macroLists' } },
  continue:        { letter: 'c', fields: NO_FIELDS },
  accept:          { letter: 'a', fields: NO_FIELDS },
  reject:          { letter: 'r', fields: NO_FIELDS },
  tempfail:        { letter: 't', fields: NO_FIELDS },
  discard:         { letter: 'd', fields: NO_FIELDS },
  reply:           { letter: 'y', fields: { text: 'str' } },
  skip:            { letter: 's', fields: NO_FIELDS },
  progress:        { letter: 'p', fields: NO_FIELDS },
  shutdown:        { letter: '4', fields: NO_FIELDS },
  connectionFail:  { letter: 'f', fields: NO_FIELDS },
  addHeader:       { letter: 'h', fields: { name: 'str', value: 'str' } },
  insertHeader:    { letter: 'i', fields: { index: 'u32', name: 'str', value: 'str' } },
  changeHeader:    { letter: 'm', fields: { index: 'u32', name: 'str', value: 'str' } },
  replaceBody:     { letter: 'b', fields: { octets: 'buf' } },
  addRecipient:    { letter: '+', fields: { address: 'str' } },
  addRecipientPar: { letter: '2', fields: { address: 'str', words: 'str?' } },
  deleteRecipient: { letter: '-', fields: { address: 'str' } },
  changeSender:    { letter: 'e', fields: { address: 'str', words: 'str?' } },
  quarantine:      { letter: 'q', fields: { reason: 'str' } },
} as const satisfies PacketTable;

/** A packet of a table: `kind` is the name of its row, the rest its fields. */
export type Packet<T extends PacketTable> = {
  readonly [K in keyof T]: { readonly kind: K } & {
    readonly [F in keyof T[K]['fields']]: FieldValue<T[K]['fields'][F]>;
  };
}[keyof T];

export type ToMilter = Packet<typeof TO_MILTER>;
export type FromMilter = Packet<typeof FROM_MILTER>;

/** What came of reading a packet. */
export type Decoded<P> = { readonly ok: true; readonly packet: P } | { readonly ok: false; readonly why: string };

/** Octets of the length that stands in front of each packet. */
export const LENGTH_BYTES = 4;

/**
 * Writes a packet with its length.
 * @throws TypeError for text with a NUL, which no packet can carry
 */
export function encodePacket<T extends PacketTable>(table: T, packet: Packet<T>): Buffer {
  const { letter, fields } = table[packet.kind]!;
  const values = packet as Readonly<Record<string, unknown>>;
  const parts = Object.entries(fields).map(([name, type]) => FIELDS[type].write(values[name] as never));
  const bytes = parts.reduce((sum, part) => sum + part.length, 1);
  const head = Buffer.alloc(LENGTH_BYTES + 1);
  head.writeUInt32BE(bytes);
  head.write(letter, LENGTH_BYTES, 'latin1');
  return Buffer.concat([head, ...parts]);
}

/** Makes the reader of a table's packets: of a whole one, its length taken off. */
export function decoderOf<T extends PacketTable>(table: T): (octets: Buffer) => Decoded<Packet<T>> {
  const byLetter = new Map(Object.entries(table).map(([kind, row]) => [row.letter, { kind, row }]));
  return (octets) => {
    const letter = octets.toString('latin1', 0, 1);
    const known = byLetter.get(letter);
    if (!known) return { ok: false, why: `there is no packet ${JSON.stringify(letter)}` };
    const cursor = new Cursor(octets.subarray(1));
    const packet: Record<string, unknown> = { kind: known.kind };
    for (const [name, type] of Object.entries(known.row.fields)) packet[name] = FIELDS[type].read(cursor);
    if (!cursor.isAtEnd) cursor.fail('something follows its last field');
    if (cursor.fault !== undefined) return { ok: false, why: `packet ${JSON.stringify(letter)}: ${cursor.fault}` };
    return { ok: true, packet: packet as unknown as Packet<T> };
  };
}

export function encodeToMilter(packet: ToMilter): Buffer {
  return encodePacket(TO_MILTER, packet);
}

export const decodeFromMilter = decoderOf(FROM_MILTER);
