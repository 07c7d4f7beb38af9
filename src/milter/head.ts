/**
 * The header section of a message, read off the octets as they stream by: field by field, each with the octets that it
 * is made of, so that what nobody changes goes on as it came.
 */

/** One header field. Name and value are octets: a character each. */
export interface HeaderLine {
  /** As written, without the white space that may stand before the colon. */
  readonly name: string;
  /** Everything between colon and line end; folds as LF and what follows it. */
  readonly value: string;
  /** The field as it stands in the message, line end included. */
  readonly octets: Buffer;
}

/** What came of reading a header section. */
export interface Head {
  readonly lines: readonly HeaderLine[];
  /** Octets in front of the body: the header section, and the empty line that ended it. */
  readonly bytes: number;
  /** The empty line; none where the section ended at a line that is no header, or with the message. */
  readonly separator: Buffer;
  /** The body from its start: what has been read of it, then what is left of the stream. */
  body(): AsyncGenerator<Buffer>;
  /** Nobody wants the body. */
  close(): Promise<void>;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const NAME = /^([!-9;-~]+)[ \t]*:/;
const NONE = Buffer.alloc(0);

/**
 * Reads the header section at the start of a stream.
 * @returns undefined if it has more than `most` octets
 */
export async function readHead(stream: AsyncIterable<Buffer>, most: number): Promise<Head | undefined> {
  const views = stream[Symbol.asyncIterator]();
  const close = async (): Promise<void> => void (await views.return?.());
  const reading = new HeadReading();
  for (;;) {
    const { done, value } = await views.next();
    reading.take(done ? NONE : value, done === true);
    if (reading.held > most) {
      await close();
      return undefined;
    }
    if (reading.isOver) break;
  }
  const { lines, bytes, separator, rest } = reading.result;
  async function* body(): AsyncGenerator<Buffer> {
    try {
      if (rest.length > 0) yield rest;
      for (let read = await views.next(); !read.done; read = await views.next()) yield read.value;
    } finally {
      await close();
    }
  }
  return { lines, bytes, separator, body, close };
}

/** A header section that is being read. */
class HeadReading {
  /** Octets of whole lines that belong to the section. */
  bytes = 0;
  isOver = false;
  readonly #fields: Buffer[][] = [];
  #separator: Buffer = NONE;
  /** Octets of a line whose end has not come, then of the body. */
  #rest: Buffer = NONE;

  take(view: Buffer, isLast: boolean): void {
    const data = this.#rest.length === 0 ? view : Buffer.concat([this.#rest, view]);
    let at = 0;
    while (!this.isOver) {
      const end = data.indexOf(LF, at);
      if (end < 0 && !(isLast && at < data.length)) break;
      const line = data.subarray(at, end < 0 ? data.length : end + 1);
      if (this.#takes(line)) at += line.length;
    }
    this.#rest = data.subarray(at);
    if (isLast) this.isOver = true;
  }

  /** Octets in memory that are not known to be of the body. */
  get held(): number {
    return this.isOver ? this.bytes : this.bytes + this.#rest.length;
  }

  get result(): { lines: HeaderLine[]; bytes: number; separator: Buffer; rest: Buffer } {
    const lines = this.#fields.map((parts) => headerLine(parts.length === 1 ? parts[0]! : Buffer.concat(parts)));
    return { lines, bytes: this.bytes, separator: this.#separator, rest: this.#rest };
  }

  /** True if a line belongs in front of the body. */
  #takes(line: Buffer): boolean {
    const last = this.#fields.at(-1);
    if (line[0] === LF || (line[0] === CR && line[1] === LF)) {
      this.#separator = Buffer.from(line);
      this.isOver = true;
    } else if (last && (line[0] === SPACE || line[0] === TAB)) {
      last.push(Buffer.from(line));
    } else if (NAME.test(line.toString('latin1'))) {
      this.#fields.push([Buffer.from(line)]);
    } else {
      this.isOver = true;
      return false;
    }
    this.bytes += line.length;
    return true;
  }
}

function headerLine(octets: Buffer): HeaderLine {
  const text = octets.toString('latin1');
  const [start = '', name = ''] = NAME.exec(text) ?? [];
  const value = text
    .slice(start.length)
    .replace(/\r?\n$/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\0', ' ');
  return { name, value, octets };
}
