import type { Params } from '../../mail/envelope.ts';
import type { Message } from '../../mail/message.ts';
import type { StoredMessage } from '../../mail/store.ts';
import type { Verification } from '../../mail/verification.ts';

/*
 * What goes beside a content, in two forms: as it travels to the writer thread and as the database keeps it. Both are
 * JSON, because a string crosses to a thread far more cheaply than objects do. Parameters are lists of pairs: a client
 * names them, and a name like __proto__ must stay a name.
 */
type Pairs = readonly (readonly [string, string | true])[];

/** A message on its way to the writer thread. */
export interface Arrival {
  readonly id: string;
  readonly receivedAt: number;
  readonly bytes: number;
  readonly bareNewlines: boolean;
  /** Name below `contents/`; null when the bytes travel in the batch. */
  readonly file: string | null;
  readonly from: string;
  readonly fromParams: Pairs;
  readonly to: readonly ArrivalRecipient[];
  readonly client: Message['client'];
  readonly protocol: Message['protocol'];
  readonly session: string;
  readonly transcript: readonly string[];
  readonly verification?: Verification;
}

export interface ArrivalRecipient {
  readonly text: string;
  readonly local: string;
  readonly domain: string;
  readonly params: Pairs;
}

/** What the column `facts` holds. */
export interface Facts {
  readonly from: string;
  readonly fromParams: Pairs;
  readonly to: readonly (readonly [address: string, inbox: string, tag: string, params: Pairs])[];
  readonly client: Message['client'];
  readonly protocol: Message['protocol'];
  readonly session: string;
  readonly transcript: readonly string[];
}

const NO_PAIRS: Pairs = [];

export function arrivalOf(message: Message, file: string | null): Arrival {
  const { envelope, content, client } = message;
  return {
    id: message.id,
    receivedAt: message.receivedAt.getTime(),
    bytes: content.bytes,
    bareNewlines: content.bareNewlines,
    file,
    from: envelope.from.path?.text ?? '',
    fromParams: pairsOf(envelope.from.params),
    to: envelope.to.map(({ path, params }) => ({
      text: path.text,
      local: path.local,
      domain: path.domain,
      params: pairsOf(params),
    })),
    client,
    protocol: message.protocol,
    session: message.session,
    transcript: message.transcript,
    ...(message.verification && { verification: message.verification }),
  };
}

/** Reads the column back into the fields of a stored message. */
export function readFacts(
  text: string,
): Pick<StoredMessage, 'envelope' | 'client' | 'protocol' | 'session' | 'transcript'> {
  const facts = JSON.parse(text) as Facts;
  return {
    envelope: {
      from: facts.from,
      fromParams: Object.fromEntries(facts.fromParams),
      to: facts.to.map(([address, inbox, tag, params]) => ({
        address,
        params: Object.fromEntries(params),
        inbox,
        tag,
      })),
    },
    client: facts.client,
    protocol: facts.protocol,
    session: facts.session,
    transcript: facts.transcript,
  };
}

/** An address as it was given, in its parts. */
export function pathOf(text: string): { readonly local: string; readonly domain: string; readonly text: string } {
  const at = text.lastIndexOf('@');
  const local = at < 0 ? text : text.slice(0, at);
  const isQuoted = /^".*"$/.test(local);
  return {
    local: isQuoted ? local.slice(1, -1).replace(/\\(.)/g, '$1') : local,
    domain: at < 0 ? '' : text.slice(at + 1),
    text,
  };
}

function pairsOf(params: Params): Pairs {
  return params.size === 0 ? NO_PAIRS : [...params];
}
