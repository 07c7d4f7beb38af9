import { type ContentForm, QUARANTINE_CHARACTERS } from '../../mail/store.ts';
import { AUTH_RESULTS } from '../../mail/verification.ts';
import type { Schema } from './route.ts';

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const instant: Schema = { type: 'string', format: 'date-time' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const named = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** An object that has all of these and nothing else. */
function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', additionalProperties: false, required, properties };
}

/** Values of ESMTP parameters by keyword. */
const params: Schema = { type: 'object', additionalProperties: { anyOf: [text, { const: true }] } };

const summary = {
  id: text,
  inboxes: list(text),
  from: orNull(named('Address')),
  to: list(named('Address')),
  cc: list(named('Address')),
  bcc: list(named('Address')),
  replyTo: list(named('Address')),
  subject: text,
  messageId: text,
  receivedAt: instant,
  bytes: count,
  attachments: count,
  snippet: text,
  read: flag,
  pinned: flag,
  tags: list(text),
  bareNewlines: flag,
  quarantine: {
    ...orNull(text),
    description: 'Why a filter wants it kept from its readers, until somebody releases it',
  },
};

/** What SPF, DKIM, DMARC or ARC found. */
const finding = { result: { enum: [...AUTH_RESULTS] }, domain: text, reason: text };

/** The objects of the API, by name. */
export const SCHEMAS: Readonly<Record<string, Schema>> = Object.freeze({
  Address: object({ name: text, address: text }),
  Summary: object(summary),
  MessageList: object({ messages: list(named('Summary')), next: orNull(text), matches: count, isMore: flag }, [
    'matches',
    'isMore',
  ]),
  Inbox: object({ inbox: text, messages: count, unread: count, bytes: count, newest: instant }),
  InboxList: object({ inboxes: list(named('Inbox')), next: orNull(text) }),
  Part: object({
    part: text,
    fileName: text,
    contentType: text,
    contentId: text,
    bytes: count,
    checksums: object({ md5: text, sha1: text, sha256: text }),
    disposition: { enum: ['attachment', 'inline'] },
  }),
  Structure: object({
    part: text,
    contentType: text,
    charset: text,
    encoding: text,
    fileName: text,
    contentId: text,
    disposition: orNull({ enum: ['attachment', 'inline'] }),
    bytes: count,
    children: list(named('Structure')),
  }),
  Header: object({ name: text, value: text }),
  Tls: object({ version: text, cipher: text, serverName: text, subject: text }, ['serverName', 'subject']),
  Login: object({ mechanism: text, user: text }),
  Code: object({ code: text, context: text, confidence: { type: 'number', minimum: 0, maximum: 1 } }),
  Link: object({ url: text, text, kind: { enum: ['verify', 'reset', 'magic', 'unsubscribe', 'other'] } }),
  Message: object({
    ...summary,
    date: orNull(instant),
    text,
    html: orNull(text),
    headers: list(named('Header')),
    attachments: list(named('Part')),
    inline: list(named('Part')),
    structure: named('Structure'),
    envelope: object({
      from: text,
      fromParams: params,
      to: list(object({ address: text, inbox: text, tag: text, params })),
    }),
    client: object({ address: text, port: count, hello: text, tls: named('Tls'), login: named('Login') }, [
      'tls',
      'login',
    ]),
    protocol: text,
    session: text,
    transcript: list(text),
    verification: orNull(named('Verification')),
    codes: list(named('Code')),
    links: list(named('Link')),
    edits: { ...orNull(named('Edits')), description: 'What filters changed; null when they changed nothing' },
  }),
  Edits: object({
    headers: object({
      added: list(named('Header')),
      removed: list(named('Header')),
      changed: list(object({ name: text, before: text, after: text })),
      isRearranged: flag,
    }),
    body: flag,
    sender: orNull(object({ before: text, after: text })),
    recipients: object({ added: list(text), removed: list(text) }),
    bytes: object({ received: count, edited: count }),
  }),
  Verification: object({
    status: { enum: ['pending', 'done', 'failed'] },
    reason: text,
    spf: orNull(object({ ...finding, identity: { enum: ['mailfrom', 'helo'] } })),
    dkim: list(object({ ...finding, selector: text, algorithm: text })),
    dmarc: orNull(object({ ...finding, policy: { enum: ['none', 'quarantine', 'reject', ''] } })),
    arc: orNull(object({ ...finding, instances: count })),
  }),
  Headers: object({ headers: list(named('Header')) }),
  Changed: object({ changed: count, ids: list(text) }, ['ids']),
  Deleted: object({ deleted: count }),
  Info: object(
    {
      version: text,
      hostname: text,
      listeners: list(object({ protocol: text, url: text })),
      messages: count,
      unread: count,
      inboxes: count,
      bytes: count,
      feed: count,
      auth: { enum: ['none', 'required'] },
      rights: list({ enum: ['read', 'delete', 'metrics', 'admin'] }),
      scope: list(text),
    },
    ['scope'],
  ),
  Webhook: object({
    name: text,
    host: text,
    inboxes: list(text),
    query: text,
    signed: flag,
    state: { enum: ['working', 'failing', 'stopped', 'removed'] },
    waiting: count,
    dead: count,
    oldest: orNull(instant),
    last: orNull(named('WebhookAttempt')),
  }),
  WebhookList: object({ webhooks: list(named('Webhook')) }),
  WebhookAttempt: object({ at: instant, status: count, why: text, milliseconds: count }),
  DeadLetter: object({
    id: text,
    message: text,
    inboxes: list(text),
    subject: text,
    attempts: count,
    diedAt: instant,
    why: text,
  }),
  DeadLetterList: object({ dead: list(named('DeadLetter')) }),
  Replayed: object({ replayed: count }),
  Health: object({ live: { type: 'boolean' }, ready: { type: 'boolean' } }),
  Session: object({ name: text, rights: list(text), scope: list(text), expiresAt: orNull(instant) }, ['scope']),
  Problem: object(
    {
      type: { type: 'string', format: 'uri-reference' },
      title: text,
      status: { type: 'integer' },
      detail: text,
      parameter: text,
      at: count,
    },
    ['parameter', 'at'],
  ),
});

/** Names a schema of the list above. */
export const schemaOf = named;

// What requests hold.

/** Which form of a source is wanted. */
export const formOf = (form: ContentForm): Schema => ({
  enum: ['received', 'edited'],
  default: form,
  description: 'received: as it was sent; edited: as filters left it',
});

export const SEARCH: Schema = {
  type: 'string',
  maxLength: 4_096,
  description: 'Search, such as `from:ann subject:"your code" is:unread`',
};
export const LIMIT: Schema = { type: 'integer', minimum: 1, maximum: 500, default: 50, description: 'At most so many' };
export const START: Schema = {
  type: 'integer',
  minimum: 0,
  default: 0,
  description: 'Skips so many, to look into a long list; unlike with `cursor`, what comes or goes moves the places',
};
export const CURSOR: Schema = {
  type: 'string',
  maxLength: 1_024,
  description: 'Goes on behind the page that gave it as `next`',
};

const TAGS: Schema = {
  type: 'array',
  maxItems: 100,
  uniqueItems: true,
  items: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f,]+$' },
  description: 'The tags it has from now on',
};
/** Messages that one request names, and that one answer does. */
export const CHANGED_IDS = 10_000;
const IDS: Schema = {
  type: 'array',
  minItems: 1,
  maxItems: CHANGED_IDS,
  items: { type: 'string', pattern: '^[0-9A-Za-z]{1,64}$' },
  description: 'The messages of these ids',
};
const CHANGE = {
  read: flag,
  pinned: flag,
  tags: TAGS,
  addTags: { ...TAGS, description: 'Tags that it has as well from now on' },
  removeTags: { ...TAGS, description: 'Tags that it has no longer' },
  quarantine: {
    anyOf: [{ type: 'string', maxLength: QUARANTINE_CHARACTERS }, { type: 'null' }],
    description: 'null releases it; a reason keeps it from mail clients',
  },
};
const WHICH = { ids: IDS, query: { ...SEARCH, minLength: 1, description: 'The messages that this search finds' } };
const anyOf = (...names: string[]): Schema[] => names.map((name) => ({ required: [name] }));

/** State to be changed; at least one of it. */
export const CHANGE_BODY: Schema = { ...object(CHANGE, Object.keys(CHANGE)), minProperties: 1 };

/** State to be changed of many. */
export const CHANGE_MANY_BODY: Schema = {
  ...object({ ...WHICH, ...CHANGE }, ['ids', 'query', ...Object.keys(CHANGE)]),
  allOf: [{ oneOf: anyOf('ids', 'query') }, { anyOf: anyOf(...Object.keys(CHANGE)) }],
};

export const DELETE_MANY_BODY: Schema = {
  ...object({ ...WHICH, all: { const: true, description: 'All that there is' } }, ['ids', 'query', 'all']),
  oneOf: anyOf('ids', 'query', 'all'),
};

export const REPLAY_BODY: Schema = object(
  {
    ids: {
      type: 'array',
      minItems: 1,
      maxItems: CHANGED_IDS,
      items: { type: 'string', maxLength: 128 },
      description: 'The dead letters of these ids; all when absent',
    },
  },
  ['ids'],
);

export const LOGIN_BODY: Schema = object(
  {
    token: { type: 'string', maxLength: 1_024 },
    user: { type: 'string', maxLength: 64 },
    password: { type: 'string', maxLength: 1_024 },
  },
  ['token', 'user', 'password'],
);
