import { type PackedPart, parsePacked } from './packing.ts';

/*
 * Messages with the same base are packed together, a few in one block: what each has of its own is little, and next to
 * others it takes less than alone. A block is two frames, so that a list need not unpack what only the message's own page
 * shows: `listed` has the texts of lists, `parts` the parts (packing.ts). In both a message is found by its seq. A block
 * that is not full yet takes more messages later, under the same number; a message never leaves one but by being removed.
 */

/** What a block holds at most: reading a message unpacks all of them. */
export const BLOCK_LIMITS = Object.freeze({ messages: 16, bytes: 512 * 1024 });

/** Numbers for the pieces of a block (`block_pieces`), and octets of one, of which many then fit a page of the database. */
const PIECES = 4096;
const PIECE_BYTES = 500;

/** Whether a row of `block_pieces` is of the block that is the first value. */
export const IS_PIECE = `piece BETWEEN ?1 * ${PIECES} AND ?1 * ${PIECES} + ${PIECES - 1}`;
/** The block of a piece. */
export const BLOCK_OF_PIECE = `piece / ${PIECES}`;

/** Cuts the frame `parts` of a block. @returns the pieces with their numbers */
export function piecesOf(block: number, frame: Uint8Array): [piece: number, bytes: Uint8Array][] {
  const most = Math.max(PIECE_BYTES, Math.ceil(frame.length / PIECES));
  return Array.from({ length: Math.ceil(frame.length / most) }, (_, place) => [
    block * PIECES + place,
    frame.subarray(place * most, (place + 1) * most),
  ]);
}

/** Columns of `messages` that are empty for a message of a block. */
// biome-ignore format: a list of names
export const LISTED_COLUMNS = [
  'message_id', 'subject', 'sender', 'recipients', 'cc', 'bcc', 'reply_to', 'envelope',
] as const;

/** What lists show of a message: `LISTED_COLUMNS`, and the snippet. */
export type Listed = readonly string[];
export type Parts = Partial<Record<PackedPart, Uint8Array>>;

const SNIPPET = LISTED_COLUMNS.length;

/** An expression that gives a column of `messages m`, wherever it is. */
export function listedText(column: (typeof LISTED_COLUMNS)[number]): string {
  return `CASE WHEN m.block IS NULL THEN m.${column} ELSE listed(m.block, m.seq, ${LISTED_COLUMNS.indexOf(column)}) END`;
}

/** One that gives the snippet of a message that has a block. */
export const LISTED_SNIPPET = `listed(m.block, m.seq, ${SNIPPET})`;

/** @param messages by seq */
export function encodeListed(messages: ReadonlyMap<number, Listed>): Buffer {
  return Buffer.from(JSON.stringify([...messages].map(([seq, listed]) => [seq, ...listed])));
}

/** @throws STORE_CORRUPT */
export function decodeListed(plain: Uint8Array): Map<number, Listed> {
  const rows = parsePacked(plain, BLOCK) as [number, ...string[]][];
  return new Map(rows.map(([seq, ...listed]) => [seq, listed]));
}

/** What a base is to the parts of a block: its own, as they would lie there. */
export function partsTogether(parts: Parts): Buffer {
  return Buffer.concat(ORDER.map((part) => parts[part] ?? NOTHING));
}

/** A line of JSON with the seq of each message and the lengths of its parts, and then these. */
export function encodeParts(messages: ReadonlyMap<number, Parts>): Buffer {
  const lengths = [...messages].map(([seq, parts]) => [seq, ...ORDER.map((part) => parts[part]?.length ?? 0)]);
  return Buffer.concat([Buffer.from(`${JSON.stringify(lengths)}\n`), ...[...messages.values()].map(partsTogether)]);
}

/**
 * @returns views of what was given
 * @throws STORE_CORRUPT
 */
export function decodeParts(plain: Uint8Array): Map<number, Parts> {
  let at = plain.indexOf(LF) + 1;
  const rows = parsePacked(plain.subarray(0, at), BLOCK) as [number, ...number[]][];
  return new Map(
    rows.map(([seq, ...lengths]) => {
      const parts: Parts = {};
      for (const [place, part] of ORDER.entries()) {
        const length = lengths[place]!;
        if (length > 0) parts[part] = plain.subarray(at, at + length);
        at += length;
      }
      return [seq, parts];
    }),
  );
}

const LF = 0x0a;
const NOTHING = Buffer.alloc(0);
/** Facts first: the addresses that they and the content share are then near each other. */
const ORDER: readonly PackedPart[] = ['facts', 'content', 'text'];
/** In error texts. */
const BLOCK = 'A block of messages';
