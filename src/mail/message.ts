import { randomFillSync } from 'node:crypto';
import type { Content } from './content.ts';
import type { Envelope } from './envelope.ts';
import type { Verification } from './verification.ts';

/** What a TLS handshake agreed on. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** IANA name of the cipher suite, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Name that the client asked for (SNI). */
  readonly serverName?: string;
  /** Subject of the certificate that the client gave; nobody has vouched for it. */
  readonly subject?: string;
}

/** Who a client proved to be (RFC 4954), or said to be where every login is taken. */
export interface Login {
  /** Name of the SASL mechanism, such as `PLAIN`; `Basic` over HTTP; `XCLIENT` where a trusted client says who logged in there. */
  readonly mechanism: string;
  /** Name of the user; '' where a token alone was shown. */
  readonly user: string;
}

/** The other end of the session that brought a message. */
export interface Client {
  /** IP address as text; `local` for a UNIX socket; `unknown` where a trusted client that speaks for it does not know. */
  readonly address: string;
  /** TCP port; 0 for a UNIX socket. */
  readonly port: number;
  /** Argument of EHLO, HELO or LHLO as the client sent it. */
  readonly hello: string;
  /** Name that the address points back to and that points to the address, where that was looked up. */
  readonly name?: string;
  /** The session was encrypted. */
  readonly tls?: TlsFacts;
  /** The client logged in. */
  readonly login?: Login;
}

/** "with" protocol of the trace (RFC 3848, RFC 6531 §4.3): S is TLS, A is AUTH. */
export type WithProtocol = 'SMTP' | 'HTTP' | `${'ESMTP' | 'LMTP' | 'UTF8SMTP' | 'UTF8LMTP'}${'' | 'S' | 'A' | 'SA'}`;

/** A message that has arrived whole and waits for a sink's verdict. Trace facts stand beside the content, never in it. */
export interface Message {
  /** Unique across nodes, sorts by time of receipt: 26 characters of [0-9a-z]. */
  readonly id: string;
  readonly envelope: Envelope;
  readonly content: Content;
  readonly receivedAt: Date;
  readonly client: Client;
  readonly protocol: WithProtocol;
  /** Id of the session, as in the log; several messages may share it. */
  readonly session: string;
  /** Commands (`C: `) and replies (`S: `) of the session that led here, secrets removed, no content. */
  readonly transcript: readonly string[];
  /** What is known of its sender, or that this is to be found out; absent when nobody asks. */
  readonly verification?: Verification;
  /** The message as it came, when a filter has changed it on its way. */
  readonly original?: Message;
  /** Tags that it shall have from the start. */
  readonly tags?: readonly string[];
  /** Why a filter wants it kept from its readers' eyes. */
  readonly quarantine?: string;
}

/** What a filter may change of a message. */
export type Amendment = Partial<Pick<Message, 'content' | 'envelope' | 'quarantine' | 'tags' | 'verification'>>;

/** The same message with something changed; what came stays with it as `original` if content or envelope did change. */
export function amend(message: Message, changes: Amendment): Message {
  const original = message.original ?? (changes.content || changes.envelope ? message : undefined);
  const amended = { ...message, ...changes, ...(original && { original }) };
  // made when it is asked for, as the first one's is
  return Object.defineProperty(amended, 'transcript', { get: () => message.transcript, enumerable: true });
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32: no i, l, o, u
/** All texts of two characters: an id is put together from eight of them and not from sixteen characters. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => `${ALPHABET[bits >> 5]}${ALPHABET[bits & 31]}`);
const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

let newest = 0;
/** The time that an id was last made for, and the text of that. */
let stampedAt = -1;
let stamp = '';

/** Now, or where the clock stood before it was set back: ids of one process never sort before earlier ones. */
function idClock(): number {
  newest = Math.max(newest, Date.now());
  return newest;
}

/**
 * Makes a message id: 48 bits of milliseconds, then 80 random bits, in base 32 that sorts as time does.
 * @param at milliseconds since 1970
 */
export function createId(at: number = idClock()): string {
  if (used + 16 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  if (at !== stampedAt) {
    stamp = timeText(at);
    stampedAt = at;
  }
  let id = stamp;
  for (let place = used; place < used + 16; place += 2) id += PAIRS[((pool[place]! << 8) | pool[place + 1]!) & 1023]!;
  used += 16;
  return id;
}

function timeText(at: number): string {
  let text = '';
  let rest = at;
  for (let place = 0; place < 10; place++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Milliseconds since 1970 that an id was made at. */
export function idTime(id: string): number {
  let at = 0;
  for (let place = 0; place < 10; place++) at = at * 32 + ALPHABET.indexOf(id[place] ?? '0');
  return at;
}
