import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CLIENT_LIMITS } from '../http/limits.ts';
import { RESPONDER_LIMITS } from '../responders/limits.ts';
import { PIPE_LIMITS } from '../sinks/limits.ts';
import { SMTP_LIMITS } from '../smtp/limits.ts';
import { FINGER_SOURCE } from './finger-source.ts';
import {
  ACCOUNT,
  AUTH,
  DATA_FOLDER,
  DOMAINS,
  duration,
  FILES,
  HOST_NAME,
  type Kind,
  LISTEN_HOST,
  LISTEN_URLS,
  OPTIONAL_ADDRESS,
  OPTIONAL_FILE,
  OPTIONAL_FOLDER,
  OPTIONAL_SERVER,
  ORIGINS,
  oneOf,
  SERVER_NAMES,
  SINK,
  SWITCH,
  SYSLOG,
  SYSLOG_PREFIX,
  size,
  wholeNumber,
} from './kinds.ts';
import { LIMIT_OPTIONS } from './limit-options.ts';
import { isHostName, TLS_POLICIES } from './listen-url.ts';
import { MILTERS } from './milter-address.ts';
import { NETWORKS, RECIPIENT_PATTERNS, SENDER_PATTERNS } from './policy-kinds.ts';
import { AGENTS, INBOX_NAMES, OPTIONAL_AGENT, OPTIONAL_MAILBOX, OPTIONAL_SMARTHOST } from './responder-kinds.ts';
import type { Settings } from './settings.ts';
import { WEBHOOK_OPTIONS } from './webhook-options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Category =
  | 'Listeners'
  | 'Encryption'
  | 'Inboxes and store'
  | 'Receiving'
  | 'Who may send'
  | 'Webhooks'
  | 'Responders'
  | 'Limits'
  | 'Traffic'
  | 'Log'
  | 'Service';

/** One option. Its key is the word in a TOML file; flag and variable are made from it. */
export interface Option<P extends keyof Settings = keyof Settings> {
  readonly key: string;
  readonly property: P;
  readonly category: Category;
  readonly kind: Kind<Settings[P]>;
  /** The default; from the environment where the system says what is usual. */
  readonly initial: (environment: Environment) => Settings[P];
  /** The default under the profile `public`, where it differs. */
  readonly inPublic?: Settings[P];
  /** The default in words, where it differs from machine to machine. */
  readonly usually?: string;
  readonly doc: string;
  /** Its word in a TOML file, where that is not the key. */
  readonly inFile?: string;
}
export type AnyOption = { [P in keyof Settings]: Option<P> }[keyof Settings];

const LARGEST = Number.MAX_SAFE_INTEGER;
/** The longest a timer of Node.js can wait; beyond, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const COUNT = wholeNumber(0, 1e9, '; 0 is off');
const KEEP_SIZE = size(0, LARGEST, 'a size such as 10MB, 1GiB or 1073741824; 0 is off');
const KEEP_TIME = duration(0, LARGEST, 'a duration such as 30s, 10m, 4h or 7d; 0 is off');
// RFC 8461 §3.2: at most 31557600 s
const STS_AGE = duration(1000, 31_557_600_000, 'a duration such as 1d or 30d, at least 1s and at most 365d');
const MESSAGE_SIZE = size(1, LARGEST, 'a size such as 10MB, 50MiB or 1048576, at least 1');
const WAIT = duration(1, LONGEST_TIMER_MS, 'a duration such as 500ms, 30s, 10m or 4h, above 0 and at most 24d');
const GRACE = duration(0, LONGEST_TIMER_MS, 'a duration such as 500ms, 30s or 10m, at most 24d; 0 waits for nothing');
// clients give up waiting for the reply to the final dot after 10 minutes (RFC 5321 §4.5.3.2.6) and send the message again
const SINK_WAIT = duration(1, 10 * 60_000 - 1, 'a duration such as 500ms or 60s, above 0 and below 10m');

const AGENT_MEMORY = size(16 * 2 ** 20, 64 * 2 ** 30, 'a size such as 128MiB, at least 16MiB');
const ANSWER_INTERVAL = duration(0, 86_400_000, 'a duration such as 10m or 1h, at most 24h; 0 is off');
const OUTGOING_AGE = duration(1000, 30 * 86_400_000, 'a duration such as 4h or 2d, at least 1s and at most 30d');

/** Every option there is. The command line, TOML keys, variables, `inboxd config` and the README's table come from here. */
// biome-ignore format: a table
export const OPTIONS: readonly AnyOption[] = [
  { key: 'listen',           property: 'listen',           category: 'Listeners',         kind: LISTEN_URLS,                       initial: () => [],                                  usually: 'SMTP and HTTP as below', doc: 'Listen here; repeatable. Replaces the default listener of each protocol it names' },
  { key: 'host',             property: 'host',             category: 'Listeners',         kind: LISTEN_HOST,                       initial: () => '127.0.0.1',                         doc: 'Host of the default listeners' },
  { key: 'port',             property: 'port',             category: 'Listeners',         kind: wholeNumber(0, 65535),             initial: () => 1025,                                doc: 'Port of the default SMTP listener; 0 picks a free one' },
  { key: 'http-port',        property: 'httpPort',         category: 'Listeners',         kind: wholeNumber(0, 65535),             initial: () => 8025,                                doc: 'Port of the default HTTP listener; 0 picks a free one' },
  { key: 'smtp',             property: 'smtp',             category: 'Listeners',         kind: SWITCH,                            initial: () => true,                                doc: 'The default SMTP listener' },
  { key: 'http',             property: 'http',             category: 'Listeners',         kind: SWITCH,                            initial: () => true,                                doc: 'The default HTTP listener' },
  { key: 'max-connections',  property: 'maxConnections',   category: 'Listeners',         kind: wholeNumber(1, 1_000_000),         initial: () => 2000,                                doc: 'Mail connections open at once, over all listeners' },
  { key: 'http-auth',        property: 'httpAuth',         category: 'Listeners',         kind: OPTIONAL_FILE,                     initial: () => '',                                  usually: 'none', doc: 'Who may use HTTP, POP3 and eurechat: file of tokens and users, as inboxd token writes it' },
  { key: 'http-open',        property: 'httpOpen',         category: 'Listeners',         kind: SWITCH,                            initial: () => false,                               doc: 'Serve HTTP without authentication to other machines too' },
  { key: 'cors-origin',      property: 'corsOrigins',      category: 'Listeners',         kind: ORIGINS,                           initial: () => [],                                  usually: 'none', doc: 'Pages of this origin may use the API; repeatable' },
  { key: 'finger-source',    property: 'fingerSource',     category: 'Listeners',         kind: FINGER_SOURCE,                     initial: () => ({ kind: 'store' }),                 doc: 'Who knows the users that finger is asked about' },
  { key: 'finger-list',      property: 'fingerList',       category: 'Listeners',         kind: oneOf(['all', 'local', 'none']),   initial: () => 'local',                             doc: 'Who may have the list of users by finger; local is clients on this machine' },
  { key: 'finger-open',      property: 'fingerOpen',       category: 'Listeners',         kind: SWITCH,                            initial: () => false,                               doc: 'Let other machines ask about inboxes by finger, which knows no passwords' },
  { key: 'tls',              property: 'tls',              category: 'Encryption',        kind: oneOf(TLS_POLICIES),               initial: () => 'offered',                           doc: 'STARTTLS on TCP listeners that begin in clear text, unless ?tls= of their URL says otherwise' },
  { key: 'tls-cert',         property: 'tlsCerts',         category: 'Encryption',        kind: FILES,                             initial: () => [],                                  usually: 'one made at the first start', doc: 'Certificate, PEM with its chain; repeatable, the first is the default one. Read again when it changes' },
  { key: 'tls-key',          property: 'tlsKeys',          category: 'Encryption',        kind: FILES,                             initial: () => [],                                  usually: 'in the certificate file', doc: 'Key of each certificate, in the same order' },
  { key: 'tls-client-cert',  property: 'tlsClientCert',    category: 'Encryption',        kind: SWITCH,                            initial: () => false,                               doc: 'Ask clients of mail for a certificate and keep its subject with the message; nobody needs one' },
  { key: 'mta-sts',          property: 'mtaSts',           category: 'Encryption',        kind: DOMAINS,                           initial: () => [],                                  usually: 'none', doc: 'Serve the MTA-STS policy (RFC 8461) of this domain over HTTP; repeatable' },
  { key: 'mta-sts-mode',     property: 'mtaStsMode',       category: 'Encryption',        kind: oneOf(['enforce', 'testing', 'none']), initial: () => 'testing',                       doc: 'What senders do when TLS fails: not deliver, report only, or nothing' },
  { key: 'mta-sts-mx',       property: 'mtaStsMx',         category: 'Encryption',        kind: SERVER_NAMES,                      initial: () => [],                                  usually: 'hostname', doc: 'Mail server that the policy names; repeatable' },
  { key: 'mta-sts-max-age',  property: 'mtaStsMaxAgeMs',   category: 'Encryption',        kind: STS_AGE,                           initial: () => 7 * 86_400_000,                      doc: 'How long senders keep the policy' },
  { key: 'data',             property: 'data',             category: 'Inboxes and store', kind: DATA_FOLDER,                       initial: dataFolder,                                usually: '$STATE_DIRECTORY, else $XDG_STATE_HOME/inboxd, else ~/.local/state/inboxd', doc: 'Folder that mail is kept in; :memory: keeps nothing' },
  { key: 'naming',           property: 'naming',           category: 'Inboxes and store', kind: oneOf(['full', 'local', 'domain']), initial: () => 'full',                             doc: 'Part of an address that names its inbox' },
  { key: 'keep-per-inbox',   property: 'keepPerInbox',     category: 'Inboxes and store', kind: COUNT,                             initial: () => 500,                                 doc: 'Messages kept per inbox; the oldest go first' },
  { key: 'keep-bytes-per-inbox', property: 'keepBytesPerInbox', category: 'Inboxes and store', kind: KEEP_SIZE,                     initial: () => 0, inPublic: 50 * 2 ** 20,           doc: 'Bytes of messages kept per inbox; the oldest go first' },
  { key: 'keep-bytes',       property: 'keepBytes',        category: 'Inboxes and store', kind: KEEP_SIZE,                         initial: () => 2 ** 30,                             doc: 'Bytes of messages kept in all; the oldest go first' },
  { key: 'keep-age',         property: 'keepAgeMs',        category: 'Inboxes and store', kind: KEEP_TIME,                         initial: () => 0,                                   doc: 'Time a message is kept' },
  { key: 'hostname',         property: 'hostname',         category: 'Receiving',         kind: HOST_NAME,                         initial: systemName,                                usually: 'the name of the system', doc: 'Name of the daemon in greetings and trace' },
  { key: 'sink',             property: 'sink',             category: 'Receiving',         kind: SINK,                              initial: () => ({ kind: 'store' }),                 doc: 'What becomes of a finished message' },
  { key: 'pipe-timeout',     property: 'pipeTimeoutMs',    category: 'Receiving',         kind: SINK_WAIT,                         initial: () => PIPE_LIMITS.runMs,                   doc: 'Longest run of the command of sink pipe:COMMAND for one message; then it is killed' },
  { key: 'pipe-processes',   property: 'pipeProcesses',    category: 'Receiving',         kind: wholeNumber(1, 1000),              initial: () => PIPE_LIMITS.processes,               doc: 'Commands of sink pipe:COMMAND that run at once' },
  { key: 'pipe-queue',       property: 'pipeQueue',        category: 'Receiving',         kind: wholeNumber(0, 100_000),           initial: () => PIPE_LIMITS.waiting,                 doc: 'Messages that wait for one of these to end; with more, senders are told to come again' },
  { key: 'profile',          property: 'profile',          category: 'Receiving',         kind: oneOf(['rfc5321', 'mailinator', 'public']), initial: () => 'rfc5321',                   doc: 'Manners of the SMTP conversation; public is rfc5321 with the limits that an open Internet calls for' },
  { key: 'bare-newlines',    property: 'bareNewlines',     category: 'Receiving',         kind: oneOf(['reject', 'keep']),         initial: () => 'reject',                            doc: 'Content with a bare CR or LF: refuse it, or keep it byte for byte and flag it' },
  { key: 'lenient-syntax',   property: 'lenientSyntax',    category: 'Receiving',         kind: SWITCH,                            initial: () => false,                               doc: 'Accept addresses without angle brackets and stray spaces' },
  { key: 'spamd',            property: 'spamd',            category: 'Receiving',         kind: OPTIONAL_SERVER,                   initial: () => '',                                  usually: 'none', doc: 'SpamAssassin daemon that the HTTP API asks about a message' },
  { key: 'milter',           property: 'milters',          category: 'Receiving',         kind: MILTERS,                           initial: () => [],                                  usually: 'none', doc: 'Ask this milter about sessions and messages; repeatable, asked in order' },
  { key: 'verify',           property: 'verify',           category: 'Receiving',         kind: oneOf(['off', 'annotate', 'enforce']), initial: () => 'annotate',                      doc: 'Who sent a message, by SPF, DKIM, DMARC and ARC: find out behind the reply, or before it and refuse what the policy of the domain wants refused' },
  { key: 'verify-private',   property: 'verifyPrivate',    category: 'Receiving',         kind: SWITCH,                            initial: () => false,                               doc: 'Verify messages of clients on this machine and in private networks too' },
  { key: 'dns-server',       property: 'dnsServer',        category: 'Receiving',         kind: OPTIONAL_ADDRESS,                  initial: () => '',                                  usually: 'those of the system', doc: 'DNS server to ask' },
  { key: 'chaos',            property: 'chaos',            category: 'Receiving',         kind: SWITCH,                            initial: () => false,                               doc: 'Let the HTTP API have senders and recipients refused by chance, for testing' },
  { key: 'auth',             property: 'auth',             category: 'Who may send',      kind: AUTH,                              initial: () => ({ kind: 'off' }),                   doc: 'Who may log in to mail sessions: a file as inboxd user writes it, or anybody, as test servers want' },
  { key: 'auth-required',    property: 'authRequired',     category: 'Who may send',      kind: SWITCH,                            initial: () => false,                               doc: 'Take no mail from who has not logged in' },
  { key: 'auth-plaintext',   property: 'authPlaintext',    category: 'Who may send',      kind: SWITCH,                            initial: () => false,                               doc: 'Offer logins without TLS to other machines too' },
  { key: 'proxy-from',       property: 'proxyFrom',        category: 'Who may send',      kind: NETWORKS,                          initial: () => [],                                  usually: 'none', doc: 'Load balancers: connections from here must begin with a PROXY header, version 1 or 2, from elsewhere none may; repeatable' },
  { key: 'xclient-from',     property: 'xclientFrom',      category: 'Who may send',      kind: NETWORKS,                          initial: () => [],                                  usually: 'none', doc: 'Clients whose word is taken, by XCLIENT, on whom they speak for; repeatable' },
  { key: 'accept-to',        property: 'acceptTo',         category: 'Who may send',      kind: RECIPIENT_PATTERNS,                initial: () => [],                                  usually: 'every address', doc: 'Take mail to these recipients and no others; repeatable' },
  { key: 'reject-to',        property: 'rejectTo',         category: 'Who may send',      kind: RECIPIENT_PATTERNS,                initial: () => [],                                  usually: 'none', doc: 'Refuse mail to these recipients with 550; repeatable' },
  { key: 'discard-to',       property: 'discardTo',        category: 'Who may send',      kind: RECIPIENT_PATTERNS,                initial: () => [],                                  usually: 'none', doc: 'Say yes to mail to these recipients and keep nothing; repeatable' },
  { key: 'accept-from',      property: 'acceptFrom',       category: 'Who may send',      kind: SENDER_PATTERNS,                   initial: () => [],                                  usually: 'every sender', doc: 'Take mail from these senders and no others; repeatable' },
  { key: 'reject-from',      property: 'rejectFrom',       category: 'Who may send',      kind: SENDER_PATTERNS,                   initial: () => [],                                  usually: 'none', doc: 'Refuse mail from these senders with 550; repeatable' },
  { key: 'discard-from',     property: 'discardFrom',      category: 'Who may send',      kind: SENDER_PATTERNS,                   initial: () => [],                                  usually: 'none', doc: 'Say yes to mail from these senders and keep nothing; repeatable' },
  { key: 'max-inboxes',      property: 'maxInboxes',       category: 'Who may send',      kind: COUNT,                             initial: () => 0,                                   doc: 'Inboxes that one message may go to' },
  ...WEBHOOK_OPTIONS,
  { key: 'responder',        property: 'responders',       category: 'Responders',        kind: AGENTS,                            initial: () => [],                                  usually: 'none', inFile: 'responders', doc: 'Agent that answers the mail of an inbox; repeatable. In a file: responders = { time = "./agents/time.ts" }' },
  { key: 'responder-dir',    property: 'responderDir',     category: 'Responders',        kind: OPTIONAL_FOLDER,                   initial: () => '',                                  usually: 'none', doc: 'Folder of agents, which may come and go: DIR/echo.ts answers echo' },
  { key: 'responder-default', property: 'responderDefault', category: 'Responders',       kind: OPTIONAL_AGENT,                    initial: () => '',                                  usually: 'none', doc: 'Agent of all inboxes that have none' },
  { key: 'responder-timeout', property: 'responderTimeoutMs', category: 'Responders',     kind: SINK_WAIT,                         initial: () => RESPONDER_LIMITS.agentMs,            doc: 'Longest work of an agent on one mail; then its thread is stopped' },
  { key: 'responder-memory', property: 'responderBytes',   category: 'Responders',        kind: AGENT_MEMORY,                      initial: () => RESPONDER_LIMITS.agentBytes,         doc: 'Memory of the JavaScript of an agent; with more, its thread is stopped' },
  { key: 'responder-senders', property: 'responderSenders', category: 'Responders',       kind: oneOf(['any', 'not-failed', 'verified']), initial: () => 'not-failed',                 doc: 'Whom agents answer: anybody, nobody whose mail fails SPF or DMARC, or only who passes; who is not verified at all, as on this machine, is answered' },
  { key: 'responder-interval', property: 'responderIntervalMs', category: 'Responders',   kind: ANSWER_INTERVAL,                   initial: () => RESPONDER_LIMITS.intervalMs,         doc: 'Time in which a sender gets one answer from an inbox' },
  { key: 'responder-answers-per-hour', property: 'responderAnswersPerHour', category: 'Responders', kind: wholeNumber(1, 1_000_000), initial: () => RESPONDER_LIMITS.answersPerHour,     doc: 'Answers to everybody in an hour, and as many mails forwarded' },
  { key: 'outbox',           property: 'outbox',           category: 'Responders',        kind: OPTIONAL_FOLDER,                   initial: () => '',                                  usually: 'outbox in the data folder', doc: 'Folder that answers and forwarded mail are written to instead of being sent, unless there is a smarthost' },
  { key: 'smarthost',        property: 'smarthost',        category: 'Responders',        kind: OPTIONAL_SMARTHOST,                initial: () => '',                                  usually: 'none', doc: 'Server that sends answers and forwarded mail' },
  { key: 'smarthost-password', property: 'smarthostPassword', category: 'Responders',     kind: OPTIONAL_FILE,                     initial: () => '',                                  usually: 'in the URL', doc: 'File whose first line is the password there, read at each login' },
  { key: 'outgoing-age',     property: 'outgoingMs',       category: 'Responders',        kind: OUTGOING_AGE,                      initial: () => RESPONDER_LIMITS.outgoingMs,         doc: 'How long the smarthost is tried with a mail' },
  { key: 'forward-to',       property: 'forwardTo',        category: 'Responders',        kind: OPTIONAL_MAILBOX,                  initial: () => '',                                  usually: 'nobody', doc: 'Forward the mail of forward-inboxes to this address' },
  { key: 'forward-inboxes',  property: 'forwardInboxes',   category: 'Responders',        kind: INBOX_NAMES,                       initial: () => ['postmaster', 'abuse', 'hostmaster', 'webmaster', 'root', 'admin'], doc: 'Inboxes whose mail is forwarded; repeatable' },
  { key: 'max-message-size', property: 'maxMessageBytes',  category: 'Limits',            kind: MESSAGE_SIZE,                      initial: () => SMTP_LIMITS.contentBytes,            doc: 'Largest message accepted' },
  { key: 'max-recipients',   property: 'maxRecipients',    category: 'Limits',            kind: wholeNumber(100, 100_000),         initial: () => SMTP_LIMITS.recipients,              doc: 'Recipients per message; RFC 5321 wants room for at least 100' },
  { key: 'http-max-connections', property: 'httpMaxConnections', category: 'Limits',       kind: wholeNumber(1, 1_000_000),         initial: () => CLIENT_LIMITS.connections,           doc: 'HTTP connections open at once, over all listeners' },
  { key: 'http-client-connections', property: 'httpClientConnections', category: 'Limits', kind: COUNT,                             initial: () => CLIENT_LIMITS.connectionsPerClient,  doc: 'HTTP connections of one client; those on this machine are not counted, here and below' },
  { key: 'http-client-requests', property: 'httpClientRequests', category: 'Limits',       kind: COUNT,                             initial: () => CLIENT_LIMITS.requestsPerMinute,     doc: 'HTTP requests of one client in a minute' },
  { key: 'http-client-held', property: 'httpClientHeld',   category: 'Limits',            kind: COUNT,                             initial: () => CLIENT_LIMITS.heldPerClient,         doc: 'Requests of one client that wait for mail or stream events, at once' },
  { key: 'command-timeout',  property: 'commandTimeoutMs', category: 'Limits',            kind: WAIT,                              initial: () => SMTP_LIMITS.commandMs,               doc: 'Longest wait for a whole command' },
  { key: 'data-timeout',     property: 'dataTimeoutMs',    category: 'Limits',            kind: WAIT,                              initial: () => SMTP_LIMITS.dataMs,                  doc: 'Longest wait for a whole message' },
  { key: 'sink-timeout',     property: 'sinkTimeoutMs',    category: 'Limits',            kind: SINK_WAIT,                         initial: () => SMTP_LIMITS.sinkMs,                  doc: 'Longest wait for a sink to dispose of a message' },
  { key: 'grace',            property: 'graceMs',          category: 'Limits',            kind: GRACE,                             initial: () => 30_000,                              doc: 'Longest wait for messages in flight when stopping' },
  ...LIMIT_OPTIONS,
  { key: 'log-level',        property: 'logLevel',         category: 'Log',               kind: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), initial: () => 'info', doc: 'Least important lines to log' },
  { key: 'log-format',       property: 'logFormat',        category: 'Log',               kind: oneOf(['auto', 'json', 'pretty']), initial: () => 'auto',                              doc: 'Form of log lines; auto is pretty on a terminal and JSON elsewhere' },
  { key: 'log-file',         property: 'logFile',          category: 'Log',               kind: OPTIONAL_FILE,                     initial: () => '',                                  usually: 'standard output', doc: 'Append the log to this file; SIGUSR1 opens it anew after a rotation' },
  { key: 'syslog',           property: 'syslog',           category: 'Log',               kind: SYSLOG,                            initial: () => '',                                  usually: 'none', doc: 'Send the log to syslog (RFC 5424) instead' },
  { key: 'syslog-prefix',    property: 'syslogPrefix',     category: 'Log',               kind: SYSLOG_PREFIX,                     initial: () => 'inboxd',                            doc: 'Name of the program in syslog' },
  { key: 'user',             property: 'user',             category: 'Service',           kind: ACCOUNT,                           initial: () => '',                                  usually: 'who starts it', doc: 'Become this user once the ports are bound; wants to be started as root' },
  { key: 'group',            property: 'group',            category: 'Service',           kind: ACCOUNT,                           initial: () => '',                                  usually: "the user's", doc: 'Group to become along with user, without the further groups of the user' },
  { key: 'allow-root',       property: 'allowRoot',        category: 'Service',           kind: SWITCH,                            initial: () => false,                               doc: 'Run as root if started so; refused otherwise' },
  { key: 'daemon',           property: 'daemon',           category: 'Service',           kind: SWITCH,                            initial: () => false,                               doc: 'Go to the background once it is ready; wants log-file or syslog' },
  { key: 'pid-file',         property: 'pidFile',          category: 'Service',           kind: OPTIONAL_FILE,                     initial: () => '',                                  usually: 'none', doc: 'Keep the process id in this file while running' },
  { key: 'work-dir',         property: 'workDir',          category: 'Service',           kind: OPTIONAL_FOLDER,                   initial: () => '',                                  usually: 'where it is started; / with daemon', doc: 'Folder to run in; relative paths of options start where inboxd was started' },
];

export const KEYS: readonly string[] = OPTIONS.map(({ key }) => key);

/** The option that names the TOML file; it cannot stand in one. */
export const CONFIG_FILE_KEY = 'config';

/** Where commands that ask a daemon find it, and what lets them in: variables that are no options of the daemon. */
export const CLIENT_VARIABLES = Object.freeze({ url: 'INBOXD_URL', token: 'INBOXD_TOKEN' });

/** `keep-per-inbox` on the command line is `--keep-per-inbox`. */
export function flagOf(key: string): string {
  return `--${key}`;
}

/** `keep-per-inbox` in a file is `keep-per-inbox`, but for what is a table there. */
export function fileWordOf(key: string): string {
  return (OPTIONS as readonly Option[]).find((option) => option.key === key)?.inFile ?? key;
}

/** `keep-per-inbox` in the environment is `INBOXD_KEEP_PER_INBOX`. */
export function variableOf(key: string): string {
  return `INBOXD_${key.toUpperCase().replaceAll('-', '_')}`;
}

/** The default of an option as people write it. */
export function defaultText({ usually, kind, initial, inPublic }: Option): string {
  const text = usually ?? String(kind.print(initial({})));
  return inPublic === undefined ? text : `${text}; public: ${kind.print(inPublic)}`;
}

function dataFolder(environment: Environment): string {
  // systemd separates several state directories by colons; the first is the service's own
  const state = environment.STATE_DIRECTORY?.split(':')[0];
  if (state && isAbsolute(state)) return state;
  const xdg = environment.XDG_STATE_HOME; // a relative one is to be ignored (XDG Base Directory Specification)
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'inboxd');
}

/** A system may bear a name that no greeting can carry (underscores are common in containers). */
function systemName(): string {
  return isHostName(hostname()) ? hostname() : 'localhost';
}
