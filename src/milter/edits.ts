import type { ContentWriter, Spool } from '../mail/content.ts';
import type { FilterEdit } from '../mail/report.ts';
import { BareNewlines } from '../wire/bare-newlines.ts';
import { MilterFailure } from './failure.ts';
import { textOf } from './fields.ts';
import { type HeaderEdit, isFieldName } from './head-edits.ts';
import { MILTER_LIMITS } from './limits.ts';
import { ACTIONS } from './negotiation.ts';
import type { FromMilter } from './packets.ts';

/** A change to the envelope, addresses as the milter wrote them. */
export type EnvelopeEdit =
  | { readonly kind: 'add'; readonly address: string; readonly words: string }
  | { readonly kind: 'delete'; readonly address: string }
  | { readonly kind: 'sender'; readonly address: string; readonly words: string };

/** A body that takes the place of the one that came. */
export interface NewBody {
  readonly writer: ContentWriter;
  readonly newlines: BareNewlines;
  /** What it ends with so far. */
  lastOctet: number;
}

type Edit = Extract<
  FromMilter,
  {
    kind:
      | 'addHeader'
      | 'insertHeader'
      | 'changeHeader'
      | 'replaceBody'
      | 'addRecipient'
      | 'addRecipientPar'
      | 'deleteRecipient'
      | 'changeSender'
      | 'quarantine';
  }
>;

/** What a milter must have asked for before it may send each change. */
const RIGHT: Readonly<Record<Edit['kind'], number>> = {
  addHeader: ACTIONS.addHeaders,
  insertHeader: ACTIONS.addHeaders,
  changeHeader: ACTIONS.changeHeaders,
  replaceBody: ACTIONS.changeBody,
  addRecipient: ACTIONS.addRecipients,
  addRecipientPar: ACTIONS.addRecipientPar,
  deleteRecipient: ACTIONS.deleteRecipients,
  changeSender: ACTIONS.changeSender,
  quarantine: ACTIONS.quarantine,
};

export function isEdit(packet: FromMilter): packet is Edit {
  return Object.hasOwn(RIGHT, packet.kind);
}

/**
 * Gathers the changes that a milter wants of one message, within limits, until its verdict says whether they are made.
 * A new body goes to the spool as it comes.
 */
export class Edits {
  readonly header: HeaderEdit[] = [];
  readonly envelope: EnvelopeEdit[] = [];
  quarantine: string | undefined;
  body: NewBody | undefined;
  /** A body was not replaced that the milter had not asked to replace: what it let pass is not what there is. */
  lacksBody = false;
  /** The changes for people, in order. */
  readonly described: FilterEdit[] = [];
  /** What was wanted and is not done, with why. */
  readonly dropped: string[] = [];
  readonly #actions: number;
  readonly #spool: Spool;
  readonly #bodyBytes: number;
  #count = 0;
  #headerBytes = 0;
  #addedRecipients = 0;

  /** @param bodyBytes octets that a new body may have */
  constructor(actions: number, spool: Spool, bodyBytes: number) {
    this.#actions = actions;
    this.#spool = spool;
    this.#bodyBytes = bodyBytes;
  }

  /**
   * Takes one change. A promise asks to wait before the next is brought.
   * @throws MilterFailure for too many; errors of the spool
   */
  take(edit: Edit): void | Promise<void> {
    // the pieces of a body are one change
    if (edit.kind !== 'replaceBody' || !this.body) this.#count++;
    if (this.#count > MILTER_LIMITS.edits) throw tooMuch('changes');
    if (!(this.#actions & RIGHT[edit.kind])) {
      if (edit.kind === 'replaceBody') this.lacksBody = true;
      this.dropped.push(`${edit.kind}, which it did not ask to do`);
      return;
    }
    switch (edit.kind) {
      case 'addHeader':
      case 'insertHeader':
      case 'changeHeader':
        return this.#takeHeader(edit);
      case 'replaceBody':
        return this.#takeBody(edit.octets);
      case 'addRecipient':
      case 'addRecipientPar':
        if (++this.#addedRecipients > MILTER_LIMITS.addedRecipients) throw tooMuch('recipients');
        this.envelope.push({ kind: 'add', address: edit.address, words: 'words' in edit ? (edit.words ?? '') : '' });
        return this.#describe('add-recipient', edit.address);
      case 'deleteRecipient':
        this.envelope.push({ kind: 'delete', address: edit.address });
        return this.#describe('delete-recipient', edit.address);
      case 'changeSender':
        this.envelope.push({ kind: 'sender', address: edit.address, words: edit.words ?? '' });
        return this.#describe('change-sender', edit.address);
      case 'quarantine':
        // the last reason wins
        this.quarantine = readable(edit.reason, MILTER_LIMITS.reasonBytes) || 'no reason given';
        return this.#describe('quarantine', edit.reason);
    }
  }

  /** Nothing of this is done. */
  abandon(): void {
    this.body?.writer.abort();
    this.body = undefined;
  }

  #takeHeader(edit: HeaderEdit): void {
    if (!isFieldName(edit.name)) {
      this.dropped.push(`a header named ${JSON.stringify(readable(edit.name, 80))}`);
      return;
    }
    this.#headerBytes += edit.name.length + edit.value.length;
    if (this.#headerBytes > MILTER_LIMITS.addedHeaderBytes) throw tooMuch('octets of headers');
    this.header.push(edit);
    const place = 'index' in edit ? `${edit.index} ` : '';
    if (edit.kind === 'changeHeader' && edit.value === '') this.#describe('delete-header', `${place}${edit.name}`);
    else this.#describe(HEADER_WORDS[edit.kind], `${place}${edit.name}: ${edit.value.trim()}`);
  }

  #takeBody(octets: Buffer): void | Promise<void> {
    if (!this.body) {
      this.body = { writer: this.#spool(), newlines: new BareNewlines(), lastOctet: 0 };
      this.#describe('replace-body', '');
    }
    const { writer, newlines } = this.body;
    if (writer.bytes + octets.length > this.#bodyBytes) throw tooMuch('octets of body');
    newlines.see(octets);
    if (octets.length === 0) return;
    this.body.lastOctet = octets.at(-1)!;
    return writer.write(octets);
  }

  #describe(edit: FilterEdit['edit'], what: string): void {
    this.described.push({ edit, what: readable(what, 200) });
  }
}

const HEADER_WORDS = {
  addHeader: 'add-header',
  insertHeader: 'insert-header',
  changeHeader: 'change-header',
} as const;

/** Octets of a milter as one line of text without controls. */
function readable(octets: string, most: number): string {
  return textOf(octets.slice(0, most))
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
    .trim();
}

function tooMuch(what: string): MilterFailure {
  return new MilterFailure('protocol', `it wants too many ${what}`);
}
