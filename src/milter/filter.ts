import { isIPv4, isIPv6 } from 'node:net';
import type { Content, Spool } from '../mail/content.ts';
import type { Params, Recipient, Sender } from '../mail/envelope.ts';
import type { Filter, MessageOpinion, Opined, Opinion, Phase, Visit } from '../mail/filter.ts';
import { type Amendment, amend, type Client, type Message } from '../mail/message.ts';
import type { MilterVerdict, Reporter } from '../mail/report.ts';
import type { Verdict } from '../mail/sink.ts';
import { type Answer, DISCONNECTED, HEAD_TOO_LARGE, REFUSED_FOR_GOOD, UNAVAILABLE } from './answers.ts';
import { MilterClient } from './client.ts';
import { editContent } from './edited-content.ts';
import { Edits } from './edits.ts';
import { editEnvelope } from './envelope-edits.ts';
import { MilterFailure } from './failure.ts';
import { octetsOf, type PeerField, textOf } from './fields.ts';
import { type Head, readHead } from './head.ts';
import { type EditedHead, editHead } from './head-edits.ts';
import { MILTER_LIMITS, type MilterSettings } from './limits.ts';
import type { MacroFacts } from './macros.ts';
import type { ToMilter } from './packets.ts';
import { Places } from './places.ts';

/** What milters need of the daemon. */
export interface MilterParts {
  readonly hostname: string;
  readonly software: string;
  /** The listener that sessions come in by. */
  readonly listener: {
    readonly name: string;
    readonly address?: string;
    readonly port?: number;
    readonly path?: string;
  };
  /** Takes the changed forms of messages. */
  readonly spool: Spool;
  /** Octets of a message, and recipients, that a milter cannot make more of. */
  readonly contentBytes: number;
  readonly recipients: number;
  readonly report: Reporter;
  /** Asked about recipients that a milter adds, as about those that a client names. */
  readonly rules?: Filter;
}

/**
 * Milters as filters: one filter for each, asked in the order given. They share what is known of a session, since the
 * word of one ends what the others have begun.
 * @returns makes the filters of a listener; how many sessions a milter is asked about counts over all of them
 */
export function prepareMilters(settings: readonly MilterSettings[]): (parts: MilterParts) => Filter[] {
  const places = settings.map(({ connections }) => new Places(connections));
  return (parts) => {
    const parties = new WeakMap<Visit, Party>();
    return settings.map((_one, index) => new MilterFilter(index, settings, places, parts, parties));
  };
}

/** Changes of one message that are told of one by one when they are not made. */
const TOLD = 5;

/** What a milter has said for the rest of a session, or what counts in its place. */
interface Standing {
  readonly by: number;
  readonly verdict: Verdict;
}

/** The milters of one session. */
class Party {
  readonly clients: readonly MilterClient[];
  /** Every later transaction is refused so. */
  standing: Standing | undefined;
  /** The milter that has the open message accepted and thrown away. */
  discardedBy: number | undefined;
  /** The open message was taken back from the milters, yet nobody has ended it: it must not pass by them. */
  isLost = false;
  isOver = false;
  transactions = 0;
  transaction: string | undefined;
  sender: Sender | undefined;
  /** The recipient that they were asked about last. */
  recipient: Recipient | undefined;
  /** Those that have failed, and without which mail goes on. */
  readonly without = new Set<string>();
  /** Those of them whose failure marks every message. */
  readonly quarantines = new Set<string>();
  /** When the answers to the message at hand are no use any more. */
  messageUntil = Number.POSITIVE_INFINITY;
  /** Header fields that stand above the place of our own Received line. */
  fieldsAbove = 0;

  constructor(clients: readonly MilterClient[]) {
    this.clients = clients;
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  abort(): void {
    for (const client of this.clients) client.abort();
  }
}

class MilterFilter implements Filter {
  readonly name: string;
  /** The conversation has deadlines of its own; this one is for what they do not foresee. */
  readonly deadlineMs = MILTER_LIMITS.messageMs + MILTER_LIMITS.endMs;
  readonly #index: number;
  readonly #settings: readonly MilterSettings[];
  readonly #places: readonly Places[];
  readonly #parts: MilterParts;
  readonly #parties: WeakMap<Visit, Party>;

  constructor(
    index: number,
    settings: readonly MilterSettings[],
    places: readonly Places[],
    parts: MilterParts,
    parties: WeakMap<Visit, Party>,
  ) {
    this.name = settings[index]!.name;
    this.#index = index;
    this.#settings = settings;
    this.#places = places;
    this.#parts = parts;
    this.#parties = parties;
  }

  connect(visit: Visit): Opined {
    if (this.#index === 0) this.#meet(visit);
    const { client } = visit;
    const { path } = this.#parts.listener;
    return this.#ask(visit, 'connect', (milter, party) =>
      milter.connect(origin(client, path), this.#facts(visit, party)),
    );
  }

  hello(visit: Visit, name: string): Opined {
    const party = this.#parties.get(visit);
    if (party && this.#index === 0) {
      party.isLost = party.clients.some(({ isInMessage }) => isInMessage);
      party.abort();
    }
    return this.#ask(visit, 'hello', (milter) => milter.hello(name, this.#facts(visit, party!)));
  }

  mail(visit: Visit, from: Sender): Opined {
    const party = this.#parties.get(visit);
    if (!party) return undefined;
    if (party.standing) return this.#stands(party);
    if (party.sender !== from) {
      party.isLost = false;
      party.discardedBy = undefined;
      party.sender = from;
      party.transaction = `${visit.session}.${++party.transactions}`;
    }
    const words = [`<${octetsOf(from.path?.text ?? '')}>`, ...wordsOf(from.params)];
    return this.#ask(visit, 'mail', (milter) => milter.mail(words, this.#facts(visit, party)));
  }

  rcpt(visit: Visit, _from: Sender, to: Recipient): Opined {
    const party = this.#parties.get(visit);
    if (party?.isLost) return { verdict: UNAVAILABLE };
    if (party?.standing) return this.#stands(party);
    if (!party || party.discardedBy !== undefined || !this.#mayAskOfMessage(party)) return undefined;
    party.recipient = to;
    const facts = this.#facts(visit, party, { recipient: to });
    return this.#ask(visit, 'rcpt', (milter) => milter.rcpt(rcptWords(to), facts));
  }

  refusedRcpt(visit: Visit, _from: Sender, to: Recipient, said: Verdict): void {
    const party = this.#parties.get(visit);
    const milter = party?.clients[this.#index];
    // who was asked knows already
    if (!party || !milter?.isInMessage || !milter.takesRefused || party.recipient === to) return;
    const facts = this.#facts(visit, party, { recipient: to, refusal: said });
    milter.rcpt(rcptWords(to), facts).catch(() => {}); // its failure is told by the next question
  }

  data(visit: Visit): Opined {
    const party = this.#parties.get(visit);
    if (party?.isLost) return { verdict: UNAVAILABLE };
    if (party?.standing) return this.#stands(party);
    if (party?.discardedBy !== undefined) return party.discardedBy === this.#index ? { discard: true } : undefined;
    if (!party || !this.#mayAskOfMessage(party)) return undefined;
    return this.#ask(visit, 'data', (milter) => milter.data(this.#facts(visit, party)));
  }

  unknown(visit: Visit, line: string): Opined {
    const party = this.#parties.get(visit);
    if (!party) return undefined;
    return this.#ask(visit, 'unknown', (milter) => milter.unknown(line, this.#facts(visit, party)));
  }

  message(visit: Visit, message: Message, signal: AbortSignal): Opined<MessageOpinion> {
    const party = this.#parties.get(visit);
    if (!party) return undefined;
    if (party.isLost) return { verdict: UNAVAILABLE };
    if (party.standing) return this.#stands(party);
    if (party.discardedBy !== undefined) return party.discardedBy === this.#index ? { discard: true } : undefined;
    if (this.#index === 0) {
      party.messageUntil = performance.now() + MILTER_LIMITS.messageMs;
      party.fieldsAbove = 0;
    }
    if (!this.#mayAskOfMessage(party)) return this.#marked(party);
    return this.#judge(visit, party, message, signal);
  }

  reset(visit: Visit): void {
    const party = this.#parties.get(visit);
    if (!party) return;
    party.isLost = false;
    party.discardedBy = undefined;
    party.recipient = undefined;
    party.sender = undefined;
    party.transaction = undefined;
    party.clients[this.#index]!.abort();
  }

  closed(visit: Visit): void {
    const party = this.#parties.get(visit);
    if (!party) return;
    party.isOver = true;
    party.clients[this.#index]!.close();
  }

  /** Takes up the conversation with all milters at once; who speaks for another client now gets new ones. */
  #meet(visit: Visit): void {
    this.#parties.get(visit)?.close();
    const clients = this.#settings.map((one, index) => {
      const odd = (text: string): void => this.#odd(visit, one.name, text);
      return new MilterClient(one, this.#places[index]!, odd);
    });
    this.#parties.set(visit, new Party(clients));
    for (const client of clients) client.open();
  }

  /** What was said for the rest of the session, from the mouth that said it. */
  #stands({ standing }: Party): Opinion | undefined {
    return standing?.by === this.#index ? { verdict: standing.verdict } : undefined;
  }

  /** It has begun the message at hand and may have more to say on it, or has failed and needs to be answered for. */
  #mayAskOfMessage(party: Party): boolean {
    const client = party.clients[this.#index]!;
    return client.isInMessage || (client.hasFailed && !party.without.has(this.name));
  }

  /** Asks one question; gives what its answer means here. */
  #ask(visit: Visit, phase: Phase, ask: (milter: MilterClient, party: Party) => Promise<Answer>): Opined {
    const party = this.#parties.get(visit);
    const milter = party?.clients[this.#index];
    if (!party || !milter?.isAsked || party.standing) return undefined;
    if (party.without.has(this.name)) return undefined;
    const startedAt = performance.now();
    return ask(milter, party).then(
      (answer) => {
        this.#told(visit, phase, answer, startedAt);
        return this.#opinion(party, phase, answer);
      },
      (error: unknown) => this.#failed(visit, party, phase, error),
    );
  }

  #opinion(party: Party, phase: Phase, answer: Answer): Opinion | undefined {
    if (answer.kind === 'discard') {
      party.discardedBy = this.#index;
      party.abort();
      // RCPT has its say on one recipient, this is about all: DATA will tell
      return phase === 'mail' || phase === 'data' ? { discard: true } : undefined;
    }
    if (answer.kind !== 'refuse') return undefined;
    return this.#refuse(party, phase, answer.verdict);
  }

  /** A verdict at the start of a session stands until its end. */
  #refuse(party: Party, phase: Phase, verdict: Verdict): Opinion | undefined {
    if (phase !== 'connect' && phase !== 'hello') return { verdict };
    party.standing = { by: this.#index, verdict };
    party.close();
    if (verdict.code === 421) return { verdict };
    // a greeting says no with 554 alone (RFC 5321 §3.1); who shall come again is greeted, and refused at MAIL
    return phase === 'connect' && verdict.code >= 500 ? { verdict: { ...verdict, code: 554 } } : undefined;
  }

  /** What is said in place of a milter that cannot be asked. */
  #failed(visit: Visit, party: Party, phase: Phase, error: unknown): MessageOpinion | undefined {
    if (!(error instanceof MilterFailure)) throw error;
    if (party.isOver) return undefined; // nobody listens, and hanging up was our part
    const { name, whenFailing: action } = party.clients[this.#index]!.settings;
    const { report } = this.#parts;
    report({
      type: 'milter-failure',
      milter: name,
      session: visit.session,
      phase,
      why: error.why,
      text: error.message,
      action,
    });
    switch (action) {
      case 'accept':
        party.without.add(name);
        return undefined;
      case 'quarantine':
        party.without.add(name);
        party.quarantines.add(name);
        return phase === 'message' ? this.#marked(party) : undefined;
      case 'shutdown':
        return { verdict: DISCONNECTED, reason: 'milter-failed' };
      case 'tempfail':
      case 'reject': {
        const verdict = action === 'reject' ? REFUSED_FOR_GOOD : UNAVAILABLE;
        party.standing = { by: this.#index, verdict };
        party.close();
        if (phase === 'connect') return action === 'reject' ? { verdict: { ...verdict, code: 554 } } : undefined;
        return phase === 'hello' ? undefined : { verdict, reason: 'milter-failed' };
      }
    }
  }

  /** The mark of a message that a milter could not be asked about. */
  #marked(party: Party): MessageOpinion | undefined {
    return party.quarantines.has(this.name) ? { quarantine: `milter ${this.name} could not be asked` } : undefined;
  }

  async #judge(visit: Visit, party: Party, message: Message, signal: AbortSignal): Promise<MessageOpinion | undefined> {
    const milter = party.clients[this.#index]!;
    const startedAt = performance.now();
    const { spool, contentBytes } = this.#parts;
    const edits = new Edits(milter.actions, spool, contentBytes);
    const head = await readHead(message.content.stream(), MILTER_LIMITS.headBytes);
    if (!head) return { verdict: HEAD_TOO_LARGE, reason: 'size' };
    try {
      const facts = this.#facts(visit, party, { messageId: messageIdOf(head) });
      const answer = await milter.message(head, edits, facts, party.messageUntil);
      this.#notDone(visit, edits.dropped);
      const takes = answer.kind === 'continue' || answer.kind === 'accept';
      this.#told(visit, 'message', answer, startedAt, takes ? edits : undefined);
      if (answer.kind === 'discard') return { discard: true };
      if (answer.kind === 'refuse') return { verdict: answer.verdict };
      return await this.#apply(visit, party, message, head, edits, signal);
    } catch (error) {
      return this.#failed(visit, party, 'message', error);
    } finally {
      edits.abandon();
      await head.close();
    }
  }

  /** Makes the changes that a milter wants. */
  async #apply(
    visit: Visit,
    party: Party,
    message: Message,
    head: Head,
    edits: Edits,
    signal: AbortSignal,
  ): Promise<MessageOpinion | undefined> {
    const { recipients, rules } = this.#parts;
    const changes: { -readonly [K in keyof Amendment]: Amendment[K] } = {};
    if (edits.envelope.length > 0) {
      const admit = async (to: Recipient, others: readonly Recipient[]): Promise<string> => {
        const opinion = await rules?.rcpt?.(visit, message.envelope.from, to, others);
        return opinion?.verdict?.text ?? (opinion?.discard ? 'its mail is thrown away' : '');
      };
      const { envelope, dropped } = await editEnvelope(message.envelope, edits.envelope, recipients, admit);
      this.#notDone(visit, dropped);
      changes.envelope = envelope;
      if (envelope.to.length === 0) return { discard: true };
    }
    if (edits.header.length > 0 || edits.body) {
      const content = await this.#edited(party, message.content, head, edits);
      // whoever has meanwhile stopped to listen will not release it
      if (signal.aborted || party.isOver) {
        content.release();
        return undefined;
      }
      changes.content = content;
    }
    if (edits.quarantine !== undefined) changes.quarantine = edits.quarantine;
    if (Object.keys(changes).length === 0) return undefined;
    return { message: amend(message, changes) };
  }

  async #edited(party: Party, content: Content, head: Head, edits: Edits): Promise<Content> {
    const leadingSpace = party.clients[this.#index]!.takesLeadingSpace;
    const before: EditedHead = { lines: head.lines, above: party.fieldsAbove };
    const { lines, above } = editHead(before, edits.header, leadingSpace);
    party.fieldsAbove = above;
    const { body } = edits;
    edits.body = undefined; // what becomes of it is for the writer to see to
    const { separator, bytes: bodyAt } = head;
    return editContent(content, { lines, separator, bodyAt, ...(body && { body }) }, this.#parts.spool);
  }

  #facts(visit: Visit, party: Party, further: Partial<MacroFacts> = {}): MacroFacts {
    const { hostname, software, listener } = this.#parts;
    const { sender, transaction } = party;
    return { hostname, software, daemon: listener, client: visit.client, sender, transaction, ...further };
  }

  #told(visit: Visit, phase: Phase, answer: Answer, startedAt: number, edits?: Edits): void {
    const verdict: MilterVerdict =
      answer.kind === 'refuse' ? (answer.verdict.code >= 500 ? 'reject' : 'tempfail') : answer.kind;
    this.#parts.report({
      type: 'milter',
      milter: this.name,
      session: visit.session,
      phase,
      verdict,
      ...(answer.kind === 'refuse' && { code: answer.verdict.code }),
      milliseconds: performance.now() - startedAt,
      ...(edits && edits.described.length > 0 && { edits: edits.described }),
    });
  }

  /** Tells of changes that are not made; of very many only how many. */
  #notDone(visit: Visit, what: readonly string[]): void {
    for (const text of what.slice(0, TOLD)) this.#odd(visit, this.name, `not done: ${text}`);
    if (what.length > TOLD) this.#odd(visit, this.name, `not done: ${what.length - TOLD} more`);
  }

  #odd(visit: Visit, milter: string, text: string): void {
    this.#parts.report({ type: 'milter-oddity', milter, session: visit.session, text });
  }
}

/** The client as the protocol has it: name or bracketed address, family, port and address. */
function origin({ address, port, name }: Client, path: string | undefined): Extract<ToMilter, { kind: 'connect' }> {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const hostname = octetsOf(name ?? `[${plain}]`);
  const tell = (host: string, family: string, peer?: PeerField) =>
    ({ kind: 'connect', hostname: host, family, peer }) as const;
  if (isIPv4(plain)) return tell(hostname, '4', { port, address: plain });
  if (isIPv6(plain)) return tell(hostname, '6', { port, address: plain });
  if (address === 'local') return tell('localhost', 'L', { port: 0, address: octetsOf(path ?? '') });
  return tell(octetsOf(name ?? 'unknown'), 'U');
}

function rcptWords({ path, params }: Recipient): string[] {
  return [`<${octetsOf(path.text)}>`, ...wordsOf(params)];
}

function wordsOf(params: Params): string[] {
  return [...params].map(([keyword, value]) => octetsOf(value === true ? keyword : `${keyword}=${value}`));
}

/** The Message-ID field as macros have it. */
function messageIdOf({ lines }: Head): string | undefined {
  const line = lines.find(({ name }) => name.toLowerCase() === 'message-id');
  return line && textOf(line.value).replace(/\s+/g, ' ').trim();
}
