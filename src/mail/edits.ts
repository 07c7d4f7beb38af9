import { createHash } from 'node:crypto';
import { HEADER_LIMITS, type HeaderField, type HeaderLimits, readHeaderFields } from './headers.ts';
import type { ContentForm, StoredEnvelope, StoredMessage } from './store.ts';

/*
 * What filters made of a message, in short: the form that came beside the one that they left. It is found out when
 * somebody looks, since both are kept and few messages are changed at all.
 */

/** A header field, its value unfolded. */
export interface EditedField {
  readonly name: string;
  readonly value: string;
}

/** What filters changed. */
export interface Edits {
  readonly headers: {
    /** In the order of the mail as filters left it. */
    readonly added: readonly EditedField[];
    /** In the order of the mail as it came. */
    readonly removed: readonly EditedField[];
    readonly changed: readonly { readonly name: string; readonly before: string; readonly after: string }[];
    /** The same fields stand there in another order, or are folded in another way. */
    readonly isRearranged: boolean;
  };
  /** What follows the header is not what came. */
  readonly body: boolean;
  /** Of the envelope; null when it is the one that came. */
  readonly sender: { readonly before: string; readonly after: string } | null;
  /** Of the envelope. */
  readonly recipients: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Octets of the content. */
  readonly bytes: { readonly received: number; readonly edited: number };
}

/** A content as far as it is compared. */
export interface ComparedContent {
  /** The header as it stands in the mail. */
  readonly header: Buffer;
  readonly fields: readonly HeaderField[];
  /** Stands for the bytes behind the header. */
  readonly bodyDigest: string;
}

/**
 * Reads a content for comparison; holds no more of it than its header.
 * @param limits beyond which the header counts as body
 */
export async function readCompared(
  content: AsyncIterable<Buffer>,
  limits: HeaderLimits = HEADER_LIMITS,
): Promise<ComparedContent> {
  const body = createHash('sha256');
  let start: Buffer[] = [];
  let length = 0;
  let head: Pick<ComparedContent, 'header' | 'fields'> | undefined;
  /** All that the header can be in has come. */
  const split = (): void => {
    const whole = Buffer.concat(start);
    const { fields, bodyAt } = readHeaderFields(whole, limits);
    head = { header: whole.subarray(0, bodyAt), fields };
    body.update(whole.subarray(bodyAt));
    start = [];
  };
  for await (const view of content) {
    if (head) {
      body.update(view);
      continue;
    }
    start.push(view);
    length += view.length;
    if (length >= limits.bytes) split();
  }
  if (!head) split();
  return { ...head!, bodyDigest: body.digest('hex') };
}

/** Compares what came with what filters made of it. */
export function compareContents(received: ComparedContent, edited: ComparedContent): Pick<Edits, 'headers' | 'body'> {
  const fields = compareFields(received.fields, edited.fields);
  const isSame = fields.added.length + fields.removed.length + fields.changed.length === 0;
  return {
    headers: { ...fields, isRearranged: isSame && !received.header.equals(edited.header) },
    body: received.bodyDigest !== edited.bodyDigest,
  };
}

/** Fields of one name that differ are taken for one another in their order; what is left was removed or added. */
function compareFields(
  before: readonly HeaderField[],
  after: readonly HeaderField[],
): Omit<Edits['headers'], 'isRearranged'> {
  const gone = without(before, after);
  const come = without(after, before);
  const comeByName = Map.groupBy(come, ({ name }) => name.toLowerCase());
  const removed: EditedField[] = [];
  const changed: { name: string; before: string; after: string }[] = [];
  const isPaired = new Set<HeaderField>();
  for (const field of gone) {
    const other = comeByName.get(field.name.toLowerCase())?.shift();
    if (other) {
      isPaired.add(other);
      changed.push({ name: other.name, before: field.text, after: other.text });
    } else removed.push({ name: field.name, value: field.text });
  }
  const added = come.filter((field) => !isPaired.has(field)).map(({ name, text }) => ({ name, value: text }));
  return { added, removed, changed };
}

/** Those of `fields` that have no equal left in `others`, each of which stands for one. */
function without(fields: readonly HeaderField[], others: readonly HeaderField[]): HeaderField[] {
  const left = new Map<string, number>();
  for (const field of others) left.set(keyOf(field), (left.get(keyOf(field)) ?? 0) + 1);
  return fields.filter((field) => {
    const key = keyOf(field);
    const count = left.get(key) ?? 0;
    if (count > 0) left.set(key, count - 1);
    return count === 0;
  });
}

function keyOf({ name, text }: HeaderField): string {
  return `${name.toLowerCase()}:${text}`;
}

/** Compares the envelope that came with the one that filters left. */
export function compareEnvelopes(
  received: StoredEnvelope,
  edited: StoredEnvelope,
): Pick<Edits, 'sender' | 'recipients'> {
  const before = new Set(received.to.map(({ address }) => address));
  const after = new Set(edited.to.map(({ address }) => address));
  return {
    sender: received.from === edited.from ? null : { before: received.from, after: edited.from },
    recipients: {
      added: [...after].filter((address) => !before.has(address)),
      removed: [...before].filter((address) => !after.has(address)),
    },
  };
}

const SAME_CONTENT = { headers: { added: [], removed: [], changed: [], isRearranged: false }, body: false } as const;

/**
 * Finds out what filters changed about a stored message; null when that is nothing.
 * @param read gives one form of its content; undefined when the message is gone
 */
export async function findEdits(
  { envelope, received, bytes }: Pick<StoredMessage, 'envelope' | 'received' | 'bytes'>,
  read: (form: ContentForm) => Promise<{ stream(): AsyncIterable<Buffer> } | undefined>,
  limits: HeaderLimits = HEADER_LIMITS,
): Promise<Edits | null> {
  if (received === null) return null;
  let contents: Pick<Edits, 'headers' | 'body'> = SAME_CONTENT;
  if (received.bytes !== null) {
    const [came, left] = await Promise.all([read('received'), read('edited')]);
    if (!came || !left) return null;
    contents = compareContents(await readCompared(came.stream(), limits), await readCompared(left.stream(), limits));
  }
  const edits = {
    ...contents,
    ...compareEnvelopes(received.envelope, envelope),
    bytes: { received: received.bytes ?? bytes, edited: bytes },
  };
  return isAny(edits) ? edits : null;
}

function isAny({ headers, body, sender, recipients }: Edits): boolean {
  const { added, removed, changed, isRearranged } = headers;
  const lists = [added, removed, changed, recipients.added, recipients.removed];
  return body || sender !== null || isRearranged || lists.some(({ length }) => length > 0);
}
