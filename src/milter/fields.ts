/**
 * The types of field that packets are made of. Each knows how it is written and how it is read.
 *
 * Text is a string in which every character is one octet (latin1): header values have no charset that anybody vouches
 * for, and must come out as they went in. `octetsOf` and `textOf` lead from text of ours to that and back.
 */

/** Reads a packet's data from its start; the first fault stays. */
export class Cursor {
  readonly data: Buffer;
  at = 0;
  /** What is wrong with the data, if something is. */
  fault: string | undefined;

  constructor(data: Buffer) {
    this.data = data;
  }

  get isAtEnd(): boolean {
    return this.at >= this.data.length;
  }

  fail(why: string): void {
    this.fault ??= why;
    this.at = this.data.length;
  }

  /** The next octets, or none if there are not so many. */
  take(count: number): Buffer | undefined {
    const end = this.at + count;
    if (end > this.data.length) {
      this.fail('the packet is too short');
      return undefined;
    }
    const taken = this.data.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

interface Field<T> {
  write(value: T): Buffer;
  read(cursor: Cursor): T;
}

/** Where a client comes from. */
export interface PeerField {
  readonly port: number;
  readonly address: string;
}

/** The macros that a milter wants at one stage, as it wrote them. */
export interface MacroListField {
  readonly stage: number;
  readonly names: string;
}

const NONE = Buffer.alloc(0);

const char: Field<string> = {
  write: (value) => Buffer.from(value.slice(0, 1), 'latin1'),
  read: (cursor) => cursor.take(1)?.toString('latin1') ?? '',
};

const u16: Field<number> = {
  write(value) {
    const octets = Buffer.alloc(2);
    octets.writeUInt16BE(value);
    return octets;
  },
  read: (cursor) => cursor.take(2)?.readUInt16BE() ?? 0,
};

const u32: Field<number> = {
  write(value) {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(value);
    return octets;
  },
  read: (cursor) => cursor.take(4)?.readUInt32BE() ?? 0,
};

const str: Field<string> = {
  write(value) {
    if (value.includes('\0')) throw new TypeError('text for a milter holds a NUL');
    return Buffer.from(`${value}\0`, 'latin1');
  },
  read(cursor) {
    const end = cursor.data.indexOf(0, cursor.at);
    if (end < 0) {
      cursor.fail('a text has no end');
      return '';
    }
    const value = cursor.data.toString('latin1', cursor.at, end);
    cursor.at = end + 1;
    return value;
  },
};

const strs: Field<readonly string[]> = {
  write: (values) => Buffer.concat(values.map(str.write)),
  read(cursor) {
    const values = [str.read(cursor)];
    while (!cursor.isAtEnd) values.push(str.read(cursor));
    return values;
  },
};

const strpairs: Field<readonly (readonly [name: string, value: string])[]> = {
  write: (pairs) => Buffer.concat(pairs.flat().map(str.write)),
  read(cursor) {
    const pairs: [string, string][] = [];
    while (!cursor.isAtEnd) pairs.push([str.read(cursor), str.read(cursor)]);
    return pairs;
  },
};

const buf: Field<Buffer> = {
  write: (value) => value,
  read: (cursor) => cursor.take(cursor.data.length - cursor.at) ?? NONE,
};

const optionalStr: Field<string | undefined> = {
  write: (value) => (value === undefined ? NONE : str.write(value)),
  read: (cursor) => (cursor.isAtEnd ? undefined : str.read(cursor)),
};

const optionalPeer: Field<PeerField | undefined> = {
  write: (value) => (value ? Buffer.concat([u16.write(value.port), str.write(value.address)]) : NONE),
  read: (cursor) => (cursor.isAtEnd ? undefined : { port: u16.read(cursor), address: str.read(cursor) }),
};

const macroLists: Field<readonly MacroListField[]> = {
  write: (lists) => Buffer.concat(lists.flatMap(({ stage, names }) => [u32.write(stage), str.write(names)])),
  read(cursor) {
    const lists: MacroListField[] = [];
    while (!cursor.isAtEnd) lists.push({ stage: u32.read(cursor), names: str.read(cursor) });
    return lists;
  },
};

/** Every type of field by its name in the tables of packets. */
export const FIELDS = {
  char,
  u16,
  u32,
  str,
  strs,
  strpairs,
  buf,
  'str?': optionalStr,
  'peer?': optionalPeer,
  macroLists,
};

export type FieldType = keyof typeof FIELDS;

/** What a field of a type holds. */
export type FieldValue<T extends FieldType> = (typeof FIELDS)[T] extends Field<infer V> ? V : never;

/** Text of ours as octets; UTF-8 where it is not ASCII. */
export function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Octets as text, read as UTF-8. */
export function textOf(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
