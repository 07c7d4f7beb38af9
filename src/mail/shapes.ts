import type { Edits } from './edits.ts';
import type { MailPart } from './mime.ts';
import type { PartNode } from './mime-tree.ts';
import type { OpenedMail } from './opened-mail.ts';
import type { InboxSummary, StoredMessage, Summary } from './store.ts';

/** Mail as JSON: the objects of the native API, and of what webhooks are told. */

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
    quarantine: message.quarantine,
  };
}

/** One message, taken apart. */
export function toMessage(stored: StoredMessage, parsed: OpenedMail, edits: Edits | null): object {
  const { from, fromParams, to } = stored.envelope;
  return {
    ...toSummary(stored),
    date: parsed.date?.toISOString() ?? null,
    text: parsed.shownText,
    html: parsed.html === '' ? null : parsed.html,
    headers: parsed.headers.map(({ name, value }) => ({ name, value })),
    attachments: parsed.parts.filter(({ place }) => place === 'attachment').map(toPart),
    inline: parsed.parts.filter(({ place }) => place === 'inline').map(toPart),
    structure: toStructure(parsed.structure),
    envelope: {
      from,
      fromParams,
      to: to.map(({ address, inbox, tag, params }) => ({ address, inbox, tag, params })),
    },
    client: stored.client,
    protocol: stored.protocol,
    session: stored.session,
    transcript: stored.transcript,
    verification: stored.verification,
    codes: parsed.codes.map(({ code, context, confidence }) => ({ code, context, confidence })),
    links: parsed.links,
    edits,
  };
}

interface Structure extends Omit<PartNode, 'partId' | 'place' | 'text' | 'children'> {
  readonly part: string;
  readonly disposition: PartNode['place'];
  readonly children: Structure[];
}

/** Not recursive: how deep parts lie in each other is the sender's choice. */
function toStructure(root: PartNode): Structure {
  const shape = ({ partId: part, place: disposition, text: _, ...facts }: PartNode): Structure => ({
    part,
    ...facts,
    disposition,
    children: [],
  });
  const whole = shape(root);
  const waiting = [{ from: root, to: whole }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of next.from.children) {
      const shaped = shape(child);
      next.to.children.push(shaped);
      waiting.push({ from: child, to: shaped });
    }
  }
  return whole;
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
