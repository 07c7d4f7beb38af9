import { type BackOff, backOffMs } from '../mail/back-off.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import { storedTraceHeaders } from '../mail/trace.ts';
import type { Thread } from '../store/sqlite/thread.ts';
import type { Carrier, Fate } from './carrier.ts';
import type { OutgoingHead, OutgoingMail } from './docket.ts';
import type { DocketMethods } from './docket-thread.ts';
import { forwardStream } from './forward.ts';

export interface DispatchOptions {
  readonly docket: Thread<DocketMethods>;
  readonly store: Store;
  readonly carrier: Carrier;
  readonly hostname: string;
  /** How long a mail is tried at most. */
  readonly outgoingMs: number;
  readonly backOff: BackOff;
  readonly report: Reporter;
}

/** Takes mails from the docket to the carrier, one after the other, and tries again what was not taken. */
export class Dispatch {
  readonly #options: DispatchOptions;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isWanted = false;
  #isClosed = false;
  /** Failures in a row that others would have met too; nothing is tried until the wait is over. */
  #failures = 0;
  #pausedTo = 0;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** There may be mail to send. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#isClosed) this.#running ??= this.#run();
  }

  /** Tells of mails that were on their way when the last run died. */
  reportLost(lost: readonly OutgoingHead[]): void {
    const why = 'the daemon ended while the smarthost was taking it: it may have arrived, and is not sent again';
    for (const mail of lost) this.#tell(mail, 'unknown', why);
  }

  /** Stops; what waits is sent by the next run. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#options.carrier.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        while (await this.#sendNext());
      } catch (error) {
        if (!this.#isClosed) this.#options.report({ type: 'crash', where: 'responders', error });
        this.#sleepUntil(Date.now() + this.#options.backOff.firstMs);
      }
    }
    this.#running = undefined;
  }

  /** @returns whether there may be another to send now */
  async #sendNext(): Promise<boolean> {
    if (this.#isClosed) return false;
    const { docket } = this.#options;
    const now = Date.now();
    if (now < this.#pausedTo) return this.#sleepUntil(this.#pausedTo);
    const due = await docket.call('due', now);
    if (!due) return false;
    if ('at' in due) return this.#sleepUntil(due.at);
    await this.#send(due.mail);
    return true;
  }

  async #send(mail: OutgoingMail): Promise<void> {
    const { carrier, docket } = this.#options;
    const content = await this.#contentOf(mail);
    const fate: Fate = content
      ? await carrier.carry({ ...mail, content, handOver: () => docket.call('handOver', mail.mail) })
      : { kind: 'refused', why: 'the message was deleted before it could be forwarded' };
    if (this.#isClosed && fate.kind === 'later') return; // given up because we stop
    if (fate.kind !== 'later') {
      this.#failures = 0;
      await docket.call('settle', mail.mail);
      this.#tell(mail, fate.kind, fate.kind === 'sent' ? fate.where : fate.why);
      return;
    }
    await this.#putOff(mail, fate);
  }

  async #putOff(mail: OutgoingMail, { why, forAll }: Fate & { kind: 'later' }): Promise<void> {
    const { docket, backOff, outgoingMs } = this.#options;
    const now = Date.now();
    this.#failures = forAll ? this.#failures + 1 : 0;
    if (forAll) this.#pausedTo = now + backOffMs(backOff, this.#failures);
    if (now - mail.queuedAt >= outgoingMs) {
      await docket.call('settle', mail.mail);
      this.#tell(mail, 'expired', why);
      return;
    }
    await docket.call('defer', { mail: mail.mail, dueAt: now + backOffMs(backOff, mail.attempts + 1) });
    this.#tell(mail, 'later', why);
  }

  async #contentOf(mail: OutgoingMail): Promise<(() => AsyncIterable<Buffer>) | undefined> {
    const { store, hostname } = this.#options;
    const { content: written, message: id, inbox, recipient: target } = mail;
    if (written) return () => once(Buffer.from(written.buffer, written.byteOffset, written.byteLength));
    const stored = await store.get(id);
    const content = await store.content(id);
    if (!stored || !content) return undefined;
    const address = stored.envelope.to.find((to) => to.inbox === inbox)?.address ?? inbox;
    const trace = receivedField(storedTraceHeaders(stored, hostname));
    return () => forwardStream(content.stream(), { id, address, target, hostname, trace });
  }

  #sleepUntil(at: number): false {
    clearTimeout(this.#timer);
    const wait = Math.min(Math.max(at - Date.now(), 0), 60_000); // the clock may be set meanwhile
    if (!this.#isClosed) this.#timer = setTimeout(() => this.wake(), wait).unref();
    return false;
  }

  #tell(
    { kind, message, inbox, recipient, attempts }: OutgoingHead,
    result: Fate['kind'] | 'expired',
    detail: string,
  ): void {
    this.#options.report({ type: 'outgoing', kind, message, inbox, recipient, attempts: attempts + 1, result, detail });
  }
}

/** Our own Received field out of the trace; what else is in there is not for the next server. */
function receivedField(trace: Buffer): Buffer {
  return trace.subarray(trace.indexOf('\r\nReceived: ') + 2);
}

async function* once(content: Buffer): AsyncIterable<Buffer> {
  yield content;
}
