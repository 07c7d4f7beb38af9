import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { normaliseDomain } from '../../mail/address.ts';
import { HEADER_LIMITS, scanSummary } from '../../mail/headers.ts';
import { inboxOf, type Naming } from '../../mail/inbox.ts';
import { type Address, QUARANTINE_CHARACTERS } from '../../mail/store.ts';
import { tagsOfMail } from '../../mail/tags.ts';
import { encodeAddresses, encodeList, plain } from './address-text.ts';
import type { DeliveryWriter } from './delivery-writer.ts';
import type { Arrival, ArrivalEnvelope, ArrivedBytes, EnvelopeFacts, Facts } from './facts.ts';
import type { EventRow, Journal } from './journal.ts';
import type { InboxEntry, Ledger } from './ledger.ts';
import { foldTags } from './tag-text.ts';

/** In the place of a content that has a file. */
const NOTHING = Buffer.alloc(0);

/** Puts messages into the tables. */
export class Arrivals {
  readonly #naming: Naming;
  readonly #contents: string;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #deliveries: DeliveryWriter;
  readonly #message: StatementSync;
  readonly #content: StatementSync;
  readonly #receivedContent: StatementSync;
  readonly #place: StatementSync;
  readonly #tag: StatementSync;

  /** @param contents folder of the content files */
  constructor(
    database: DatabaseSync,
    ledger: Ledger,
    journal: Journal,
    deliveries: DeliveryWriter,
    naming: Naming,
    contents: string,
  ) {
    this.#journal = journal;
    this.#deliveries = deliveries;
    this.#naming = naming;
    this.#contents = contents;
    this.#ledger = ledger;
    this.#message = database.prepare(`
      INSERT INTO messages (seq, id, received_at, bytes, has_bare_newlines, file, message_id, subject, sender,
        recipients, cc, bcc, reply_to, envelope, facts, login, tags, verification, is_pending,
        quarantine)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`);
    this.#content = database.prepare('INSERT INTO contents (seq, content, facts) VALUES (?, ?, ?)');
    this.#receivedContent = database.prepare(
      'INSERT INTO received_contents (seq, bytes, file, content) VALUES (?, ?, ?, ?)',
    );
    this.#place = database.prepare('INSERT INTO placements (inbox, seq) VALUES (?, ?)');
    this.#tag = database.prepare('INSERT INTO message_tags (folded, seq, tag) VALUES (?, ?, ?)');
  }

  /**
   * Puts one message in. It is listed, found and put into inboxes by what filters made of it.
   * @param now milliseconds since 1970
   * @returns its inboxes, or undefined when a message of this id is there already
   */
  add({ arrival, content, receivedContent }: ArrivedBytes, now: number): InboxEntry[] | undefined {
    const seq = this.#ledger.nextSeq++;
    const envelope = this.#envelopeOf(arrival);
    const { received } = arrival;
    const header = scanSummary(arrival.file === null ? content : this.#startOf(arrival.file));
    const facts: Facts = {
      ...envelope,
      client: arrival.client,
      protocol: arrival.protocol,
      session: arrival.session,
      transcript: arrival.transcript,
      ...(received && {
        received: { ...this.#envelopeOf(received), ...(received.content && { bytes: received.content.bytes }) },
      }),
    };
    const bcc = [...header.bcc, ...unnamed(arrival, [...header.to, ...header.cc, ...header.bcc])];
    const tags = foldTags(tagsOfMail({ ...header, bcc }));
    const row: EventRow = {
      seq,
      id: arrival.id,
      received_at: arrival.receivedAt,
      bytes: arrival.bytes,
      is_read: 0,
      is_pinned: 0,
      has_bare_newlines: arrival.bareNewlines ? 1 : 0,
      message_id: plain(header.messageId),
      subject: plain(header.subject),
      sender: header.from ? encodeAddresses([header.from]) : '',
      recipients: encodeAddresses(header.to),
      cc: encodeAddresses(header.cc),
      bcc: encodeAddresses(bcc),
      reply_to: encodeAddresses(header.replyTo),
      tags: tags.size === 0 ? '' : encodeList([...tags.values()]),
      login: arrival.client.login ? plain(arrival.client.login.user) : '',
      verification: arrival.verification ? JSON.stringify(arrival.verification) : null,
      quarantine: arrival.quarantine === undefined ? null : quarantineText(arrival.quarantine),
    };
    const { changes } = this.#message.run(
      seq,
      row.id,
      row.received_at,
      row.bytes,
      row.has_bare_newlines,
      arrival.file,
      row.message_id,
      row.subject,
      row.sender,
      row.recipients,
      row.cc,
      row.bcc,
      row.reply_to,
      encodeList([arrival.from, ...arrival.to.map(({ text }) => text)]),
      row.login,
      row.tags,
      row.verification,
      arrival.verification?.status === 'pending' ? 1 : 0,
      row.quarantine,
    );
    if (changes === 0) return undefined;
    for (const [folded, tag] of tags) this.#tag.run(folded, seq, tag);
    this.#content.run(seq, arrival.file === null ? content : NOTHING, JSON.stringify(facts));
    if (received?.content) {
      const { bytes, file } = received.content;
      this.#receivedContent.run(seq, bytes, file, file === null ? receivedContent : null);
    }
    const names = new Set(envelope.to.map(([, inbox]) => inbox));
    this.#journal.add('received', arrival.id, [...names], row);
    this.#deliveries.add(row, [...names], now);
    return this.#enter(seq, arrival, names);
  }

  #envelopeOf({ from, fromParams, to }: ArrivalEnvelope): EnvelopeFacts {
    return {
      from,
      fromParams,
      to: to.map(({ text, local, domain, params }) => {
        const { inbox, tag } = inboxOf({ local, domain, text }, this.#naming);
        return [text, inbox, tag, params] as const;
      }),
    };
  }

  #enter(seq: number, { bytes: own, file, received }: Arrival, names: ReadonlySet<string>): InboxEntry[] {
    const { totals } = this.#ledger;
    const bytes = own + (received?.content?.bytes ?? 0);
    totals.messages += 1;
    totals.unread += 1;
    totals.bytes += bytes;
    if (file !== null) totals.fileBytes += own;
    if (received?.content && received.content.file !== null) totals.fileBytes += received.content.bytes;
    const entries: InboxEntry[] = [];
    for (const name of names) {
      const entry = this.#ledger.inbox(name);
      this.#place.run(entry.inbox, seq);
      entry.messages += 1;
      entry.unread += 1;
      entry.bytes += bytes;
      entry.newest = seq;
      this.#ledger.touch(entry);
      entries.push(entry);
    }
    return entries;
  }

  #startOf(file: string): Buffer {
    const start = Buffer.allocUnsafe(HEADER_LIMITS.bytes);
    const descriptor = openSync(join(this.#contents, file), 'r');
    try {
      return start.subarray(0, readSync(descriptor, start, 0, start.length, 0));
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Envelope recipients that no field of the header names, each once: they got a blind copy. */
function unnamed({ to }: Arrival, named: readonly Address[]): Address[] {
  const seen = new Set(named.map(({ address }) => comparable(address)));
  const blind: Address[] = [];
  for (const { text } of to) {
    const key = comparable(text);
    if (seen.has(key)) continue;
    seen.add(key);
    blind.push({ name: '', address: text });
  }
  return blind;
}

/** A reason as it is kept. */
export function quarantineText(reason: string): string {
  return plain(reason).slice(0, QUARANTINE_CHARACTERS);
}

function comparable(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 0) return address.toLowerCase();
  return `${address.slice(0, at).toLowerCase()}@${normaliseDomain(address.slice(at + 1))}`;
}
