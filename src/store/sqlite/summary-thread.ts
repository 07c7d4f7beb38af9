import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setPriority } from 'node:os';
import { summarise } from '../../mail/mime.ts';
import { fold } from '../../mail/words.ts';
import { searchedHeaders } from './header-text.ts';
import { indexWords } from './search-index.ts';
import { serveThread } from './thread.ts';

/** A mail to be parsed: its bytes or the path of its file. */
export interface Unparsed {
  readonly seq: number;
  readonly id: string;
  readonly content: Uint8Array | string;
  /** What its row holds of `ARRIVAL_COLUMNS`. */
  readonly arrival: readonly string[];
}

export interface SummaryData {
  /** True when it works ahead and not for someone who waits. */
  readonly isBackground: boolean;
}

/** Low, but not the lowest: with that, a machine that is busy with other things would never index. */
const BACKGROUND_PRIORITY = 10;
/** Characters of a mail that a search looks at. */
const TEXT_CHARACTERS = 256 * 1024;

const methods = {
  summarise: async (mails: readonly Unparsed[]) => {
    const entries = [];
    const room = spare ?? new Room();
    spare = undefined;
    for (const { seq, id, content, arrival } of mails) {
      const bytes = bytesOf(content, room);
      if (!bytes) continue;
      const { snippet, attachments, inline, fileNames, text } = await summarise(bytes);
      const folded = fold(text.slice(0, TEXT_CHARACTERS));
      const headers = searchedHeaders(bytes);
      const words = indexWords({ arrival, headers, fileNames, text: folded });
      entries.push({ seq, id, snippet, attachments, inline, fileNames, text: folded, words });
    }
    spare = room;
    return entries;
  },
};

export type SummaryMethods = typeof methods;

serveThread(({ isBackground }: SummaryData) => {
  // on Linux a priority belongs to the thread, elsewhere it would be the whole daemon's
  if (isBackground && process.platform === 'linux') setPriority(BACKGROUND_PRIORITY);
  return methods;
});

/** Memory that one call reads files into, one after the other: fresh memory for each would be waste faster than it is collected. */
class Room {
  #octets = Buffer.alloc(0);

  /** Reads a file; what it gives is good until the next is read. */
  read(path: string): Buffer {
    const descriptor = openSync(path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      if (this.#octets.length < size) this.#octets = Buffer.allocUnsafeSlow(size);
      let end = 0;
      while (end < size) {
        const read = readSync(descriptor, this.#octets, end, size - end, null);
        if (read === 0) break;
        end += read;
      }
      return this.#octets.subarray(0, end);
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Of the last call, for the next; two calls at once have rooms of their own. */
let spare: Room | undefined;

/** The bytes of a mail, or nothing when it was removed while it waited. */
function bytesOf(content: Uint8Array | string, room: Room): Buffer | undefined {
  if (typeof content !== 'string') return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  try {
    return room.read(content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
