import { type Code, findCodes } from '../../mail/codes.ts';
import { htmlToText } from '../../mail/html-text.ts';
import { findLinks, type Link } from '../../mail/links.ts';
import type { MailPart, ParsedMail } from '../../mail/mime.ts';
import type { InboxSummary, StoredMessage, Summary } from '../../mail/store.ts';

/** The objects of the native API. */

export function toInbox({ inbox, messages, unread, bytes, newest }: InboxSummary): object {
  return { inbox, messages, unread, bytes, newest: newest.toISOString() };
}

/** A message in a list. */
export function toSummary(message: Summary) {
  return {
    id: message.id,
    inboxes: message.inboxes,
    from: message.from,
    to: message.to,
    cc: message.cc,
    bcc: message.bcc,
    replyTo: message.replyTo,
    subject: message.subject,
    messageId: message.messageId,
    receivedAt: message.receivedAt.toISOString(),
    bytes: message.bytes,
    attachments: message.attachments,
    snippet: message.snippet,
    read: message.read,
    pinned: message.pinned,
    tags: message.tags,
    bareNewlines: message.bareNewlines,
  };
}

/** One message, taken apart. */
export function toMessage(stored: StoredMessage, parsed: ParsedMail): object {
  const { codes, links } = findingsOf(stored, parsed);
  const { from, fromParams, to } = stored.envelope;
  return {
    ...toSummary(stored),
    date: parsed.date?.toISOString() ?? null,
    text: textOf(parsed),
    html: parsed.html === '' ? null : parsed.html,
    headers: parsed.headers.map(({ name, value }) => ({ name, value })),
    attachments: parsed.parts.filter(({ place }) => place === 'attachment').map(toPart),
    inline: parsed.parts.filter(({ place }) => place === 'inline').map(toPart),
    envelope: {
      from,
      fromParams,
      to: to.map(({ address, inbox, tag, params }) => ({ address, inbox, tag, params })),
    },
    client: stored.client,
    protocol: stored.protocol,
    session: stored.session,
    transcript: stored.transcript,
    codes,
    links,
  };
}

/** The text of a mail; of one that has only HTML, what can be read of it. */
export function textOf(parsed: ParsedMail): string {
  return parsed.text === '' ? htmlToText(parsed.html) : parsed.text;
}

function toPart(part: MailPart): object {
  return {
    part: part.partId,
    fileName: part.fileName,
    contentType: part.contentType,
    contentId: part.contentId,
    bytes: part.bytes,
    checksums: part.checksums,
    disposition: part.place,
  };
}

interface Findings {
  readonly codes: readonly Code[];
  readonly links: readonly Link[];
}

/** What was found in mails that are still kept taken apart. */
const found = new WeakMap<ParsedMail, Findings>();

function findingsOf({ subject }: StoredMessage, parsed: ParsedMail): Findings {
  const known = found.get(parsed);
  if (known !== undefined) return known;
  const { text, html, listUnsubscribe } = parsed;
  const findings = {
    codes: findCodes({ subject, text, html }).map(({ code, context, confidence }) => ({ code, context, confidence })),
    links: findLinks({ text, html, listUnsubscribe }),
  };
  found.set(parsed, findings);
  return findings;
}
