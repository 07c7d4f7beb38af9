import { authenticationResults } from './authentication-results.ts';
import type { Message } from './message.ts';
import type { StoredMessage } from './store.ts';
import type { Verification } from './verification.ts';

/**
 * The lines that a message gets in front where it leaves the daemon, CR LF each (RFC 5321 §4.4): `Return-Path:`, one
 * `Received:`, and `Authentication-Results:` (RFC 8601) between them if it is known who sent it. Addresses are as the envelope has them, since its grammar lets no line end through; what the client said
 * of itself is stripped of everything that means something in a header.
 * @param hostname our own name, for "by"
 */
export function traceHeaders(message: Message, hostname: string): Buffer {
  const { from, to } = message.envelope;
  return linesOf(
    message,
    from.path?.text ?? '',
    to.map(({ path }) => path.text),
    hostname,
  );
}

/** `traceHeaders` of a message that was kept. */
export function storedTraceHeaders(message: StoredMessage, hostname: string): Buffer {
  const { from, to } = message.envelope;
  return linesOf(
    message,
    from,
    to.map(({ address }) => address),
    hostname,
  );
}

type Traced = Pick<Message, 'client' | 'protocol' | 'id' | 'receivedAt'> & {
  readonly verification?: Verification | null;
};

function linesOf(message: Traced, from: string, to: readonly string[], hostname: string): Buffer {
  const { client, protocol, id, receivedAt, verification } = message;
  const only = to.length === 1 ? to[0] : undefined;
  const literal = client.address.includes(':') ? `IPv6:${client.address}` : client.address;
  const clauses = [`by ${plain(hostname)} with ${protocol} id ${id}`];
  if (only !== undefined) clauses.push(`for <${oneLine(only)}>`);
  if (client.tls) clauses.push(`tls ${plain(client.tls.cipher)} (${plain(client.tls.version)})`); // RFC 8314 §4.3
  const returnPath = `Return-Path: <${oneLine(from)}>`;
  const received = [
    `Received: from ${plain(client.hello) || 'unknown'} ([${plain(literal)}])`,
    `\t${clauses.join('\r\n\t')};`,
    `\t${rfcDate(receivedAt)}`,
  ];
  const results = authenticationResults(verification, hostname);
  return Buffer.from(`${returnPath}\r\n${results}${received.join('\r\n')}\r\n`, 'utf8');
}

/** An address without controls, were there any. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}

/** Text of a client made safe for a header line: controls, blanks and brackets out (UTF-8 of SMTPUTF8 stays), 320 characters at most. */
function plain(text: string): string {
  return text.replace(/[\u0000-\u0020\u007f-\u009f<>()]/g, '').slice(0, 320);
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Date and time of RFC 5322 §3.3, in UTC. */
export function rfcDate(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${DAYS[at.getUTCDay()]}, ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
