import type { Code } from '../mail/codes.ts';
import { chooseLink } from '../mail/links/choose.ts';
import type { Link, LinkKind } from '../mail/links.ts';
import type { MailPart, ParsedHeader } from '../mail/mime.ts';
import { type OpenedMail, openMail } from '../mail/opened-mail.ts';
import type { Address, StoredMessage } from '../mail/store.ts';
import { visible } from '../report/visible.ts';

/** A part of a mail that is not its text. */
export type Attachment = MailPart;

const SHOWN_CHARACTERS = 300;

/** A mail that has come, taken apart; one that filters changed, as they left it. */
export class TestMessage {
  readonly id: string;
  readonly subject: string;
  /** Of the From field; null if there is none. */
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** What SMTP was told: the sender (`''` for a bounce) and every recipient, blind copies included. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly receivedAt: Date;
  /** Why a filter wants it kept from its readers; null when none does. */
  readonly quarantine: string | null;
  /** All header fields in their order, as written. */
  readonly headers: readonly ParsedHeader[];
  /** The text of the mail; of one that has only HTML, what can be read of it. */
  readonly text: string;
  /** The HTML as it was sent; null if there is none. */
  readonly html: string | null;
  /** One-time codes, the likeliest first. */
  readonly codes: readonly Code[];
  /** Links in order of appearance, each with what it is for. */
  readonly links: readonly Link[];
  readonly attachments: readonly Attachment[];
  /** Parts that belong to the HTML, such as its images. */
  readonly inline: readonly Attachment[];
  readonly #raw: Buffer;

  /** Use `openMessage`. */
  constructor(stored: StoredMessage, raw: Buffer, opened: OpenedMail) {
    const { html, parts } = opened;
    this.id = stored.id;
    this.subject = stored.subject;
    this.from = stored.from;
    this.to = stored.to;
    this.cc = stored.cc;
    this.envelope = { from: stored.envelope.from, to: stored.envelope.to.map(({ address }) => address) };
    this.receivedAt = stored.receivedAt;
    this.quarantine = stored.quarantine;
    this.headers = opened.headers;
    this.text = opened.shownText;
    this.html = html === '' ? null : html;
    this.codes = opened.codes;
    this.links = opened.links;
    this.attachments = parts.filter(({ place }) => place === 'attachment');
    this.inline = parts.filter(({ place }) => place === 'inline');
    this.#raw = raw;
  }

  /**
   * The likeliest one-time code.
   * @throws Error if none was found; `codes` is empty then
   */
  get code(): string {
    const [best] = this.codes;
    if (best === undefined)
      throw new Error(`No code in ${this.#named()}. Its text: ${visible(this.text.trim(), SHOWN_CHARACTERS)}`);
    return best.code;
  }

  /**
   * The address of the link to follow: with a kind the first of that kind, without one what the mail is about (verify,
   * reset or magic, else the first that does not unsubscribe).
   * @throws Error if there is none
   */
  link(kind?: LinkKind): string {
    const found = chooseLink(this.links, kind);
    if (found !== undefined) return found.url;
    const there = this.links.map((link) => `${link.kind} ${visible(link.url)}`).join(', ');
    const wanted = kind === undefined ? 'link to follow' : `link of the kind ${kind}`;
    throw new Error(`No ${wanted} in ${this.#named()}. ${there === '' ? 'It has no links.' : `It has: ${there}`}`);
  }

  /** The bytes of the mail exactly as they were sent, whatever filters made of it. */
  raw(): Buffer {
    return Buffer.from(this.#raw);
  }

  #named(): string {
    return `the mail "${visible(this.subject)}"`;
  }
}

/**
 * Takes a stored message apart.
 * @param contents as it was sent, and as filters left it
 */
export async function openMessage(
  stored: StoredMessage,
  { sent, shown }: { readonly sent: AsyncIterable<Buffer>; readonly shown: AsyncIterable<Buffer> },
): Promise<TestMessage> {
  return new TestMessage(stored, await gather(sent), await openMail(await gather(shown)));
}

async function gather(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
