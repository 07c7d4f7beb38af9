import { type Path, parseAddress } from '../../mail/address.ts';
import { type Body, foldKeys } from './mailpit-request.ts';

/** What `POST send` is asked to send, checked. */
export interface Outgoing {
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly OutgoingAttachment[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As given. */
  readonly tags: readonly string[];
}

export interface Mailbox {
  readonly name: string;
  readonly path: Path;
}

export interface OutgoingAttachment {
  readonly fileName: string;
  readonly contentType: string;
  /** Set for what the HTML shows. */
  readonly contentId: string;
  readonly content: Buffer;
}

/** Thrown within this file for what is wrong with a request; its text is for the client. */
class Unusable extends Error {}

/** Header fields that come from fields of the request. */
const OWN_HEADERS = new Set(
  'to from cc bcc reply-to date subject content-type mime-version content-transfer-encoding'.split(' '),
);

/** Reads a decoded request; or says what is wrong with it. */
export function readOutgoing(body: Body): { ok: true; value: Outgoing } | { ok: false; why: string } {
  try {
    return { ok: true, value: read(body) };
  } catch (error) {
    if (error instanceof Unusable) return { ok: false, why: error.message };
    throw error;
  }
}

function read(body: Body): Outgoing {
  const tags = list(body, 'tags').map((tag) => asText(tag, 'Tags'));
  const from = foldKeys(body.get('from'));
  if (from === undefined) throw new Unusable('From is missing');
  const outgoing: Outgoing = {
    from: mailbox(from, 'From'),
    to: mailboxes(body, 'To'),
    cc: mailboxes(body, 'Cc'),
    bcc: list(body, 'bcc').map((address) => mailbox(new Map([['email', address]]), 'Bcc')),
    replyTo: mailboxes(body, 'ReplyTo', 'Reply-To'),
    subject: text(body, 'subject'),
    text: text(body, 'text'),
    html: text(body, 'html'),
    attachments: list(body, 'attachments').map(attachment),
    headers: [...headers(body, tags.length > 0), ...(tags.length > 0 ? [['X-Tags', tags.join(', ')] as const] : [])],
    tags,
  };
  if (outgoing.to.length + outgoing.cc.length + outgoing.bcc.length === 0) {
    throw new Unusable('no recipients (To, Cc, Bcc) set');
  }
  return outgoing;
}

function text(body: Body, key: string): string {
  return asText(body.get(key) ?? '', key);
}

function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Unusable(`${what} must be a string`);
  return value;
}

function list(body: Body, key: string): readonly unknown[] {
  const value = body.get(key) ?? [];
  if (!Array.isArray(value)) throw new Unusable(`${key} must be an array`);
  return value;
}

function mailboxes(body: Body, key: string, name = key): Mailbox[] {
  return list(body, key.toLowerCase()).map((one) => mailbox(foldKeys(one) ?? new Map(), name));
}

function mailbox(fields: Body, field: string): Mailbox {
  const address = asText(fields.get('email') ?? '', `${field} Email`);
  const path = parseAddress(address);
  if (path === undefined || path.domain === '') throw new Unusable(`invalid ${field} address: ${address}`);
  return { name: asText(fields.get('name') ?? '', `${field} Name`), path };
}

function headers(body: Body, hasTags: boolean): (readonly [string, string])[] {
  const given = body.get('headers') ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) throw new Unusable('Headers must be an object');
  return Object.entries(given as object).map(([name, value]) => {
    const folded = name.toLowerCase();
    if (OWN_HEADERS.has(folded) || (hasTags && folded === 'x-tags')) {
      throw new Unusable(`cannot overwrite header: "${name}"`);
    }
    if (!/^[!-9;-~]{1,76}$/.test(name)) throw new Unusable(`invalid header name: "${name}"`);
    return [name, asText(value, `header ${name}`)];
  });
}

function attachment(value: unknown): OutgoingAttachment {
  const fields: Body = foldKeys(value) ?? new Map();
  const fileName = text(fields, 'filename');
  const encoded = text(fields, 'content');
  // browsers put `data:image/png;base64,` in front
  const base64 = encoded.slice(encoded.lastIndexOf(',') + 1).replace(/[\r\n]/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new Unusable(`error decoding base64 attachment "${fileName}"`);
  }
  const content = Buffer.from(base64, 'base64');
  const contentType = text(fields, 'contenttype') || sniffType(content);
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;[ -~]*)?$/.test(contentType)) {
    throw new Unusable(`invalid content type of attachment "${fileName}"`);
  }
  return { fileName, contentType, contentId: text(fields, 'contentid').replace(/[<>\s]/g, ''), content };
}

const SIGNATURES: readonly (readonly [type: string, start: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
  ['image/bmp', /^BM/],
  ['application/pdf', /^%PDF-/],
  ['application/zip', /^PK\x03\x04/],
  ['application/gzip', /^\x1f\x8b\x08/],
  ['text/html; charset=utf-8', /^\s*<(!doctype html|html|head|body)\b/i],
];

/** Guesses a type by the first octets. */
function sniffType(content: Buffer): string {
  const start = content.toString('latin1', 0, 512);
  const known = SIGNATURES.find(([, pattern]) => pattern.test(start))?.[0];
  return (
    known ?? (/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(start) ? 'application/octet-stream' : 'text/plain; charset=utf-8')
  );
}
