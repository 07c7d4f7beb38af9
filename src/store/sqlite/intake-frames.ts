import { crc32 } from 'node:zlib';

/**
 * The form of the intake log (intake-log.ts): frames one behind the other, each with the messages of one batch.
 *
 * A frame is a head of 24 octets (magic, octets of the arrivals, octets of the contents, checksum of all that follows,
 * number as a double), the arrivals as JSON (facts.ts), and the contents of those that are in no file.
 */

/** "inbl". */
const MAGIC = 0x696e626c;
const HEAD_BYTES = 24;
/** Where what the checksum covers begins. */
const CHECKED_FROM = 16;

export interface Frame {
  /** Frames are numbered without a gap. */
  readonly number: number;
  /** JSON of Arrival[]. */
  readonly arrivals: string;
  readonly contents: Buffer;
}

/** Octets of a frame. */
export function frameBytes(arrivalBytes: number, contentBytes: number): number {
  return HEAD_BYTES + arrivalBytes + contentBytes;
}

/**
 * Writes a frame.
 * @param arrivals JSON of Arrival[], so many octets of it
 * @param contentBytes octets of all views together
 * @param room memory for it, of `frameBytes` at least
 * @returns the frame, which is the beginning of that memory
 */
export function encodeFrame(
  number: number,
  { arrivals, arrivalBytes }: { readonly arrivals: string; readonly arrivalBytes: number },
  views: readonly (readonly Buffer[])[],
  contentBytes: number,
  room: Buffer,
): Buffer {
  const frame = room.subarray(0, frameBytes(arrivalBytes, contentBytes));
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(arrivalBytes, 4);
  frame.writeUInt32LE(contentBytes, 8);
  frame.writeDoubleLE(number, CHECKED_FROM);
  let at = HEAD_BYTES + frame.write(arrivals, HEAD_BYTES);
  for (const content of views) for (const view of content) at += view.copy(frame, at);
  frame.writeUInt32LE(checksum(frame, frame.length), 12);
  return frame;
}

/** Reads frames from the start of a segment for as long as they are whole and numbered without a gap. */
export function decodeFrames(segment: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + HEAD_BYTES <= segment.length; ) {
    const rest = segment.subarray(at);
    const arrivalBytes = rest.readUInt32LE(4);
    const contentBytes = rest.readUInt32LE(8);
    const bytes = frameBytes(arrivalBytes, contentBytes);
    if (rest.readUInt32LE(0) !== MAGIC || bytes > rest.length || checksum(rest, bytes) !== rest.readUInt32LE(12)) break;
    const number = rest.readDoubleLE(CHECKED_FROM);
    const before = frames.at(-1);
    if (before && number !== before.number + 1) break; // what an earlier round left
    const contentsAt = HEAD_BYTES + arrivalBytes;
    frames.push({
      number,
      arrivals: rest.toString('utf8', HEAD_BYTES, contentsAt),
      contents: rest.subarray(contentsAt, bytes),
    });
    at += bytes;
  }
  return frames;
}

/** Covers the lengths too: they say where it ends. */
function checksum(frame: Buffer, bytes: number): number {
  return crc32(frame.subarray(CHECKED_FROM, bytes), crc32(frame.subarray(4, 12)));
}
