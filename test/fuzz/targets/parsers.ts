import { ConfigError } from '../../../src/config/error.ts';
import { formatListenUrl, parseListenUrl, parseServer } from '../../../src/config/listen-url.ts';
import { OPTIONS } from '../../../src/config/options.ts';
import { parseBytes, parseDuration } from '../../../src/config/units.ts';
import { completeConfig } from '../../../src/config.ts';
import { parseMailpitQuery } from '../../../src/http/dialects/mailpit-query.ts';
import { parseRange } from '../../../src/http/native/range.ts';
import { parseSince } from '../../../src/http/native/wait-routes.ts';
import { inboxNameFromText, inboxOf } from '../../../src/mail/inbox.ts';
import { createId, idTime } from '../../../src/mail/message.ts';
import { type Matchable, matches, needsContent } from '../../../src/mail/query.ts';
import { parseQuery } from '../../../src/mail/query-parser.ts';
import { parseBdatArg } from '../../../src/smtp/parse/bdat.ts';
import { parseHelloArg } from '../../../src/smtp/parse/hello.ts';
import { parseMailinatorPath } from '../../../src/smtp/parse/mailinator-path.ts';
import { checkMailParams, checkRcptParams, parseParams } from '../../../src/smtp/parse/params.ts';
import { parsePathArg } from '../../../src/smtp/parse/path.ts';
import {
  decodeBase64,
  parseOauthBearer,
  parsePassword,
  parsePlain,
  parseUser,
  parseXoauth2,
} from '../../../src/smtp/parse/sasl.ts';
import { parseXclient } from '../../../src/smtp/parse/xclient.ts';
import { decodeXtext } from '../../../src/smtp/parse/xtext.ts';
import { decodeCursor, encodeCursor } from '../../../src/store/sqlite/cursor.ts';
import { parseNetwork } from '../../../src/wire/networks.ts';
import { pick, randomText } from '../../support/random.ts';
import { noise, small, text } from '../generate.ts';
import { Finding, sound, type Target } from '../target.ts';

const HIDDEN = /[\u0000-\u001f\u007f-\u009f]/;

/** Nothing that a parser has taken may hold a control: it would be a line of its own somewhere. */
function clean(input: string, value: string | undefined): void {
  if (value !== undefined && HIDDEN.test(value)) throw new Finding(`let ${JSON.stringify(value)} through`, input);
}

const MAIL_ARGS = [
  'FROM:<a@b.test>',
  'FROM:<>',
  'FROM:<"a b"@b.test> SIZE=5 BODY=8BITMIME',
  'TO:<a@[IPv6:::1]> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c',
  'FROM:<@x:a@b> RET=HDRS ENVID=x+2By AUTH=<>',
];
const ANNOUNCED = new Set(['SIZE', '8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'AUTH', 'CHUNKING']);

/** Arguments of commands: paths, parameters, xtext, chunk sizes, names, SASL. */
export const commands: Target = {
  name: 'commands',
  share: 40,
  deadlineMs: 250,
  run(random) {
    const base = pick(random, MAIL_ARGS);
    const at = Math.floor(random() * base.length);
    const input =
      random() < 0.5 ? text(random, 12) : base.slice(0, at) + randomText(random, 4) + base.slice(at + small(random, 6));
    sound(input, () => {
      for (const prefix of ['FROM:', 'TO:'] as const) {
        for (const lenient of [false, true]) {
          const found = parsePathArg(prefix, input, { lenient, utf8: random() < 0.5 });
          if (!found.ok) continue;
          clean(input, found.value.path?.text);
          if (found.value.path)
            for (const naming of ['full', 'local', 'domain'] as const) inboxOf(found.value.path, naming);
          const params = parseParams(found.value.rest);
          if (!params.ok) continue;
          for (const [key, value] of params.value) {
            clean(input, key);
            clean(input, String(value));
          }
          checkMailParams(params.value, { esmtp: true, announced: ANNOUNCED });
          checkRcptParams(params.value, { esmtp: true, announced: ANNOUNCED }, true);
        }
        const loose = parseMailinatorPath(prefix, input);
        if (loose.ok) clean(input, loose.value.path?.text);
      }
      const decoded = decodeXtext(input);
      if (decoded.ok) clean(input, decoded.value);
      const hello = parseHelloArg(input);
      if (hello.ok) clean(input, hello.value);
      const chunk = parseBdatArg(input);
      if (chunk.ok && !(chunk.value.octets >= 0 && Number.isFinite(chunk.value.octets)))
        throw new Finding('a chunk of no size', input);
      const claims = parseXclient(input);
      if (claims.ok) for (const value of claims.value.values()) clean(input, value);
      inboxNameFromText(input);
      decodeBase64(input);
      for (const octets of [Buffer.from(input), noise(random, 100)]) {
        for (const read of [parsePlain, parseXoauth2, parseOauthBearer]) clean(input, read(octets)?.user);
        clean(input, parseUser(octets));
        parsePassword(octets);
      }
    });
  },
};

const MATCHABLE: Matchable = {
  subject: 'The subject 123456', from: { name: 'Ann', address: 'ann@a.test' }, to: [], cc: [], bcc: [], replyTo: [], messageId: 'x@y',
  inboxes: ['a@b.test'], tags: ['x'], read: false, pinned: false, receivedAt: new Date(0), bytes: 1, snippet: '', bareNewlines: false,
  id: 'x', attachments: 0, verification: null, headers: [{ name: 'X-A', value: 'b' }], text: 'text', fileNames: ['f.pdf'],
} as unknown as Matchable; // biome-ignore format: facts
const QUERIES = [
  'subject:"a b"',
  'from:x to:y',
  '-is:read',
  '(a or b) and not c',
  'header:X-A:b',
  'larger:1MB',
  'before:2026-01-01',
  'after:7d',
  'has:attachment',
  'tag:x*',
  'dkim:fail',
  'in:a@b',
];

/** What people search for. */
export const queries: Target = {
  name: 'queries',
  share: 20,
  deadlineMs: 250,
  run(random) {
    let input = '';
    for (let count = 1 + small(random, 10); count > 0; count--) {
      input +=
        random() < 0.6
          ? `${pick(random, QUERIES)} `
          : random() < 0.5
            ? pick(random, ['(', ')', ' or ', '-', '"', ':', '*', '!', 'not '])
            : text(random, 3);
    }
    if (random() < 0.02) input = pick(random, ['(', '-', 'a or ', '"', 'x ']).repeat(small(random, 5_000));
    sound(input, () => {
      const parsed = parseQuery(input, pick(random, ['UTC', 'Europe/Berlin']), 0);
      if (parsed.ok) {
        matches(parsed.value, MATCHABLE);
        needsContent(parsed.value);
      }
      parseMailpitQuery(input, pick(random, [undefined, 'UTC', 'Nowhere/Land', input.slice(0, 20)]));
    });
  },
};

const URLS = [
  'smtp://127.0.0.1:25',
  'lmtp:///run/x.sock',
  'http://[::1]:8025',
  'smtps://a.test',
  '10.0.0.0/8',
  '::/0',
  '1.5GiB',
  '90s',
  '300ms',
];

/** Listen URLs, networks, units, and a whole configuration of values that no option wants. */
export const settings: Target = {
  name: 'settings',
  share: 10,
  deadlineMs: 500,
  run(random) {
    const base = pick(random, URLS);
    const at = Math.floor(random() * base.length);
    const input =
      random() < 0.3 ? text(random, 6) : base.slice(0, at) + randomText(random, 2) + base.slice(at + small(random, 4));
    sound(input, () => {
      const url = parseListenUrl(input);
      if (url.ok) formatListenUrl(url.value);
      parseServer(input);
      parseNetwork(input);
      for (const read of [parseBytes, parseDuration]) {
        const number = read(input);
        if (number !== undefined && !(number >= 0)) throw new Finding(`gave ${number}`, input);
      }
    });
    if (random() < 0.8) return;
    const value = pick<unknown>(random, [
      input,
      [input],
      random() * 1e12,
      -1,
      Number.NaN,
      null,
      {},
      true,
      [[]],
      () => 1,
      Symbol('x'),
      10n,
    ]);
    const { property } = pick(random, OPTIONS);
    sound(
      `${property}: ${String(value)}`,
      () => completeConfig({ [property]: value } as never, {}),
      (error) => error instanceof ConfigError,
    );
  },
};

/** Cursors and ids that clients send back, ranges, moments. */
export const places: Target = {
  name: 'places',
  share: 20,
  deadlineMs: 250,
  run(random) {
    const numbers = Array.from({ length: 1 + small(random, 3) }, () => Math.floor(random() ** 4 * 2 ** 50));
    const cursor = encodeCursor(...numbers);
    const input = random() < 0.5 ? cursor : cursor.slice(0, random() * cursor.length) + text(random, 3);
    const isCode = (error: unknown): boolean => (error as { code?: string }).code === 'STORE_BAD_CURSOR';
    const back = sound(input, () => decodeCursor(input, numbers.length), isCode);
    if (input === cursor && JSON.stringify(back) !== JSON.stringify(numbers))
      throw new Finding(`cursor came back as ${back}`, input);
    for (const place of back ?? []) if (!(place >= 0)) throw new Finding(`place ${place}`, input);
    const at = Math.floor(random() * 2 ** 47);
    const id = createId(at);
    if (idTime(id) !== at) throw new Finding(`id of ${at} says ${idTime(id)}`, id);
    sound(input, () => {
      idTime(input);
      parseSince(input);
      const range = parseRange(`bytes=${input}`, 1_000);
      if (range && range !== 'none' && !(range.first <= range.last && range.last < 1_000))
        throw new Finding(JSON.stringify(range), input);
    });
  },
};
