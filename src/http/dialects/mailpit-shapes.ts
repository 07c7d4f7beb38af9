import type { HeaderField } from '../../mail/headers.ts';
import type { MailPart } from '../../mail/mime.ts';
import type { OpenedMail } from '../../mail/opened-mail.ts';
import type { Address, Page, StoredMessage, StoreStats, Summary } from '../../mail/store.ts';

/** The objects of Mailpit's API, key for key. Lists that are empty are `[]`, never null. */

interface MailpitAddress {
  readonly Name: string;
  readonly Address: string;
}

function toAddress({ name, address }: Address): MailpitAddress {
  return { Name: name, Address: address };
}

/** A message in a list. */
export function toSummary(message: Summary): object {
  return {
    ID: message.id,
    MessageID: message.messageId,
    Read: message.read,
    From: message.from && toAddress(message.from),
    To: message.to.map(toAddress),
    Cc: message.cc.map(toAddress),
    Bcc: message.bcc.map(toAddress),
    ReplyTo: message.replyTo.map(toAddress),
    Subject: message.subject,
    Created: message.receivedAt.toISOString(),
    Username: message.login,
    Tags: message.tags,
    Size: message.bytes,
    Attachments: message.attachments,
    Snippet: message.snippet,
  };
}

/** A page of a list with the counts of the whole store. */
export function toPage(stats: StoreStats, page: Page, start: number, tags: readonly string[]): object {
  return {
    total: stats.messages,
    unread: stats.unread,
    count: page.messages.length,
    messages_count: page.matches ?? stats.messages,
    messages_unread: page.unreadMatches ?? stats.unread,
    start,
    tags,
    messages: page.messages.map(toSummary),
  };
}

/** One message, taken apart. */
export function toMessage(stored: StoredMessage, parsed: OpenedMail): object {
  const shown = parsed.parts.filter((part) => part.fileName !== '' || part.contentId !== '');
  return {
    ID: stored.id,
    MessageID: stored.messageId,
    From: stored.from && toAddress(stored.from),
    To: stored.to.map(toAddress),
    Cc: stored.cc.map(toAddress),
    Bcc: stored.bcc.map(toAddress),
    ReplyTo: stored.replyTo.map(toAddress),
    ReturnPath: parsed.returnPath || (stored.from?.address ?? ''),
    Subject: stored.subject,
    ListUnsubscribe: {
      Header: parsed.listUnsubscribe.header,
      Links: parsed.listUnsubscribe.links,
      Errors: parsed.listUnsubscribe.errors,
      HeaderPost: parsed.listUnsubscribe.headerPost,
    },
    Date: (parsed.date ?? stored.receivedAt).toISOString(),
    Tags: stored.tags,
    Username: stored.login,
    Text: parsed.shownText,
    HTML: parsed.html,
    Size: stored.bytes,
    Inline: shown.filter((part) => part.place === 'inline').map(toAttachment),
    Attachments: shown.filter((part) => part.place === 'attachment').map(toAttachment),
  };
}

function toAttachment(part: MailPart): object {
  return {
    PartID: part.partId,
    FileName: part.fileName || part.contentId,
    ContentType: part.contentType,
    ContentID: part.contentId,
    Size: part.bytes,
    Checksums: { MD5: part.checksums.md5, SHA1: part.checksums.sha1, SHA256: part.checksums.sha256 },
  };
}

/**
 * Writes header fields as one JSON object: canonical name to values, names sorted. As text, since no JavaScript object
 * holds every name in that order (`__proto__`, `1`).
 */
export function toHeadersJson(fields: readonly HeaderField[]): string {
  const byName = new Map<string, string[]>();
  for (const field of fields) {
    const name = canonicalName(field.name);
    const values = byName.get(name);
    if (values === undefined) byName.set(name, [field.text]);
    else values.push(field.text);
  }
  const names = [...byName.keys()].sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(byName.get(name))}`).join(',')}}`;
}

/** Brings a name to the form that Go's textproto gives it; one with other than token characters stays as it is. */
export function canonicalName(name: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
