import type { Address } from '../mail/store.ts';

/** A part of a mail that is not its text. */
export interface AgentAttachment {
  /** A stranger's word: no path, and not to be used as one. '' if it has none. */
  readonly fileName: string;
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** Without angle brackets; '' if it has none. */
  readonly contentId: string;
  /** Belongs to the text, such as images in HTML. */
  readonly isInline: boolean;
  readonly content: Uint8Array;
}

/** A mail as an agent gets it, taken apart. Everything in it is a stranger's word but `id`, `inbox` and `receivedAt`. */
export interface AgentMail {
  /** Id of the message in the store. */
  readonly id: string;
  /** Name of the inbox that it came to. */
  readonly inbox: string;
  /** Address that it was sent to, and that the answer comes from. */
  readonly address: string;
  /** What followed `+` in the local part of that, or ''. */
  readonly tag: string;
  /** The reverse-path: who gets the answer. */
  readonly sender: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** The From field; null if there is none. */
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  /** Line ends as LF; '' if there is none. */
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly AgentAttachment[];
  /** All fields in the order of the mail, unfolded, encoded-words not decoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Message-ID without angle brackets. */
  readonly messageId: string;
  /** Of the Date field; null if that is missing or no date. */
  readonly date: Date | null;
  readonly receivedAt: Date;
}

/** What an agent sends along. */
export interface AnswerAttachment {
  readonly fileName: string;
  readonly content: string | Uint8Array;
  /** Guessed by the file name if absent. */
  readonly contentType?: string;
}

/** What an agent answers: a text, or HTML, or attachments at least. */
export interface Answer {
  /** `Re: ` and the subject of the mail if absent. */
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly AnswerAttachment[];
  /** Further fields: `X-` ones, Organization, Keywords, Comments, Content-Language, Importance, Priority, Sensitivity. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers the mail of an inbox, or does not: then it gives nothing. It runs in a thread of its own that ends when it takes
 * too long or too much memory; what it throws is reported. One mail at a time and module, though several threads may run
 * it at once.
 */
export type Agent = (
  mail: AgentMail,
) => Answer | null | undefined | void | Promise<Answer | null | undefined> | Promise<void>;
