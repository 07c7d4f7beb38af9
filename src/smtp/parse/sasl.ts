/** What clients send within an AUTH exchange: base64 around the messages of SASL mechanisms. */
import { isUtf8 } from 'node:buffer';
import { hasUnseenCharacters } from '../../mail/address.ts';
import type { Credentials } from '../../mail/authenticator.ts';

/** The longest name of a user that anybody has. */
const USER_OCTETS = 255;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes base64 (RFC 4648 §4) with its padding and nothing else in it; undefined if it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/**
 * Reads the message of PLAIN (RFC 4616 §2): `[authzid] NUL authcid NUL passwd`.
 * @returns undefined for what is malformed, for a name that no user can have, and for who would act for somebody else
 */
export function parsePlain(octets: Buffer): Credentials | undefined {
  const [actFor, user, secret, ...more] = textOf(octets)?.split('\0') ?? [];
  if (user === undefined || secret === undefined || more.length > 0) return undefined;
  if (actFor !== '' && actFor !== user) return undefined;
  return isUser(user) ? { kind: 'password', user, secret } : undefined;
}

/** Reads a name as LOGIN sends it; undefined if no user can have it. */
export function parseUser(octets: Buffer): string | undefined {
  const user = textOf(octets);
  return user !== undefined && isUser(user) ? user : undefined;
}

/** Reads a password as LOGIN sends it; undefined if it holds what none can. */
export function parsePassword(octets: Buffer): string | undefined {
  const secret = textOf(octets);
  return secret === undefined || secret.includes('\0') ? undefined : secret;
}

/** Reads the message of XOAUTH2: `user=` name `^A auth=Bearer ` token `^A^A`. */
export function parseXoauth2(octets: Buffer): Credentials | undefined {
  const fields = textOf(octets)?.split('\x01') ?? [];
  const user = fields[0]?.startsWith('user=') ? fields[0].slice('user='.length) : '';
  return isUser(user) ? bearer(user, fields.slice(1)) : undefined;
}

/** Reads the message of OAUTHBEARER (RFC 7628 §3.1): a header of GS2, then fields between `^A`. */
export function parseOauthBearer(octets: Buffer): Credentials | undefined {
  const [header = '', ...fields] = textOf(octets)?.split('\x01') ?? [];
  // channel binding is neither offered nor done, so a client may not ask for it (RFC 5801 §5)
  const match = /^[ny],(?:a=((?:[^=,]|=2C|=3D)+))?,$/.exec(header);
  if (match === null) return undefined;
  const user = (match[1] ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
  return user === '' || isUser(user) ? bearer(user, fields) : undefined;
}

function bearer(user: string, fields: readonly string[]): Credentials | undefined {
  // both end in ^A^A, which leaves two empty fields behind the last one
  if (fields.length < 3 || fields.at(-1) !== '' || fields.at(-2) !== '') return undefined;
  const auth = fields.find((field) => field.startsWith('auth='));
  const token = /^auth=bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(auth ?? '')?.[1];
  return token === undefined ? undefined : { kind: 'token', user, secret: token };
}

function textOf(octets: Buffer): string | undefined {
  return isUtf8(octets) ? octets.toString('utf8') : undefined;
}

function isUser(user: string): boolean {
  return user !== '' && Buffer.byteLength(user) <= USER_OCTETS && !hasUnseenCharacters(user);
}
