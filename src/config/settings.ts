import type { GuardLimits, SessionLimits } from '../guard/limits.ts';
import type { MilterSettings } from '../milter/limits.ts';
import type { FingerSourceChoice } from './finger-source.ts';
import type { AuthChoice, SinkChoice } from './kinds.ts';
import type { ListenAddress, TlsPolicy } from './listen-url.ts';
import type { AgentChoice } from './responder-kinds.ts';
import type { WebhookChoice } from './webhook-kinds.ts';

/** Everything the daemon can be told, checked and deep-frozen. Units stand last in the names. */
export interface Config extends GuardLimits, SessionLimits {
  /** Every listener; at least one. */
  readonly listen: readonly ListenAddress[];
  /** STARTTLS where a listener's address does not say; sockets in the file system have none then. */
  readonly tls: TlsPolicy;
  /** Absolute paths of certificates, the default one first; empty for one of our own making. */
  readonly tlsCerts: readonly string[];
  /** Absolute paths of their keys, in the same order; empty where the certificate files hold them. */
  readonly tlsKeys: readonly string[];
  readonly tlsClientCert: boolean;
  /** Absolute path of the file that says who may use HTTP; '' is everybody. */
  readonly httpAuth: string;
  /** HTTP without authentication may listen on other addresses than loopback. */
  readonly httpOpen: boolean;
  /** Origins whose pages may use the API. */
  readonly corsOrigins: readonly string[];
  /** Domains whose MTA-STS policy is served. */
  readonly mtaSts: readonly string[];
  readonly mtaStsMode: 'enforce' | 'testing' | 'none';
  /** Servers that the policy names; empty is `hostname`. */
  readonly mtaStsMx: readonly string[];
  readonly mtaStsMaxAgeMs: number;
  /** Name in greetings and trace. */
  readonly hostname: string;
  /** Absolute path of the data folder, or `:memory:`. */
  readonly data: string;
  readonly naming: 'full' | 'local' | 'domain';
  /** 0: no bound. */
  readonly keepPerInbox: number;
  /** 0: no bound. */
  readonly keepBytesPerInbox: number;
  /** 0: no bound. */
  readonly keepBytes: number;
  /** 0: for ever. */
  readonly keepAgeMs: number;
  readonly sink: SinkChoice;
  /** Longest run of the command of a pipe sink for one message. */
  readonly pipeTimeoutMs: number;
  /** Commands at once. */
  readonly pipeProcesses: number;
  /** Messages that wait for one of them to end. */
  readonly pipeQueue: number;
  /** Who knows the users that finger is asked about. */
  readonly fingerSource: FingerSourceChoice;
  readonly fingerList: 'all' | 'local' | 'none';
  /** Other machines may ask about inboxes by finger. */
  readonly fingerOpen: boolean;
  readonly profile: 'rfc5321' | 'mailinator' | 'public';
  /** Zones of the DNS that list addresses, with the answers that count. */
  readonly blockLists: readonly string[];
  readonly blockListAction: 'reject' | 'tag';
  /** Names of clients that the DNS confirms: not looked up, noted, or wanted. */
  readonly reverseNames: 'off' | 'annotate' | 'require';
  /** Longest wait for what the DNS says of a client. */
  readonly clientDnsMs: number;
  /** Networks that limits of an address, an inbox or a subject are not for. */
  readonly exempt: readonly string[];
  readonly bareNewlines: 'reject' | 'keep';
  readonly lenientSyntax: boolean;
  /** Who may log in to mail sessions. */
  readonly auth: AuthChoice;
  /** No mail is taken from who has not logged in. */
  readonly authRequired: boolean;
  /** Logins are taken where others on the way can read them. */
  readonly authPlaintext: boolean;
  /** Networks whose connections begin with a PROXY header. */
  readonly proxyFrom: readonly string[];
  /** Networks that XCLIENT is taken from. */
  readonly xclientFrom: readonly string[];
  /** Patterns of recipients and senders by what becomes of their mail. */
  readonly acceptTo: readonly string[];
  readonly rejectTo: readonly string[];
  readonly discardTo: readonly string[];
  readonly acceptFrom: readonly string[];
  readonly rejectFrom: readonly string[];
  readonly discardFrom: readonly string[];
  /** Inboxes that one message may go to; 0: any number. */
  readonly maxInboxes: number;
  /** Who is asked about sessions and messages by the milter protocol, in this order. */
  readonly milters: readonly MilterSettings[];
  /** `host:port` or socket path of a SpamAssassin daemon, or ''. */
  readonly spamd: string;
  /** Find out who sent messages by SPF, DKIM, DMARC and ARC: after the 250, or before and refuse what DMARC says. */
  readonly verify: 'off' | 'annotate' | 'enforce';
  /** Messages of clients on this machine and in private networks too. */
  readonly verifyPrivate: boolean;
  /** `address:port` of the DNS server to ask, or '' for those of the system. */
  readonly dnsServer: string;
  /** The HTTP API may set refusals by chance. */
  readonly chaos: boolean;
  /** Who is told of mail by HTTP requests. */
  readonly webhooks: readonly WebhookChoice[];
  /** URLs that are told of all mail. */
  readonly webhookUrls: readonly string[];
  /** Absolute path of the file that holds the secrets of webhooks without one of their own, or ''. */
  readonly webhookSecretFile: string;
  /** Webhooks may be on this machine and in private networks. */
  readonly webhookAllowPrivate: boolean;
  readonly webhookTimeoutMs: number;
  readonly webhookAttempts: number;
  readonly webhookAgeMs: number;
  readonly webhookAtOnce: number;
  /** Deliveries that wait for one webhook. */
  readonly webhookQueue: number;
  /** Dead letters kept of one webhook. */
  readonly webhookDead: number;
  /** Agents by the names of their inboxes; modules as absolute paths or `builtin:` names. */
  readonly responders: readonly AgentChoice[];
  /** Folder of agents, or ''. */
  readonly responderDir: string;
  /** Agent of all other inboxes, or ''. */
  readonly responderDefault: string;
  readonly responderTimeoutMs: number;
  readonly responderBytes: number;
  readonly responderSenders: 'any' | 'not-failed' | 'verified';
  /** 0: no bound. */
  readonly responderIntervalMs: number;
  readonly responderAnswersPerHour: number;
  /** Absolute path; '' is a folder in the data folder. */
  readonly outbox: string;
  /** URL, or ''. */
  readonly smarthost: string;
  /** Absolute path of the file with the password, or ''. */
  readonly smarthostPassword: string;
  readonly outgoingMs: number;
  /** Address, or '' for nobody. */
  readonly forwardTo: string;
  readonly forwardInboxes: readonly string[];
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly maxConnections: number;
  readonly httpMaxConnections: number;
  /** 0: no bound, as for the next two. */
  readonly httpClientConnections: number;
  /** In a minute. */
  readonly httpClientRequests: number;
  readonly httpClientHeld: number;
  readonly commandTimeoutMs: number;
  readonly dataTimeoutMs: number;
  readonly sinkTimeoutMs: number;
  /** How long a stopping daemon waits for transactions in flight. */
  readonly graceMs: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly logFormat: 'auto' | 'json' | 'pretty';
  /** Absolute path; '' is standard output. */
  readonly logFile: string;
  /** What `parseSyslog` reads, or ''. */
  readonly syslog: string;
  readonly syslogPrefix: string;
  /** Name or number of whom to become, or ''. */
  readonly user: string;
  readonly group: string;
  /** Root may stay root. */
  readonly allowRoot: boolean;
  /** Go to the background. */
  readonly daemon: boolean;
  /** Absolute path, or ''. */
  readonly pidFile: string;
  /** Absolute path, or ''. */
  readonly workDir: string;
}

/** Options that only shape the default listeners; `Config.listen` is what comes of them. */
export interface Shorthands {
  readonly host: string;
  readonly port: number;
  readonly httpPort: number;
  readonly smtp: boolean;
  readonly http: boolean;
}

/** What the table of options yields before the listeners are worked out; `listen` is empty if none was named. */
export type Settings = Config & Shorthands;

/** What a program may pass: any part of a Config, with listeners and sink also as they are written in a file. */
export type ConfigInput = Partial<
  Omit<Config, 'listen' | 'sink' | 'auth' | 'fingerSource' | 'milters' | 'webhooks' | 'responders'>
> & {
  readonly listen?: string | readonly string[] | readonly ListenAddress[];
  readonly sink?: string | SinkChoice;
  readonly auth?: string | AuthChoice;
  readonly fingerSource?: string | FingerSourceChoice;
  readonly milters?: readonly string[] | readonly MilterSettings[];
  /** By name, with the words that a file has; or as a Config has them. */
  readonly webhooks?: readonly WebhookChoice[] | Readonly<Record<string, object>>;
  readonly responders?: Readonly<Record<string, string>> | readonly AgentChoice[];
};
