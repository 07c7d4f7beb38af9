/** What the daemon's API speaks of, as `/api` writes it. */

export interface Address {
  readonly name: string;
  readonly address: string;
}

export interface Summary {
  readonly id: string;
  readonly inboxes: readonly string[];
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly messageId: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly bytes: number;
  /** How many. */
  readonly attachments: number;
  readonly snippet: string;
  readonly read: boolean;
  readonly pinned: boolean;
  readonly tags: readonly string[];
  readonly bareNewlines: boolean;
  /** Why a filter wants it kept from its readers; null when it is not, or was released. */
  readonly quarantine: string | null;
}

export interface Part {
  readonly part: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly contentId: string;
  readonly bytes: number;
  readonly checksums: { readonly md5: string; readonly sha1: string; readonly sha256: string };
  readonly disposition: string;
}

/** A node of the tree of parts. */
export interface Structure {
  /** Path, as in `1.2`; '' for what holds all others. */
  readonly part: string;
  readonly contentType: string;
  readonly charset: string;
  readonly encoding: string;
  readonly fileName: string;
  readonly contentId: string;
  /** Null for what holds others. */
  readonly disposition: 'attachment' | 'inline' | null;
  readonly bytes: number;
  readonly children: readonly Structure[];
}

export type Params = Readonly<Record<string, string | true>>;

export interface Code {
  readonly code: string;
  readonly context: string;
  readonly confidence: number;
}

export interface Link {
  readonly url: string;
  readonly text: string;
  readonly kind: string;
}

interface Finding {
  /** Word of RFC 8601, such as `pass`. */
  readonly result: string;
  readonly domain: string;
  /** For people; '' where the result says all. */
  readonly reason: string;
}

/** What is known of who sent a message. */
export interface Verification {
  readonly status: 'pending' | 'done' | 'failed';
  readonly reason: string;
  readonly spf: (Finding & { readonly identity: 'mailfrom' | 'helo' }) | null;
  readonly dkim: readonly (Finding & { readonly selector: string; readonly algorithm: string })[];
  readonly dmarc: (Finding & { readonly policy: string }) | null;
  readonly arc: (Finding & { readonly instances: number }) | null;
}

export interface EditedField {
  readonly name: string;
  readonly value: string;
}

/** What filters changed. */
export interface Edits {
  readonly headers: {
    readonly added: readonly EditedField[];
    readonly removed: readonly EditedField[];
    readonly changed: readonly { readonly name: string; readonly before: string; readonly after: string }[];
    readonly isRearranged: boolean;
  };
  readonly body: boolean;
  readonly sender: { readonly before: string; readonly after: string } | null;
  readonly recipients: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly bytes: { readonly received: number; readonly edited: number };
}

/** The source that was sent, or what filters made of it. */
export type Form = 'received' | 'edited';

/** A message opened: what a list shows and all that is in it. */
export interface Message extends Omit<Summary, 'attachments'> {
  readonly date: string | null;
  readonly text: string;
  readonly html: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly Part[];
  readonly inline: readonly Part[];
  readonly structure: Structure;
  readonly envelope: {
    readonly from: string;
    readonly fromParams: Params;
    readonly to: readonly {
      readonly address: string;
      readonly inbox: string;
      readonly tag: string;
      readonly params: Params;
    }[];
  };
  readonly client: {
    readonly address: string;
    readonly port: number;
    readonly hello: string;
    readonly tls?: {
      readonly version: string;
      readonly cipher: string;
      readonly serverName?: string;
      readonly subject?: string;
    };
    readonly login?: { readonly mechanism: string; readonly user: string };
  };
  readonly protocol: string;
  readonly session: string;
  readonly transcript: readonly string[];
  /** Null when nobody asked who sent it. */
  readonly verification: Verification | null;
  readonly codes: readonly Code[];
  readonly links: readonly Link[];
  /** Null when filters changed nothing. */
  readonly edits: Edits | null;
}

export interface InboxSummary {
  readonly inbox: string;
  readonly messages: number;
  readonly unread: number;
  readonly bytes: number;
  readonly newest: string;
}

export interface Info {
  readonly version: string;
  readonly hostname: string;
  readonly listeners: readonly { readonly protocol: string; readonly url: string }[];
  readonly messages: number;
  readonly unread: number;
  readonly inboxes: number;
  readonly bytes: number;
  /** Id of the newest event. */
  readonly feed: number;
  readonly auth: 'none' | 'required';
  readonly rights: readonly string[];
}

export interface MessagePage {
  readonly messages: readonly Summary[];
  readonly next: string | null;
  readonly matches?: number;
  /** More than `matches` match. */
  readonly isMore?: boolean;
}

export interface InboxPage {
  readonly inboxes: readonly InboxSummary[];
  readonly next: string | null;
}

/** What happened to a message. */
export interface Change {
  readonly type: 'received' | 'deleted' | 'changed';
  readonly id: string;
  readonly inboxes: readonly string[];
  readonly at: string;
  readonly message?: Summary;
}

/** What can be changed on a message without touching its content. */
export interface Marks {
  readonly read?: boolean;
  readonly pinned?: boolean;
  readonly tags?: readonly string[];
  /** Null releases it. */
  readonly quarantine?: string | null;
}

/** What can be changed on many at once: one of these, so that it can be taken back. */
export interface ManyMarks {
  readonly read?: boolean;
  readonly pinned?: boolean;
  readonly addTags?: readonly [string];
  readonly removeTags?: readonly [string];
}
