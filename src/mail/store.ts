import type { Feed } from './feed.ts';
import type { Client, Message, WithProtocol } from './message.ts';
import type { Query } from './query.ts';
import type { Verification } from './verification.ts';

/** One mailbox address of a header field, decoded for display. */
export interface Address {
  readonly name: string;
  readonly address: string;
}

/** The parts of a stored message that a list shows. Fields a message lacks are empty, never absent. */
export interface Summary {
  readonly id: string;
  /** Message-ID without angle brackets. */
  readonly messageId: string;
  readonly read: boolean;
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** Bcc field plus envelope recipients that no header field names. */
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly receivedAt: Date;
  /** Stays when the bounds on age and on messages per inbox would remove it; the bound on octets takes it last. */
  readonly pinned: boolean;
  /** Given by people, in the order of their names. */
  readonly tags: readonly string[];
  /** Octets of the content as readers see it. */
  readonly bytes: number;
  /** Number of attachments. */
  readonly attachments: number;
  /** Start of the text, white space collapsed. */
  readonly snippet: string;
  /** Inboxes it lies in. */
  readonly inboxes: readonly string[];
  readonly bareNewlines: boolean;
  /** User who logged in to hand it in; '' where nobody had to. */
  readonly login: string;
  /** Null when nobody asked who sent it. */
  readonly verification: Verification | null;
  /** Why it is kept from its readers' eyes until somebody releases it; null when it is not. */
  readonly quarantine: string | null;
}

/** One recipient of the envelope as it was given, and the inbox that it went to. */
export interface StoredRecipient {
  readonly address: string;
  readonly params: Readonly<Record<string, string | true>>;
  readonly inbox: string;
  /** What followed `+` in the local part, or ''. */
  readonly tag: string;
}

export interface StoredEnvelope {
  /** '' for the null reverse-path. */
  readonly from: string;
  readonly fromParams: Readonly<Record<string, string | true>>;
  readonly to: readonly StoredRecipient[];
}

/** What came, as far as filters changed it. */
export interface ReceivedForm {
  readonly envelope: StoredEnvelope;
  /** Octets of the content as it came; null when filters left that alone. */
  readonly bytes: number | null;
}

/**
 * Which content of a message: the one that came, byte for byte, or what filters made of it. They are the same where
 * filters changed nothing.
 */
export type ContentForm = 'received' | 'edited';

/** A summary with all that is kept beside the content: of the message as filters left it, which is what readers see. */
export interface StoredMessage extends Summary {
  readonly envelope: StoredEnvelope;
  /** What came, where filters changed it; else null. */
  readonly received: ReceivedForm | null;
  readonly client: Client;
  readonly protocol: WithProtocol;
  readonly session: string;
  readonly transcript: readonly string[];
}

/** What to list: newest first unless it says otherwise, after `cursor` or skipping `start`, at most `limit` (all when absent). */
export interface ListQuery {
  readonly inbox?: string;
  readonly query?: Query;
  /** Globs of inboxes, `*` for any characters: only messages that lie in one of them. */
  readonly scope?: readonly string[];
  readonly limit?: number;
  readonly start?: number;
  /** `next` of another page with the same conditions. Messages that came since are not on the pages that follow. */
  readonly cursor?: string;
  /** Only messages received before this. */
  readonly before?: Date;
  /** Whether to count all that match; it can take far longer than the page. */
  readonly counts?: boolean;
  /** How far to count what matches at most, where not all of it is counted; less far where that would take long. */
  readonly countTo?: number;
  /** Whether to begin with the oldest. */
  readonly oldestFirst?: boolean;
}

export interface Page {
  readonly messages: readonly Summary[];
  /** Cursor of the page that follows; absent on the last. */
  readonly next?: string;
  /** All that match, on whatever page; when asked for by `counts` or, as far as that goes, by `countTo`. */
  readonly matches?: number;
  /** True if there are more than `matches`: counting ended there. */
  readonly isMore?: boolean;
  readonly unreadMatches?: number;
}

/** Which inboxes to list: the one with the newest message first. */
export interface InboxQuery {
  /** A part of the name, without regard to case. */
  readonly contains?: string;
  readonly scope?: readonly string[];
  readonly limit?: number;
  readonly cursor?: string;
}

export interface InboxPage {
  readonly inboxes: readonly InboxSummary[];
  readonly next?: string;
}

export interface InboxSummary {
  readonly inbox: string;
  readonly messages: number;
  readonly unread: number;
  readonly bytes: number;
  readonly newest: Date;
}

export interface StoreStats {
  readonly messages: number;
  readonly unread: number;
  readonly inboxes: number;
  /** Octets of all contents, in each form that is kept. */
  readonly contentBytes: number;
  /** Octets of the files of the store. */
  readonly diskBytes: number;
  /** Octets inside those files that deleted messages have left and new ones will fill. */
  readonly reusableBytes: number;
  /** Messages whose text no search finds yet. */
  readonly unindexed: number;
  /** Deleted since the store was opened, by retention too. */
  readonly deleted: number;
  /** Where it is, for people: a path, or `:memory:`. */
  readonly location: string;
}

/**
 * Which messages a change is about. With a `scope` only those in inboxes of it, and to remove them is to take them out
 * of those inboxes.
 */
export type Selection =
  | { readonly ids: readonly string[]; readonly scope?: readonly string[] }
  | { readonly query: Query; readonly scope?: readonly string[] }
  /** With `ids` only those of them that lie in it. */
  | { readonly inbox: string; readonly ids?: readonly string[] }
  | { readonly all: true };

/**
 * What to change about messages; what is absent stays. `tags` are all that there shall be, then come `removeTags` and
 * `addTags`. Case does not tell tags apart; the first way to write one stays.
 */
export interface MessageChange {
  readonly read?: boolean;
  readonly pinned?: boolean;
  readonly tags?: readonly string[];
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
  /** Null releases it; a reason puts it into quarantine. */
  readonly quarantine?: string | null;
}

/** What is learnt about a message after it was taken; what is absent stays. */
export interface Annotation {
  readonly verification?: Verification;
}

/** A message that waits to be verified, as far as that needs it. */
export interface PendingMessage {
  readonly id: string;
  /** The sender that came, whatever filters made of it; '' for the null reverse-path. */
  readonly mailFrom: string;
  readonly client: Client;
}

/** A tag that is longer is cut; of more on one message the last by name go. */
export const TAG_LIMITS = Object.freeze({ characters: 100, perMessage: 100 });

/** A reason for quarantine that is longer is cut. */
export const QUARANTINE_CHARACTERS = 500;

/**
 * Keeps messages. Every method is asynchronous so that no caller waits for a disk on the event loop.
 * Errors of the system keep their `code` (ENOSPC, EDQUOT, EIO, EROFS ...).
 */
export interface Store {
  /**
   * Keeps a message; when it resolves, the message is on disk and every later read sees it. Saving the same id twice keeps one.
   * What came is kept beside what filters made of it. Takes the contents' bytes but leaves `release` to the caller.
   */
  save(message: Message): Promise<void>;
  /**
   * Like `save`, but resolves as soon as the message is on disk, where it will be found after a crash: every read of
   * this store sees it, reports and events of it follow within milliseconds.
   */
  accept(message: Message): Promise<void>;
  list(query: ListQuery): Promise<Page>;
  /** Undefined for an unknown id. */
  get(id: string): Promise<StoredMessage | undefined>;
  /** The bytes exactly as sent, or as filters left them (`edited`); undefined for an unknown id. */
  content(
    id: string,
    form?: ContentForm,
  ): Promise<{ readonly bytes: number; stream(): AsyncIterable<Buffer> } | undefined>;
  inboxes(query?: InboxQuery): Promise<InboxPage>;
  /** Resolves with the ids removed. With `inbox`, takes the messages out of that inbox only; a message in no inbox is gone. */
  remove(selection: Selection): Promise<readonly string[]>;
  /** Resolves with the ids of those that are not what they were. */
  change(selection: Selection, change: MessageChange): Promise<readonly string[]>;
  /**
   * Writes down what was learnt about a message; the same twice changes nothing. When it resolves, it is on disk and
   * the feed has told of it. False for an unknown id.
   */
  annotate(id: string, annotation: Annotation): Promise<boolean>;
  /** Messages whose verification is pending, oldest first, at most `limit`, behind that of the id `after`. */
  pending(limit: number, after?: string): Promise<readonly PendingMessage[]>;
  /** How many messages have each tag. */
  tags(): Promise<ReadonlyMap<string, number>>;
  readonly feed: Feed;
  stats(): Promise<StoreStats>;
  /** True while it can take messages; false when the disk refuses. */
  ready(): Promise<boolean>;
  /** False once nothing but opening it anew would help: something that it is made of has died. */
  readonly isAlive: boolean;
  /** Writes what waits, then closes. */
  close(): Promise<void>;
}
