import type { Outcome, Reply } from '../wire/reply.ts';

/** A reply with its parts, for transcript and log. */
export interface SmtpReply extends Reply {
  readonly code: number;
  /** Enhanced status code (RFC 3463), or '' where RFC 2034 §4 wants none. */
  readonly enhanced: string;
  /** The reply's lines as sent, without CR LF. */
  readonly lines: readonly string[];
  /** Why it says no, as refusals are counted; absent where the enhanced code tells. */
  readonly reason?: string;
  /** The filter that said no. */
  readonly filter?: string;
}

const OUTCOME_OF: Record<string, Outcome> = { 2: 'ok', 3: 'more', 4: 'fail', 5: 'fail' };

/**
 * Makes a reply; several texts make a multi-line one (RFC 5321 §4.2.1).
 * @param enhanced '' for none; else on every line (RFC 2034 §4)
 */
export function reply(code: number, enhanced: string, ...texts: readonly string[]): SmtpReply {
  const words = enhanced === '' ? '' : `${enhanced} `;
  const lines = texts.map((text, index) => `${code}${index < texts.length - 1 ? '-' : ' '}${words}${text}`);
  const outcome = OUTCOME_OF[String(code)[0] ?? ''] ?? 'fail';
  return { outcome, code, enhanced, lines, bytes: Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1') };
}

/** The same reply as the session's last word. */
export function closing(last: SmtpReply): SmtpReply {
  return { ...last, outcome: 'bye' };
}

/** The same reply to a command whose payload follows: those octets are read away. */
export function discarding(refusal: SmtpReply, octets: number): SmtpReply {
  return { ...refusal, discard: octets };
}

/** Words for what enhanced codes of our own refusals mean. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['5.5.0', 'sequence'],
  ['5.5.1', 'sequence'],
  ['5.5.2', 'syntax'],
  ['5.5.4', 'syntax'],
  ['5.5.6', 'syntax'],
  ['5.1.3', 'address'],
  ['5.1.7', 'address'],
  ['5.6.7', 'address'],
  ['5.3.4', 'size'],
  ['5.7.8', 'login'],
  ['5.7.11', 'login'],
  ['4.3.0', 'error'],
  ['4.3.1', 'storage'],
  ['4.3.2', 'busy'],
  ['4.4.2', 'timeout'],
  ['4.5.2', 'protocol'],
  ['4.5.3', 'recipients'],
  ['4.7.0', 'errors'],
]);

/** One of a few words for why a reply says no. */
export function reasonOf({ reason, enhanced }: SmtpReply): string {
  return reason ?? REASONS.get(enhanced) ?? 'other';
}

function challenge(json: object): SmtpReply {
  return reply(334, '', Buffer.from(JSON.stringify(json)).toString('base64'));
}

/** Nothing to say yet: the next state goes on. */
export const SILENCE: SmtpReply = { outcome: 'more', code: 0, enhanced: '', lines: [], bytes: Buffer.alloc(0) };

export const LOGGED_IN = reply(235, '2.7.0', 'Authentication successful');
export const EMPTY_CHALLENGE = reply(334, '', '');
/** "Username:" and "Password:", which some clients look for to the letter. */
export const USER_CHALLENGE = reply(334, '', 'VXNlcm5hbWU6');
export const PASSWORD_CHALLENGE = reply(334, '', 'UGFzc3dvcmQ6');
/** Why a token is refused, as JSON in base64 (RFC 7628 §3.2.2); the refusal itself comes when the client has answered. */
export const XOAUTH2_REFUSED = challenge({ status: '401', schemes: 'bearer' });
export const OAUTHBEARER_REFUSED = challenge({ status: 'invalid_token' });
export const SENDER_OK = reply(250, '2.1.0', 'Sender OK');
export const RECIPIENT_OK = reply(250, '2.1.5', 'Recipient OK');
export const OK = reply(250, '2.0.0', 'OK');
export const SEND_CONTENT = reply(354, '', 'Send the message; end it with a line that holds a single dot');
export const CANNOT_VERIFY = reply(252, '2.0.0', 'Every address has an inbox; send and it will be kept');
export const BYE = reply(221, '2.0.0', 'Bye');

export const READY_FOR_TLS = reply(220, '2.0.0', 'Ready to start TLS');

export const UNKNOWN_COMMAND = reply(500, '5.5.1', 'Command not recognized; HELP lists what is');
export const LINE_TOO_LONG = reply(500, '5.5.2', 'Line too long');
export const NOT_A_COMMAND = reply(500, '5.5.2', 'Not a command line');
export const LINE_ENDS = reply(
  500,
  '5.5.2',
  'Lines end with CR LF; a CR or LF alone is not a line end (RFC 5321 2.3.8)',
);
export const BAD_CHARACTERS = reply(501, '5.5.2', 'Forbidden characters in command');
export const BAD_ARGUMENT = reply(501, '5.5.4', 'Argument missing or malformed');
export const NO_ARGUMENT_TAKEN = reply(501, '5.5.4', 'This command takes no argument');
export const BAD_HELLO = reply(501, '5.5.4', 'A name or address literal of 1 to 255 octets is wanted');
export const BAD_RECIPIENT = reply(501, '5.1.3', 'Malformed recipient address');
export const SENDER_NEEDS_UTF8 = reply(550, '5.6.7', 'A non-ASCII address needs the SMTPUTF8 parameter');
export const NOT_IMPLEMENTED = reply(502, '5.5.1', 'Command not implemented');
export const NOT_SERVED = reply(503, '5.5.1', 'No service for you here; QUIT is all that is left');
export const UNKNOWN_MECHANISM = reply(504, '5.5.4', 'Authentication mechanism not known');
export const EHLO_FIRST = reply(503, '5.5.1', 'Say EHLO first');
export const LOGGED_IN_ALREADY = reply(503, '5.5.1', 'Authenticated already');
export const AUTH_CANCELLED = reply(501, '5.7.0', 'Authentication cancelled');
export const BAD_BASE64 = reply(501, '5.5.2', 'Not base64');
export const ANSWER_TOO_LONG = reply(500, '5.5.6', 'Authentication exchange line is too long');
export const ENCRYPTION_NEEDED = reply(538, '5.7.11', 'Encryption required for authentication; STARTTLS first');
export const WRONG_CREDENTIALS = reply(535, '5.7.8', 'Authentication credentials invalid');
export const CANNOT_CHECK_LOGIN = reply(454, '4.7.0', 'Too many logins at once; try again later');
export const LOGIN_BLOCKED = reply(454, '4.7.0', 'Too many failed logins; try again later');
export const NOT_TRUSTED = reply(550, '5.7.0', 'XCLIENT is not taken from your address');
export const LOGIN_FIRST: SmtpReply = { ...reply(530, '5.7.0', 'Authentication required'), reason: 'login' };
export const TOO_MANY_LOGINS = closing(reply(421, '4.7.0', 'Too many failed logins, closing connection'));
export const NO_SUCH_HELP = reply(504, '5.5.4', 'No help on that; HELP alone lists the commands');
export const OUT_OF_SEQUENCE = reply(503, '5.5.1', 'Bad sequence of commands');
export const HELLO_FIRST = reply(503, '5.5.1', 'Say EHLO or HELO first');
export const MAIL_FIRST = reply(503, '5.5.1', 'MAIL first');
export const RECIPIENT_FIRST = reply(503, '5.5.1', 'RCPT first');
export const ONE_SENDER_ONLY = reply(503, '5.5.1', 'Sender already given; RSET starts over');
export const BDAT_GOES_ON = reply(503, '5.5.1', 'BDAT has begun; only BDAT, RSET, NOOP and QUIT go on from here');
export const BINARY_NEEDS_BDAT = reply(503, '5.5.1', 'BODY=BINARYMIME needs BDAT instead of DATA');
export const TLS_IS_ON = reply(503, '5.5.1', 'TLS is on already');
export const TLS_FIRST = reply(530, '5.7.0', 'Must issue a STARTTLS command first');
export const NO_VALID_RECIPIENTS = reply(554, '5.5.1', 'No valid recipients');

export const TOO_MANY_RECIPIENTS = reply(452, '4.5.3', 'Too many recipients');
export const STOP_THOSE_RECIPIENTS = closing(reply(421, '4.7.0', 'Too many recipients, closing connection'));
export const TOO_BIG = reply(552, '5.3.4', 'Message exceeds the size limit');
export const FAR_TOO_BIG = closing(reply(552, '5.3.4', 'Message far exceeds the size limit, closing connection'));
export const ENDLESS_CONTENT = closing(reply(421, '4.3.0', 'Message far exceeds the size limit, closing connection'));
export const NO_ROOM = reply(452, '4.3.1', 'Insufficient system storage');
export const NOT_TAKEN = reply(451, '4.3.0', 'Local error in processing; try again later');
export const FILTER_FAILED = reply(451, '4.3.0', 'Local error in policy check; try again later');
export const TOO_BUSY_TO_WAIT = reply(450, '4.7.1', 'Too much at once; try again later');
export const TOOK_TOO_LONG = reply(451, '4.3.0', 'Processing took too long; try again later');
export const BARE_NEWLINES = closing(
  reply(
    550,
    '5.5.2',
    'Message holds a CR or LF that is not part of CR LF; every line must end with CR LF (RFC 5321 2.3.8)',
  ),
);
export const BAD_CHUNK_SIZE = closing(reply(501, '5.5.4', 'Syntax: BDAT size [LAST]; closing connection'));

export const TOO_MANY_FAILURES = closing(reply(421, '4.7.0', 'Too many errors, closing connection'));
export const ENDLESS_LINE = closing(reply(421, '4.7.0', 'Line far too long, closing connection'));
export const TIMED_OUT = closing(reply(421, '4.4.2', 'Timeout, closing connection'));
export const SHUTTING_DOWN = closing(reply(421, '4.3.2', 'Shutting down, closing connection'));
export const TOO_MANY_CONNECTIONS = closing(reply(421, '4.3.2', 'Too many connections, try again later'));
export const ENOUGH_OF_YOU = closing({
  ...reply(421, '4.7.0', 'Enough for one connection; come again for more'),
  reason: 'session',
});
export const EARLY_TALKER = closing({
  ...reply(554, '5.5.0', 'You spoke before the greeting (RFC 5321 3.1)'),
  reason: 'early-talker',
});
export const NOT_SMTP = closing(reply(421, '4.5.2', 'This is a mail server, closing connection'));
export const NO_PROXY_HERE = closing(
  reply(421, '4.7.0', 'PROXY headers are not taken from your address, closing connection'),
);
export const NO_TLS_HERE = closing(reply(501, '5.5.2', 'This listener speaks plain text, not TLS'));
/** All that the mailinator profile says to anything it does not expect. */
export const NO_SUCH_USER = closing(reply(550, '', 'No such user'));
export const QUEUED_AND_BYE = reply(250, '', 'Ok: queued');
