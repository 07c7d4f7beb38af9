import { type Code, findCodes } from './codes.ts';
import { htmlToText } from './html-text.ts';
import { findLinks, type Link } from './links.ts';
import { type ParsedMail, parseMessage } from './mime.ts';

/** A mail taken apart, with all that is found in its text: whoever shows it has nothing left to search. */
export interface OpenedMail extends ParsedMail {
  /** The text; of a mail that has only HTML, what can be read of it. */
  readonly shownText: string;
  /** What can be read of the HTML; '' if there is none. */
  readonly htmlText: string;
  /** One-time codes, the likeliest first. */
  readonly codes: readonly Code[];
  /** Links in order of appearance, each with what it is for. */
  readonly links: readonly Link[];
}

/** Opens a mail. Slow for hostile ones, as taking it apart is; never throws. */
export async function openMail(raw: Buffer): Promise<OpenedMail> {
  const parsed = await parseMessage(raw);
  const { subject, text, html, listUnsubscribe } = parsed;
  const htmlText = htmlToText(html);
  return {
    ...parsed,
    shownText: text === '' ? htmlText : text,
    htmlText,
    codes: findCodes({ subject, text, html }),
    links: findLinks({ text, html, listUnsubscribe }),
  };
}
