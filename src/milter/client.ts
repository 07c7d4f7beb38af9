import { type Answer, answerOf, CONTINUE, UNAVAILABLE } from './answers.ts';
import { type Edits, isEdit } from './edits.ts';
import { MilterFailure } from './failure.ts';
import { octetsOf } from './fields.ts';
import type { Head, HeaderLine } from './head.ts';
import { MILTER_LIMITS, type MilterSettings } from './limits.ts';
import { Link } from './link.ts';
import { type MacroFacts, macrosFor } from './macros.ts';
import { type Agreement, agree, type MacroStage, offerOf, PROTOCOL } from './negotiation.ts';
import { encodeToMilter, TO_MILTER, type ToMilter } from './packets.ts';
import type { Places } from './places.ts';

/** Commands that a milter answers, in the order of a conversation. */
export type Stage = 'connect' | 'hello' | 'mail' | 'rcpt' | 'data' | 'header' | 'headEnd' | 'body' | 'end' | 'unknown';

interface StageFacts {
  /** The stage whose macros go in front of it. */
  readonly macros?: MacroStage;
  /** The bit by which a milter does not want it, and that by which it gives no answer to it. */
  readonly without: number;
  readonly silent: number;
  /** The longest wait for its answer. */
  readonly wait: 'commandMs' | 'contentMs';
  /** Answers that it may have beside those that every one may have. */
  readonly may: readonly ('skip' | 'discard')[];
}

// biome-ignore format: a table
const STAGES: Readonly<Record<Stage, StageFacts>> = {
  connect: { macros: 'connect', without: PROTOCOL.noConnect, silent: PROTOCOL.silentConnect, wait: 'commandMs', may: [] },
  hello:   { macros: 'hello',   without: PROTOCOL.noHello,   silent: PROTOCOL.silentHello,   wait: 'commandMs', may: [] },
  mail:    { macros: 'mail',    without: PROTOCOL.noMail,    silent: PROTOCOL.silentMail,    wait: 'commandMs', may: ['discard'] },
  rcpt:    { macros: 'rcpt',    without: PROTOCOL.noRcpt,    silent: PROTOCOL.silentRcpt,    wait: 'commandMs', may: ['discard', 'skip'] },
  data:    { macros: 'data',    without: PROTOCOL.noData,    silent: PROTOCOL.silentData,    wait: 'commandMs', may: ['discard'] },
  header:  {                    without: PROTOCOL.noHeaders, silent: PROTOCOL.silentHeaders, wait: 'contentMs', may: ['discard', 'skip'] },
  headEnd: { macros: 'headEnd', without: PROTOCOL.noHeadEnd, silent: PROTOCOL.silentHeadEnd, wait: 'contentMs', may: ['discard'] },
  body:    {                    without: PROTOCOL.noBody,    silent: PROTOCOL.silentBody,    wait: 'contentMs', may: ['discard', 'skip'] },
  end:     { macros: 'end',     without: 0,                  silent: 0,                      wait: 'contentMs', may: ['discard'] },
  unknown: {                    without: PROTOCOL.noUnknown, silent: PROTOCOL.silentUnknown, wait: 'commandMs', may: ['discard'] },
};

/**
 * Where the conversation with one milter stands: `idle` between messages, `message` from MAIL on, `messageDone` once it
 * has had its say on a message, `connectionDone` once it has on the whole session, `failed` when it cannot be asked.
 */
type State = 'opening' | 'idle' | 'message' | 'messageDone' | 'connectionDone' | 'failed';

/** Octets of packets without an answer that are gathered before they are written. */
const BATCH_BYTES = 64 * 1024;

/** Hears of what a milter does that it should not, and that does no harm. */
export type Oddities = (text: string) => void;

/**
 * One session's conversation with one milter, from the offer to the goodbye. Questions are asked one after the other,
 * whoever brings them; after a failure each throws that failure, at once.
 */
export class MilterClient {
  readonly settings: MilterSettings;
  readonly #places: Places;
  readonly #odd: Oddities;
  readonly #stop = new AbortController();
  #state: State = 'opening';
  #failure: MilterFailure | undefined;
  #link: Link | undefined;
  #agreement: Agreement | undefined;
  #hasPlace = false;
  /** It wants no more recipients of this message. */
  #skipsRcpt = false;
  #last: Promise<unknown> = Promise.resolve();
  #batch: Buffer[] = [];
  #batchBytes = 0;

  constructor(settings: MilterSettings, places: Places, odd: Oddities) {
    this.settings = settings;
    this.#places = places;
    this.#odd = odd;
  }

  /** It has more to say in this session. */
  get isAsked(): boolean {
    return this.#state !== 'connectionDone';
  }

  /** A message was begun, and its last word on that has not been heard. */
  get isInMessage(): boolean {
    return this.#state === 'message';
  }

  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** What it was granted may be done to a message. */
  get actions(): number {
    return this.#agreement?.actions ?? 0;
  }

  /** Header values begin right behind the colon, both ways. */
  get takesLeadingSpace(): boolean {
    return this.#has(PROTOCOL.leadingSpace);
  }

  /** It wants to hear of recipients that were refused. */
  get takesRefused(): boolean {
    return this.#has(PROTOCOL.refusedRcpt);
  }

  /** Connects and agrees on how to talk. A failure is kept for who asks first. */
  open(): void {
    void this.#inTurn(async () => {
      const { version, connectMs, commandMs } = this.settings;
      await this.#places.take(connectMs, this.#stop.signal);
      this.#hasPlace = true;
      if (this.#stop.signal.aborted) {
        this.#leave();
        return;
      }
      const link = await Link.open(this.settings, this.#stop.signal);
      if (this.#stop.signal.aborted) {
        link.destroy();
        return;
      }
      this.#link = link;
      await link.write([encodeToMilter({ kind: 'negotiate', ...offerOf(version) })]);
      const agreed = agree(version, await link.next(commandMs).catch(dislikes));
      if (!agreed.ok) throw new MilterFailure('negotiation', agreed.why);
      this.#agreement = agreed.value;
      this.#state = 'idle';
    }).catch(() => {});
  }

  connect(packet: Extract<ToMilter, { kind: 'connect' }>, facts: MacroFacts): Promise<Answer> {
    return this.#ofConnection('connect', packet, facts);
  }

  hello(name: string, facts: MacroFacts): Promise<Answer> {
    return this.#ofConnection('hello', { kind: 'hello', name: octetsOf(name) }, facts);
  }

  /** @param words the sender in angle brackets, then each parameter */
  mail(words: readonly string[], facts: MacroFacts): Promise<Answer> {
    return this.#inTurn(async () => {
      this.#state = 'message';
      this.#skipsRcpt = false;
      return this.#ofMessage(await this.#ask('mail', { kind: 'mail', words }, facts));
    });
  }

  rcpt(words: readonly string[], facts: MacroFacts): Promise<Answer> {
    return this.#inTurn(async () => {
      if (!this.isInMessage || this.#skipsRcpt) return CONTINUE;
      const answer = await this.#ask('rcpt', { kind: 'rcpt', words }, facts);
      if (answer.kind === 'skip') this.#skipsRcpt = true;
      return answer.kind === 'refuse' || answer.kind === 'skip' ? answer : this.#ofMessage(answer);
    });
  }

  data(facts: MacroFacts): Promise<Answer> {
    return this.#inTurn(async () => this.#ofMessage(await this.#ask('data', { kind: 'data' }, facts)));
  }

  /** A command that is unknown; it is refused whatever the answer, which may choose the words. */
  unknown(line: string, facts: MacroFacts): Promise<Answer> {
    return this.#inTurn(async () => {
      const { isInMessage } = this;
      const answer = await this.#ask('unknown', { kind: 'unknown', line: octetsOf(line) }, facts);
      if (answer.kind === 'refuse') return answer;
      return isInMessage ? this.#ofMessage(answer) : CONTINUE;
    });
  }

  /**
   * A message that has come whole: its header, its body and its end; gathers the changes that it wants.
   * @param until when an answer is no use any more, on the clock of `performance.now()`
   */
  message(head: Head, edits: Edits, facts: MacroFacts, until: number): Promise<Answer> {
    return this.#inTurn(async () => {
      const early = (await this.#sendHead(head, facts, until)) ?? (await this.#sendBody(head, facts, until));
      if (early) return this.#ofMessage(early);
      await this.#send('end', { kind: 'end' }, facts);
      await this.#flush();
      const answer = await this.#verdict(edits, until);
      this.#state = 'messageDone';
      return answer;
    });
  }

  /** The message is given up, or its end has come. */
  abort(): void {
    void this.#inTurn(async () => {
      const wasInMessage = this.isInMessage;
      if (wasInMessage || this.#state === 'messageDone') this.#state = 'idle';
      if (wasInMessage) await this.#link!.write([encodeToMilter({ kind: 'abort' })]);
    }).catch(() => {}); // kept as its failure
  }

  /** The session is over, or this milter's part in it. */
  close(): void {
    if (this.#state === 'connectionDone') return;
    const goodbye: ToMilter[] = this.isInMessage ? [{ kind: 'abort' }, { kind: 'quit' }] : [{ kind: 'quit' }];
    const isTalking = this.#agreement !== undefined;
    this.#state = 'connectionDone';
    this.#stop.abort();
    if (isTalking) this.#link?.end(goodbye.map(encodeToMilter));
    else this.#link?.destroy();
    this.#leave();
  }

  #has(bit: number): boolean {
    return ((this.#agreement?.protocol ?? 0) & bit) !== 0;
  }

  #leave(): void {
    this.#link = undefined;
    if (this.#hasPlace) this.#places.give();
    this.#hasPlace = false;
  }

  /** Does one thing after the other; what fails is the end of this milter for the session. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof MilterFailure)) this.#fail(new MilterFailure('closed', 'an error of ours cut it short'));
        else if (this.#state !== 'connectionDone') this.#fail(error);
        throw error;
      }
    });
    this.#last = run.catch(() => {});
    return run;
  }

  #fail(failure: MilterFailure): void {
    this.#failure = failure;
    this.#state = 'failed';
    this.#stop.abort();
    this.#link?.destroy();
    this.#leave();
  }

  /** A stage at which `accept` is for the whole session. */
  #ofConnection(stage: 'connect' | 'hello', packet: ToMilter, facts: MacroFacts): Promise<Answer> {
    return this.#inTurn(async () => {
      const answer = await this.#ask(stage, packet, facts);
      if (answer.kind === 'accept') this.close();
      return answer;
    });
  }

  /** An answer that, unless it is to go on, is the last of this message. */
  #ofMessage(answer: Answer): Answer {
    if (answer.kind !== 'continue' && this.isInMessage) this.#state = 'messageDone';
    return answer;
  }

  async #ask(stage: Stage, packet: ToMilter, facts: MacroFacts, until = Number.POSITIVE_INFINITY): Promise<Answer> {
    const isAnswered = await this.#send(stage, packet, facts);
    if (!isAnswered && (stage === 'header' || stage === 'body')) return CONTINUE; // many follow
    await this.#flush();
    return isAnswered ? this.#answer(stage, until) : CONTINUE;
  }

  /** Writes a command with the macros in front of it; true if an answer is due. */
  async #send(stage: Stage, packet: ToMilter, facts: MacroFacts): Promise<boolean> {
    const { macros, without, silent } = STAGES[stage];
    const values = macros ? macrosFor(macros, this.#agreement!, facts) : [];
    if (values.length > 0) this.#put({ kind: 'macros', command: TO_MILTER[packet.kind].letter, values });
    if (this.#has(without)) return false;
    this.#put(packet);
    if (this.#batchBytes >= BATCH_BYTES) await this.#flush();
    return !this.#has(silent);
  }

  #put(packet: ToMilter): void {
    const octets = encodeToMilter(packet);
    this.#batch.push(octets);
    this.#batchBytes += octets.length;
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const packets = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    const link = this.#alive();
    if (link.hasUnread) throw new MilterFailure('protocol', 'it spoke without being asked');
    await link.write(packets);
  }

  #alive(): Link {
    if (!this.#link) throw new MilterFailure('closed', 'the session is over');
    return this.#link;
  }

  async #answer(stage: Stage, until: number): Promise<Answer> {
    const { wait, may } = STAGES[stage];
    const last = Math.min(until, performance.now() + this.settings.endMs);
    for (;;) {
      const packet = await this.#alive().next(waitFor(this.settings[wait], last));
      if (packet.kind === 'progress') continue;
      const answer = answerOf(packet);
      if (!answer) throw new MilterFailure('protocol', `it answered ${stage} with ${packet.kind}`);
      if (answer.kind === 'skip' && !(may.includes('skip') && this.#has(PROTOCOL.skip)))
        throw new MilterFailure('protocol', `it answered ${stage} with skip`);
      if (answer.kind === 'discard' && !may.includes('discard')) {
        this.#odd(`it answered ${stage} with discard, where there is nothing to discard`);
        return CONTINUE;
      }
      return this.#heard(answer);
    }
  }

  #heard(answer: Answer): Answer {
    if (answer.kind === 'refuse' && answer.oddity !== undefined) this.#odd(answer.oddity);
    return answer;
  }

  /** Gives the answer that was the milter's last word, if one was. */
  async #sendHead({ lines }: Head, facts: MacroFacts, until: number): Promise<Answer | undefined> {
    if (!this.#has(PROTOCOL.noHeaders)) {
      for (const line of lines) {
        const answer = await this.#ask('header', headerPacket(line, this.takesLeadingSpace), facts, until);
        if (answer.kind === 'skip') break;
        if (answer.kind !== 'continue') return answer;
      }
    }
    const answer = await this.#ask('headEnd', { kind: 'headEnd' }, facts, until);
    return answer.kind === 'continue' ? undefined : answer;
  }

  async #sendBody(head: Head, facts: MacroFacts, until: number): Promise<Answer | undefined> {
    if (this.#has(PROTOCOL.noBody)) return undefined;
    for await (const octets of pieces(head.body(), MILTER_LIMITS.sentBytes)) {
      const answer = await this.#ask('body', { kind: 'body', octets }, facts, until);
      if (answer.kind === 'skip') return undefined;
      if (answer.kind !== 'continue') return answer;
    }
    return undefined;
  }

  /** What comes after the end of a message: changes, signs of life, and the verdict. */
  async #verdict(edits: Edits, until: number): Promise<Answer> {
    const { contentMs, endMs } = this.settings;
    const last = Math.min(until, performance.now() + endMs);
    for (;;) {
      const packet = await this.#alive().next(waitFor(contentMs, last));
      if (packet.kind === 'progress') continue;
      if (isEdit(packet)) {
        await edits.take(packet);
        continue;
      }
      const answer = answerOf(packet);
      if (!answer || answer.kind === 'skip')
        throw new MilterFailure('protocol', `it answered the end of a message with ${packet.kind}`);
      const takes = answer.kind === 'continue' || answer.kind === 'accept';
      if (takes && edits.lacksBody) return { kind: 'refuse', verdict: UNAVAILABLE };
      return this.#heard(answer);
    }
  }
}

/** The shorter of a wait and what is left of a longer one. */
function waitFor(milliseconds: number, until: number): number {
  return Math.max(0, Math.min(milliseconds, until - performance.now()));
}

/** A milter that has no use for the offer just hangs up. */
function dislikes(error: unknown): never {
  if (!(error instanceof MilterFailure) || error.why !== 'closed') throw error;
  throw new MilterFailure('negotiation', 'it closed the connection when it was offered the protocol', { cause: error });
}

/** A field as a packet; one that no packet can hold is cut, for the milter's eyes only. */
function headerPacket({ name, value }: HeaderLine, leadingSpace: boolean): ToMilter {
  const room = MILTER_LIMITS.sentBytes - 2; // for the ends of both texts
  const shown = name.slice(0, room);
  const whole = leadingSpace || !value.startsWith(' ') ? value : value.slice(1);
  return { kind: 'header', name: shown, value: whole.slice(0, room - shown.length) };
}

/** Joins and cuts what streams by into pieces of one size, the last one shorter. */
async function* pieces(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const view of stream) {
    held.push(view);
    bytes += view.length;
    while (bytes >= size) {
      const whole = held.length === 1 ? held[0]! : Buffer.concat(held);
      yield whole.subarray(0, size);
      bytes = whole.length - size;
      held = bytes > 0 ? [whole.subarray(size)] : [];
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}
