import { type Edits, findEdits } from '../mail/edits.ts';
import { type HeaderField, type HeaderLimits, readHeaderFields } from '../mail/headers.ts';
import type { MimeParser } from '../mail/mime-parser.ts';
import type { OpenedMail } from '../mail/opened-mail.ts';
import type { Store, StoredMessage } from '../mail/store.ts';
import type { HttpLimits } from './limits.ts';

interface Kept {
  readonly parsed: Promise<OpenedMail>;
  readonly bytes: number;
}

/**
 * Gives messages of the store taken apart, as filters left them. Keeps the last ones, since a reader opens a message and then its images;
 * contents never change, so what is kept is never stale, and whether a message is still there is asked each time.
 */
export class MessageReader {
  readonly #store: Store;
  readonly #parser: MimeParser;
  readonly #limits: HttpLimits;
  readonly #kept = new Map<string, Kept>(); // least recently used first
  #keptBytes = 0;

  constructor(store: Store, parser: MimeParser, limits: HttpLimits) {
    this.#store = store;
    this.#parser = parser;
    this.#limits = limits;
  }

  /** Somebody lists messages, or waits for one: he will open one soon, and shall not wait for a thread to start. */
  expect(): void {
    this.#parser.prepare();
  }

  /** Takes a message apart; undefined for an unknown id. */
  async parsed(id: string): Promise<OpenedMail | undefined> {
    const content = await this.#store.content(id, 'edited');
    if (content === undefined) {
      this.#drop(id);
      return undefined;
    }
    const known = this.#kept.get(id);
    if (known !== undefined) {
      this.#kept.delete(id);
      this.#kept.set(id, known);
      return known.parsed;
    }
    const parsed = gather(content.stream()).then((raw) => this.#parser.parse(raw));
    this.#keep(id, { parsed, bytes: content.bytes });
    // a failed read must not be kept, and is the asker's to handle
    parsed.catch(() => this.#drop(id));
    return parsed;
  }

  /** Reads the header fields of a message without taking it apart; undefined for an unknown id. */
  async headerFields(id: string): Promise<HeaderField[] | undefined> {
    const content = await this.#store.content(id, 'edited');
    if (content === undefined) return undefined;
    return readHeaderFields(await gather(content.stream(), this.#headers.bytes), this.#headers).fields;
  }

  /** Finds out what filters changed about a message; null when that is nothing. */
  edits(message: StoredMessage): Promise<Edits | null> {
    return findEdits(message, (form) => this.#store.content(message.id, form), this.#headers);
  }

  get #headers(): HeaderLimits {
    const { messageHeaderBytes: bytes, messageHeaderFields: fields } = this.#limits;
    return { bytes, fields };
  }

  #keep(id: string, kept: Kept): void {
    if (kept.bytes > this.#limits.cachedBytes) return;
    this.#drop(id);
    this.#kept.set(id, kept);
    this.#keptBytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.cachedMessages && this.#keptBytes <= this.#limits.cachedBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    this.#keptBytes -= this.#kept.get(id)?.bytes ?? 0;
    this.#kept.delete(id);
  }
}

/** Reads a stream to its end, or until it has given so many octets. */
async function gather(stream: AsyncIterable<Buffer>, bytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const views: Buffer[] = [];
  let length = 0;
  for await (const view of stream) {
    views.push(view);
    length += view.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(views);
}
