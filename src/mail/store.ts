import type { Client, Message, WithProtocol } from './message.ts';

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
  readonly tags: readonly string[];
  /** Octets of the raw message. */
  readonly bytes: number;
  /** Number of attachments. */
  readonly attachments: number;
  /** Start of the text, white space collapsed. */
  readonly snippet: string;
  /** Inboxes it lies in. */
  readonly inboxes: readonly string[];
  readonly bareNewlines: boolean;
}

/** One recipient of the envelope as it was given, and the inbox that it went to. */
export interface StoredRecipient {
  readonly address: string;
  readonly params: Readonly<Record<string, string | true>>;
  readonly inbox: string;
  /** What followed `+` in the local part, or ''. */
  readonly tag: string;
}

/** A summary with all that is kept beside the content. */
export interface StoredMessage extends Summary {
  readonly envelope: {
    /** '' for the null reverse-path. */
    readonly from: string;
    readonly fromParams: Readonly<Record<string, string | true>>;
    readonly to: readonly StoredRecipient[];
  };
  readonly client: Client;
  readonly protocol: WithProtocol;
  readonly session: string;
  readonly transcript: readonly string[];
}

/** One condition; a list of them must all hold. `text` is compared without regard to case, as a substring. */
export interface Term {
  readonly field: 'any' | 'from' | 'to' | 'cc' | 'bcc' | 'reply-to' | 'addressed' | 'subject' | 'message-id' | 'tag' | 'is' | 'inbox';
  readonly text: string;
  readonly negated: boolean;
}

/** What to list: newest first, skipping `start`, at most `limit` (all when absent). */
export interface ListQuery {
  readonly inbox?: string;
  readonly terms?: readonly Term[];
  readonly start?: number;
  readonly limit?: number;
  /** Only messages received before this. */
  readonly before?: Date;
}

export interface Page {
  readonly messages: readonly Summary[];
  /** All that match, on whatever page. */
  readonly matches: number;
  readonly unreadMatches: number;
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
  /** Octets of all raw messages. */
  readonly contentBytes: number;
  /** Octets of the files of the store. */
  readonly diskBytes: number;
  /** Octets inside those files that deleted messages have left and new ones will fill. */
  readonly reusableBytes: number;
  /** Deleted since the store was opened, by retention too. */
  readonly deleted: number;
  /** Where it is, for people: a path, or `:memory:`. */
  readonly location: string;
}

/** Which messages a change is about. */
export type Selection =
  | { readonly ids: readonly string[] }
  | { readonly inbox: string }
  | { readonly terms: readonly Term[] }
  | { readonly all: true };

/**
 * Keeps messages. Every method is asynchronous so that no caller waits for a disk on the event loop.
 * Errors of the system keep their `code` (ENOSPC, EDQUOT, EIO, EROFS ...).
 */
export interface Store {
  /**
   * Keeps a message; when it resolves, the message is on disk and every later read sees it. Saving the same id twice keeps one.
   * Takes the content's bytes but leaves `release` to the caller.
   */
  save(message: Message): Promise<void>;
  list(query: ListQuery): Promise<Page>;
  /** `latest` gives the newest of those that match `terms`. Nothing found is undefined. */
  get(id: string): Promise<StoredMessage | undefined>;
  /** The bytes exactly as sent; undefined for an unknown id. */
  content(id: string): Promise<{ readonly bytes: number; stream(): AsyncIterable<Buffer> } | undefined>;
  inboxes(query?: { readonly contains?: string; readonly limit?: number }): Promise<readonly InboxSummary[]>;
  /** Resolves with the ids removed. With `inbox`, takes the messages out of that inbox only; a message in no inbox is gone. */
  remove(selection: Selection): Promise<readonly string[]>;
  /** Resolves with the ids whose state really changed. */
  markRead(selection: Selection, read: boolean): Promise<readonly string[]>;
  stats(): Promise<StoreStats>;
  /** True while it can take messages; false when the disk refuses. */
  ready(): Promise<boolean>;
  /** Writes what waits, then closes. */
  close(): Promise<void>;
}
