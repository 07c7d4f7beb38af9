import type { Content } from '../../mail/content.ts';
import type { Envelope, Params } from '../../mail/envelope.ts';
import type { Message } from '../../mail/message.ts';
import type { StoredEnvelope, StoredMessage } from '../../mail/store.ts';
import type { Verification } from '../../mail/verification.ts';

/*
 * What goes beside a content, in two forms: as it travels to the writer thread and as the database keeps it. Both are
 * JSON, because a string crosses to a thread far more cheaply than objects do. Parameters are lists of pairs: a client
 * names them, and a name like __proto__ must stay a name.
 */
type Pairs = readonly (readonly [string, string | true])[];

/** A content on its way to the writer thread. */
export interface ArrivalContent {
  readonly bytes: number;
  /** Name below `contents/`; null when the bytes travel in the batch. */
  readonly file: string | null;
}

export interface ArrivalEnvelope {
  readonly from: string;
  readonly fromParams: Pairs;
  readonly to: readonly ArrivalRecipient[];
}

/** A message on its way to the writer thread: as filters left it, and what came as far as they changed that. */
export interface Arrival extends ArrivalContent, ArrivalEnvelope {
  readonly id: string;
  readonly receivedAt: number;
  readonly bareNewlines: boolean;
  readonly client: Message['client'];
  readonly protocol: Message['protocol'];
  readonly session: string;
  readonly transcript: readonly string[];
  readonly verification?: Verification;
  readonly quarantine?: string;
  /** `content` is there when filters changed the content; its bytes travel behind those of the changed one. */
  readonly received?: ArrivalEnvelope & { readonly content?: ArrivalContent };
}

export interface ArrivalRecipient {
  readonly text: string;
  readonly local: string;
  readonly domain: string;
  readonly params: Pairs;
}

export interface EnvelopeFacts {
  readonly from: string;
  readonly fromParams: Pairs;
  readonly to: readonly (readonly [address: string, inbox: string, tag: string, params: Pairs])[];
}

/** What the column `facts` holds. */
export interface Facts extends EnvelopeFacts {
  readonly client: Message['client'];
  readonly protocol: Message['protocol'];
  readonly session: string;
  readonly transcript: readonly string[];
  /** What came; `bytes` is there when filters changed the content. */
  readonly received?: EnvelopeFacts & { readonly bytes?: number };
}

/** The content as it came, where filters have changed it. */
export function receivedContent({ content, original }: Message): Content | undefined {
  return original && original.content !== content ? original.content : undefined;
}

/** Where the bytes of a message lie among those of its batch. */
export interface ArrivedBytes {
  readonly arrival: Arrival;
  /** Empty when it is in a file, as is the next. */
  readonly content: Buffer;
  readonly receivedContent: Buffer;
}

/** Cuts the bytes of a batch, which lie one behind the other. */
export function cutContents(arrivals: readonly Arrival[], contents: Buffer): ArrivedBytes[] {
  let at = 0;
  const cut = (content: ArrivalContent | undefined): Buffer => {
    const from = at;
    if (content?.file === null) at += content.bytes;
    return contents.subarray(from, at);
  };
  return arrivals.map((arrival) => ({
    arrival,
    content: cut(arrival),
    receivedContent: cut(arrival.received?.content),
  }));
}

const NO_PAIRS: Pairs = [];

/** Names of the files that the contents of a message are in; null for one whose bytes travel in the batch. */
export interface ContentFiles {
  readonly file: string | null;
  readonly received: string | null;
}

export const NO_FILES: ContentFiles = { file: null, received: null };

export function arrivalOf(message: Message, files: ContentFiles): Arrival {
  const { content, client, original, quarantine } = message;
  return {
    id: message.id,
    receivedAt: message.receivedAt.getTime(),
    bytes: content.bytes,
    bareNewlines: (original ?? message).content.bareNewlines,
    file: files.file,
    ...arrivalEnvelope(message.envelope),
    client,
    protocol: message.protocol,
    session: message.session,
    transcript: message.transcript,
    ...(message.verification && { verification: message.verification }),
    ...(quarantine !== undefined && { quarantine }),
    ...(original && { received: receivedOf(message, original, files) }),
  };
}

function receivedOf(message: Message, original: Message, { received: file }: ContentFiles): Arrival['received'] {
  const content = receivedContent(message);
  return { ...arrivalEnvelope(original.envelope), ...(content && { content: { bytes: content.bytes, file } }) };
}

function arrivalEnvelope({ from, to }: Envelope): ArrivalEnvelope {
  return {
    from: from.path?.text ?? '',
    fromParams: pairsOf(from.params),
    to: to.map(({ path, params }) => ({
      text: path.text,
      local: path.local,
      domain: path.domain,
      params: pairsOf(params),
    })),
  };
}

/** Reads the column back into the fields of a stored message. */
export function readFacts(
  text: string,
): Pick<StoredMessage, 'envelope' | 'received' | 'client' | 'protocol' | 'session' | 'transcript'> {
  const facts = JSON.parse(text) as Facts;
  const { received } = facts;
  return {
    envelope: storedEnvelope(facts),
    received: received ? { envelope: storedEnvelope(received), bytes: received.bytes ?? null } : null,
    client: facts.client,
    protocol: facts.protocol,
    session: facts.session,
    transcript: facts.transcript,
  };
}

function storedEnvelope({ from, fromParams, to }: EnvelopeFacts): StoredEnvelope {
  return {
    from,
    fromParams: Object.fromEntries(fromParams),
    to: to.map(([address, inbox, tag, params]) => ({ address, params: Object.fromEntries(params), inbox, tag })),
  };
}

/** An address as it was given, in its parts. */
export function pathOf(text: string): { readonly local: string; readonly domain: string; readonly text: string } {
  const at = text.lastIndexOf('@');
  const local = at < 0 ? text : text.slice(0, at);
  const isQuoted = /^".*"$/.test(local);
  return {
    local: isQuoted ? local.slice(1, -1).replace(/\\(.)/g, '$1') : local,
    domain: at < 0 ? '' : text.slice(at + 1),
    text,
  };
}

function pairsOf(params: Params): Pairs {
  return params.size === 0 ? NO_PAIRS : [...params];
}
