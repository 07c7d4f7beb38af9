import type { Phase } from './filter.ts';
import type { Message, TlsFacts } from './message.ts';

/** What happened, told to whoever listens; a report decides nothing. */
export type Report =
  | { readonly type: 'listening'; readonly protocol: string; readonly url: string }
  | { readonly type: 'session-start'; readonly protocol: string; readonly session: string; readonly address: string }
  | {
      readonly type: 'session-end';
      readonly protocol: string;
      readonly session: string;
      readonly address: string;
      readonly hello: string;
      /** The session ended encrypted. */
      readonly tls?: TlsFacts;
      readonly messages: number;
      readonly commands: number;
      readonly failures: number;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly milliseconds: number;
      /** Why it ended: `quit`, `closed` by the client, `timeout`, `shutdown`, `failures`, `unread` replies, `refused`, a `handshake` that failed, `error`. */
      readonly reason: string;
      /** What went wrong with the encryption, if something did. */
      readonly trouble?: string;
    }
  | {
      /** A trusted client says whom it speaks for. */
      readonly type: 'speaks-for';
      readonly protocol: string;
      readonly session: string;
      readonly by: string;
      readonly address: string;
    }
  | {
      /** A client logged in. */
      readonly type: 'login';
      readonly protocol: string;
      readonly session: string;
      readonly address: string;
      readonly mechanism: string;
      readonly user: string;
    }
  | {
      readonly type: 'login-refused';
      readonly protocol: string;
      readonly session: string;
      readonly address: string;
      readonly mechanism: string;
      /** `wrong` credentials, `blocked` after too many of them, or `busy`. */
      readonly why: string;
      /** The user, if there is one of that name, else ''. */
      readonly user: string;
    }
  | {
      /** A message was disposed of, or refused after its content had come. */
      readonly type: 'message';
      readonly protocol: string;
      readonly session: string;
      readonly message: Message;
      readonly code: number;
      readonly text: string;
      /** From the final dot to the verdict. */
      readonly milliseconds: number;
      /** The filter that had it accepted and thrown away. */
      readonly discardedBy?: string;
    }
  | {
      /** The client was told no. */
      readonly type: 'refusal';
      readonly protocol: string;
      readonly session: string;
      readonly address: string;
      /** Where in the conversation; `command` is a line that belongs to no phase of a transaction. */
      readonly phase: Phase | 'command';
      /** One of a few words, fit to count by. */
      readonly reason: string;
      /** The filter whose word it was. */
      readonly filter?: string;
      /** Absent where the protocol has no codes. */
      readonly code?: number;
      readonly text: string;
    }
  | {
      /** An endpoint of notices was bound, or not; it was given up by its client, or dropped by us. */
      readonly type: 'binding';
      readonly event: 'bound' | 'refused' | 'left' | 'dropped';
      readonly user: string;
      readonly address: string;
      /** 0 where the client named none that could be. */
      readonly port: number;
      /** '' where no session had to do with it. */
      readonly session: string;
      /** '' if the client wanted it so. */
      readonly why: string;
      /** Bindings that there are now. */
      readonly bound: number;
    }
  | {
      /** An endpoint was told of a message, or could not be, or had too many notices waiting. */
      readonly type: 'notice';
      readonly result: 'sent' | 'failed' | 'dropped';
      readonly message: string;
      readonly address: string;
      readonly port: number;
      readonly why: string;
    }
  /** The daemon has more to do than it can, or less again; `percent` is the share of the limit that was met. */
  | {
      readonly type: 'load';
      readonly level: 'calm' | 'strained' | 'overloaded';
      readonly cause: LoadCause;
      readonly percent: number;
    }
  /** Something is refused for a while, whoever comes with it. */
  | { readonly type: 'ban'; readonly kind: 'subject'; readonly what: string; readonly milliseconds: number }
  /** A block list stopped answering, or answers again. */
  | { readonly type: 'block-list'; readonly zone: string; readonly works: boolean; readonly why: string }
  /** A reply was held back. */
  | {
      readonly type: 'tarpit';
      readonly session: string;
      readonly address: string;
      readonly reason: string;
      readonly milliseconds: number;
    }
  | {
      /** Something of ours threw: a handler, a sink, a filter. The client was told 451. */
      readonly type: 'crash';
      readonly where: string;
      readonly session?: string;
      readonly state?: string;
      readonly error: unknown;
    }
  | {
      /** A milter had its say, on a command or on a whole message. */
      readonly type: 'milter';
      readonly milter: string;
      readonly session: string;
      readonly phase: Phase;
      readonly verdict: MilterVerdict;
      /** Of its refusal. */
      readonly code?: number;
      readonly milliseconds: number;
      /** What it changed in a message. */
      readonly edits?: readonly FilterEdit[];
    }
  | {
      /** A milter cannot be asked any more in this session. */
      readonly type: 'milter-failure';
      readonly milter: string;
      readonly session: string;
      readonly phase: Phase;
      /** One of a few words. */
      readonly why: string;
      /** The same at length. */
      readonly text: string;
      /** What is done in place of its answers. */
      readonly action: string;
    }
  /** A milter wanted what it may not have; the rest of its answer counts. */
  | { readonly type: 'milter-oddity'; readonly milter: string; readonly session: string; readonly text: string }
  | {
      /** A command that disposes of messages has run; one that came to no end of its own is a crash of its sink too. */
      readonly type: 'command';
      readonly program: string;
      readonly session: string;
      /** Null where it was killed, or could not be started. */
      readonly exitCode: number | null;
      readonly milliseconds: number;
      /** First line of its standard error. */
      readonly errors: string;
    }
  | {
      /** What became of a mail that an agent was to answer, or that was to be forwarded. */
      readonly type: 'responder';
      readonly kind: 'answer' | 'forward';
      readonly message: string;
      readonly inbox: string;
      /** File of the agent; '' where none has a part in it. */
      readonly agent: string;
      /** `queued`, `silent`, or one of a few words for why not, fit to count by. */
      readonly outcome: string;
      /** More about it, or ''. */
      readonly why: string;
      readonly milliseconds: number;
      readonly error?: unknown;
    }
  | {
      /** A mail of ours has left, or could not. */
      readonly type: 'outgoing';
      readonly kind: 'answer' | 'forward';
      readonly message: string;
      readonly inbox: string;
      readonly recipient: string;
      readonly attempts: number;
      readonly result: 'sent' | 'refused' | 'later' | 'expired' | 'unknown';
      /** What took it, or why nothing did. */
      readonly detail: string;
    }
  | {
      /** The file of an agent is new or has changed, cannot be used, is gone, or has printed something. */
      readonly type: 'agent';
      readonly event: 'loaded' | 'unusable' | 'gone' | 'printed';
      readonly source: string;
      /** Why it cannot be used, or what it has printed. */
      readonly why: string;
    }
  | {
      /** A certificate has come into use, or its end is near or over. */
      readonly type: 'certificate';
      readonly event: CertificateEvent;
      readonly names: readonly string[];
      /** SHA-256. */
      readonly fingerprint: string;
      readonly expires: Date;
      /** '' if only memory holds it. */
      readonly file: string;
    }
  /** Certificate files that were read again cannot be used; the certificates in use stay. */
  | { readonly type: 'certificate-refused'; readonly error: unknown }
  /** A certificate of our own could not be written down; the next start makes another. */
  | { readonly type: 'certificate-unkept'; readonly error: unknown }
  /** Messages are safe on disk and acknowledged, in the intake log of the store; its tables take them next. */
  | { readonly type: 'logged'; readonly messages: number; readonly milliseconds: number }
  /** The store took in messages (after the commit); the source of live events. */
  | {
      readonly type: 'stored';
      readonly ids: readonly string[];
      /** What the commit of this group took, fsync included. */
      readonly commitMs: number;
    }
  | {
      /** HTTP answered. */
      readonly type: 'request';
      readonly method: string;
      /** The route as it is declared, `/api/messages/:id`; '' where there is none. */
      readonly route: string;
      readonly code: number;
      readonly milliseconds: number;
    }
  | {
      /** One attempt to tell a webhook of a message; `later` is to be tried again, `dead` is given up. */
      readonly type: 'webhook';
      /** Its name: what else its URL holds may be a secret. */
      readonly target: string;
      readonly host: string;
      readonly delivery: string;
      readonly outcome: 'delivered' | 'later' | 'dead';
      /** How many there were, this one included. */
      readonly attempt: number;
      /** Of the reply; 0 if there was none. */
      readonly status: number;
      readonly why: string;
      readonly milliseconds: number;
    }
  /** A file of secrets of webhooks that was read again cannot be used; the secrets in use stay. */
  | { readonly type: 'webhook-secrets'; readonly error: unknown }
  /** A webhook works again, or has said that it is gone for good and is left alone. */
  | {
      readonly type: 'webhook-state';
      readonly target: string;
      readonly host: string;
      readonly state: 'works' | 'stopped';
      readonly why: string;
    }
  /** More waited for a webhook than may: the oldest became dead letters, and the oldest of those are forgotten. */
  | {
      readonly type: 'webhook-overflow';
      readonly target: string;
      readonly buried: number;
      readonly forgotten: number;
    }
  | { readonly type: 'deleted'; readonly ids: readonly string[]; readonly why: 'asked' | 'retention' };

/** What a milter can say; a refusal is for good or for now by its code. */
export type MilterVerdict = 'continue' | 'accept' | 'discard' | 'skip' | 'reject' | 'tempfail';

/** A change that a filter has made to a message, in words without controls. */
export interface FilterEdit {
  readonly edit:
    | 'add-header'
    | 'insert-header'
    | 'change-header'
    | 'delete-header'
    | 'replace-body'
    | 'add-recipient'
    | 'delete-recipient'
    | 'change-sender'
    | 'quarantine';
  /** What it is about: position and field, or address. */
  readonly what: string;
}

export type CertificateEvent = 'made' | 'loaded' | 'expiring' | 'expired';

/** What the daemon is short of. */
export type LoadCause = 'connections' | 'lag' | 'memory';

export type Reporter = (report: Report) => void;

/** A client was told no. */
export type Refusal = Extract<Report, { readonly type: 'refusal' }>;
