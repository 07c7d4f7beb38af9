import { isUtf8 } from 'node:buffer';
import type { Input } from './input.ts';

/** One frame: a header line `TYPE SP LEN *(SP ARG) LF`, and exactly LEN octets behind it. */
export interface Frame {
  readonly type: string;
  readonly args: readonly string[];
  readonly payload: Buffer;
}

/** Why octets are no frame. None can be found behind them: nobody knows where the next one would begin. */
export type FrameTrouble =
  /** Not of the form. */
  | 'malformed'
  /** The header has no end within the limit. */
  | 'headerTooLong'
  /** LEN is beyond the limit. */
  | 'payloadTooLong';

export interface BadFrame {
  readonly trouble: FrameTrouble;
}

export interface FrameLimits {
  /** Octets of a header, LF included. */
  readonly headerBytes: number;
  readonly payloadBytes: number;
}

interface Header {
  readonly type: string;
  readonly length: number;
  readonly args: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;
const NONE: Buffer = Buffer.alloc(0);
/** No part of it can be read in two ways, so the time is that of its length. */
const HEADER = /^([A-Za-z0-9_]+) (\d+)((?: [^\s\p{Cc}]+)*)$/u;
const TYPE_OCTET = /[A-Za-z0-9_]/;

/**
 * Cuts input into frames, however it is cut into segments. `undefined` is "more is needed"; what can be no frame is told
 * as soon as it is seen, a wrong first octet (a handshake of TLS, say) before its line has ended.
 *
 * A frame is gathered in one buffer that grows as octets come, never by what LEN promises.
 */
export class FrameReader {
  #held = NONE;
  #heldBytes = 0;
  /** Of the frame whose payload is being read. */
  #header: Header | undefined;

  /** The next frame, why there is none, or undefined when more octets are needed. */
  next(input: Input, limits: FrameLimits): Frame | BadFrame | undefined {
    if (this.#header === undefined) {
      const header = this.#readHeader(input, limits);
      if (header === undefined || 'trouble' in header) return header;
      this.#header = header;
    }
    return this.#readPayload(input, this.#header);
  }

  #readHeader(input: Input, { headerBytes, payloadBytes }: FrameLimits): Header | BadFrame | undefined {
    for (let head = input.head; head; head = input.head) {
      if (this.#heldBytes === 0 && !TYPE_OCTET.test(String.fromCharCode(head[0]!))) return { trouble: 'malformed' };
      const end = head.indexOf(LF);
      const part = end === -1 ? head : head.subarray(0, end);
      if (this.#heldBytes + part.length + 1 > headerBytes) return { trouble: 'headerTooLong' };
      this.#hold(part);
      input.consume(end === -1 ? head.length : end + 1);
      if (end === -1) continue;
      const header = parseHeader(this.#take());
      if (header === undefined) return { trouble: 'malformed' };
      return header.length > payloadBytes ? { trouble: 'payloadTooLong' } : header;
    }
    return undefined;
  }

  #readPayload(input: Input, { type, args, length }: Header): Frame | undefined {
    while (this.#heldBytes < length) {
      const { head } = input;
      if (head === undefined) return undefined;
      const part = head.subarray(0, length - this.#heldBytes);
      this.#hold(part);
      input.consume(part.length);
    }
    this.#header = undefined;
    return { type, args, payload: this.#take() };
  }

  #hold(part: Buffer): void {
    const wanted = this.#heldBytes + part.length;
    if (wanted > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(64, wanted * 2)); // not of the shared pool, which it would keep alive
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes = wanted;
  }

  #take(): Buffer {
    const taken = this.#held.subarray(0, this.#heldBytes);
    this.#held = NONE;
    this.#heldBytes = 0;
    return taken;
  }
}

/** Reads a header without its LF. A CR at its end is white space and no part of an argument; telnet sends one. */
function parseHeader(bytes: Buffer): Header | undefined {
  const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
  if (!isUtf8(line)) return undefined;
  const match = HEADER.exec(line.toString('utf8'));
  if (!match) return undefined;
  const [, type = '', length = '', args = ''] = match;
  return { type, length: Number(length), args: args === '' ? [] : args.slice(1).split(' ') };
}

/** The octets of a frame. Type and arguments have to be of the form: what they hold is the caller's to answer for. */
export function encodeFrame(type: string, args: readonly string[] = [], payload: Buffer = NONE): Buffer {
  return Buffer.concat([Buffer.from(`${[type, payload.length, ...args].join(' ')}\n`), payload]);
}
