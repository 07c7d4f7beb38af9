import { OPEN_LIMITS, PUBLIC_LIMITS } from '../guard/limits.ts';
import { SMTP_LIMITS } from '../smtp/limits.ts';
import { BLOCK_LISTS, duration, type Kind, NETWORKS, oneOf, size, wholeNumber } from './kinds.ts';
import type { AnyOption } from './options.ts';
import type { Settings } from './settings.ts';

/** Options that bound what clients may do together; the profile `public` sets most of them. */

const OFF = '; 0 is off';
const NUMBER = wholeNumber(0, 1e9, OFF);
const SIZE = size(0, Number.MAX_SAFE_INTEGER, `a size such as 10MB, 1GiB or 1073741824${OFF}`);
const TIME = duration(0, 2 ** 31 - 1, `a duration such as 500ms, 30s, 10m or 4h, at most 24d${OFF}`);
const PERCENT = wholeNumber(1, 100, '; 100 is off');
const SHARE = wholeNumber(0, 100, OFF);

type LimitName = keyof Settings & keyof typeof PUBLIC_LIMITS;

// biome-ignore format: a table
const ROWS: readonly (readonly [key: string, property: LimitName, kind: Kind<number>, doc: string])[] = [
  ['address-connections',            'addressConnections',          NUMBER,  'Connections open at once from one address'],
  ['address-connections-per-minute', 'addressConnectionsPerMinute', NUMBER,  'Connections from one address'],
  ['address-messages-per-minute',    'addressMessagesPerMinute',    NUMBER,  'Messages from one address'],
  ['address-bytes-per-minute',       'addressBytesPerMinute',       SIZE,    'Bytes of messages from one address'],
  ['address-recipients-per-minute',  'addressRecipientsPerMinute',  NUMBER,  'Recipients named by one address'],
  ['address-failures-per-minute',    'addressFailuresPerMinute',    NUMBER,  'Commands of one address refused for good or over a limit; then its connections are refused'],
  ['address-tarpits',                'addressTarpits',              NUMBER,  'Replies to one address held back at once'],
  ['address-bits-ipv4',              'ipv4Bits',                    wholeNumber(8, 32),   'Leading bits of an IPv4 address that are counted as one'],
  ['address-bits-ipv6',              'ipv6Bits',                    wholeNumber(16, 128), 'Leading bits of an IPv6 address that are counted as one'],
  ['total-connections-per-minute',   'totalConnectionsPerMinute',   NUMBER,  'Connections from everywhere'],
  ['total-messages-per-minute',      'totalMessagesPerMinute',      NUMBER,  'Messages from everywhere'],
  ['total-bytes-per-minute',         'totalBytesPerMinute',         SIZE,    'Bytes of messages from everywhere'],
  ['total-recipients-per-minute',    'totalRecipientsPerMinute',    NUMBER,  'Recipients named by everybody'],
  ['total-failures-per-minute',      'totalFailuresPerMinute',      NUMBER,  'Commands refused to everybody'],
  ['total-tarpits',                  'totalTarpits',                NUMBER,  'Replies held back at once; beyond, clients are refused instead'],
  ['inbox-messages-per-minute',      'inboxMessagesPerMinute',      NUMBER,  'Messages that one inbox gets'],
  ['inbox-bytes-per-minute',         'inboxBytesPerMinute',         SIZE,    'Bytes of messages that one inbox gets'],
  ['soft-percent',                   'softPercent',                 PERCENT, 'Share of a limit from which on replies are held back'],
  ['tarpit',                         'tarpitMs',                    TIME,    'How long a reply is held back over a soft limit; up to three times as long, less when busy'],
  ['session-messages',               'sessionMessages',             NUMBER,  'Messages of one connection'],
  ['session-bytes',                  'sessionBytes',                SIZE,    'Bytes of messages of one connection'],
  ['session-time',                   'sessionMs',                   TIME,    'Time that a connection may last without a message accepted'],
  ['greet-wait',                     'greetWaitMs',                 TIME,    'Wait before the greeting; who speaks earlier is refused'],
  ['subject-repeats',                'subjectRepeats',              NUMBER,  'Messages of equal subject within two minutes, beyond which the subject is banned'],
  ['subject-ban',                    'subjectBanMs',                TIME,    'How long a subject is banned'],
  ['subject-messages-per-minute',    'subjectMessagesPerMinute',    NUMBER,  'Messages of equal subject'],
  ['max-received',                   'receivedFields',              NUMBER,  'Received fields of a message; more is a loop (RFC 5321 wants room for at least 100)'],
  ['strain-percent',                 'strainPercent',               SHARE,   'Share of max-connections from which on clients get less time'],
  ['strained-command-timeout',       'strainedCommandMs',           duration(1, 2 ** 31 - 1, 'a duration such as 500ms, 10s or 5m, above 0 and at most 24d'), 'Longest wait for a command then'],
  ['strained-bytes-per-second',      'strainedBytesPerSecond',      NUMBER,  'Least speed of content then'],
  ['max-lag',                        'lagMs',                       TIME,    'Mean delay of the event loop, beyond which new work is refused'],
  ['max-memory',                     'memoryBytes',                 SIZE,    'Memory of the process, beyond which new work is refused'],
];

const BASE: Readonly<Record<LimitName, number>> = { ...SMTP_LIMITS, ...OPEN_LIMITS };

export const LIMIT_OPTIONS: readonly AnyOption[] = [
  ...ROWS.map(
    ([key, property, kind, doc]) =>
      ({
        key,
        property,
        category: 'Traffic',
        kind,
        initial: () => BASE[property],
        ...(PUBLIC_LIMITS[property] !== BASE[property] && { inPublic: PUBLIC_LIMITS[property] }),
        doc,
      }) as AnyOption,
  ),
  {
    key: 'block-list',
    property: 'blockLists',
    category: 'Traffic',
    kind: BLOCK_LISTS,
    initial: () => [],
    usually: 'none',
    doc: 'Ask this DNS block list about clients; repeatable',
  },
  {
    key: 'block-list-action',
    property: 'blockListAction',
    category: 'Traffic',
    kind: oneOf(['reject', 'tag']),
    initial: () => 'reject',
    doc: 'Refuse mail of listed clients, or take it with the tag "listed"',
  },
  {
    key: 'reverse-names',
    property: 'reverseNames',
    category: 'Traffic',
    kind: oneOf(['off', 'annotate', 'require']),
    initial: () => 'off',
    doc: 'Look for names of clients that point back to their address: note them, or take mail of no others',
  },
  {
    key: 'client-dns-timeout',
    property: 'clientDnsMs',
    category: 'Traffic',
    kind: duration(1, 60_000, 'a duration such as 500ms or 2s, above 0 and at most 1m'),
    initial: () => 2_000,
    doc: 'Longest wait for what block lists and names say; without an answer they have no say',
  },
  {
    key: 'exempt',
    property: 'exempt',
    category: 'Traffic',
    kind: NETWORKS,
    initial: () => ['127.0.0.0/8', '::1/128'],
    doc: 'Networks that limits of an address, an inbox or a subject are not for; repeatable',
  },
];
