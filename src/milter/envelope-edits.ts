import { normaliseDomain, PATH_OCTETS, type Path, parseAddress } from '../mail/address.ts';
import { type Envelope, NO_PARAMS, type Params, type Recipient } from '../mail/envelope.ts';
import type { EnvelopeEdit } from './edits.ts';
import { textOf } from './fields.ts';

/** Says whether mail for a recipient that a milter adds may come in; '' if so, else why not. */
export type Admit = (to: Recipient, others: readonly Recipient[]) => string | Promise<string>;

export interface EditedEnvelope {
  readonly envelope: Envelope;
  /** What could not be done, with why. */
  readonly dropped: readonly string[];
}

/** Makes a milter's changes to an envelope, in order. Recipients that stay are the same objects. */
export async function editEnvelope(
  envelope: Envelope,
  edits: readonly EnvelopeEdit[],
  most: number,
  admit: Admit,
): Promise<EditedEnvelope> {
  let { from } = envelope;
  const to = [...envelope.to];
  const dropped: string[] = [];
  for (const edit of edits) {
    const path = pathOf(edit.address);
    const params = edit.kind === 'delete' ? NO_PARAMS : paramsOf(edit.words);
    const shown = JSON.stringify(textOf(edit.address.slice(0, 80)));
    if (path === undefined || (path === null && edit.kind !== 'sender')) dropped.push(`the address ${shown}`);
    else if (!params) dropped.push(`the parameters of ${shown}`);
    else if (edit.kind === 'sender') from = { path, params: edit.words === '' ? from.params : params };
    else if (path === null) continue;
    else if (edit.kind === 'delete') {
      for (let at = to.findIndex(isAt(path)); at >= 0; at = to.findIndex(isAt(path))) to.splice(at, 1);
    } else if (!to.some(isAt(path))) {
      const why = to.length >= most ? 'the message has as many as it may' : await admit({ path, params }, to);
      if (why === '') to.push({ path, params });
      else dropped.push(`the recipient ${shown}: ${why}`);
    }
  }
  return { envelope: { from, to }, dropped };
}

function isAt(path: Path): (recipient: Recipient) => boolean {
  const domain = normaliseDomain(path.domain);
  return (recipient) => recipient.path.local === path.local && normaliseDomain(recipient.path.domain) === domain;
}

/** An address with or without angle brackets; null for `<>`. */
function pathOf(octets: string): Path | null | undefined {
  if (octets.length > PATH_OCTETS) return undefined;
  const text = textOf(octets).trim();
  return text === '<>' || text === '' ? null : parseAddress(text);
}

/** ESMTP parameters in one text, as in a command; undefined if they are none. */
function paramsOf(octets: string): Params | undefined {
  const params = new Map<string, string | true>();
  for (const word of octets.split(' ')) {
    if (word === '') continue;
    const match = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~]+))?$/i.exec(word);
    if (!match || params.size >= 16) return undefined;
    params.set(match[1]!.toUpperCase(), match[2] ?? true);
  }
  return params;
}
