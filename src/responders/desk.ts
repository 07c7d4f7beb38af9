import { parseAddress } from '../mail/address.ts';
import { type HeaderField, readHeaderFields } from '../mail/headers.ts';
import { inboxOf, type Naming } from '../mail/inbox.ts';
import { idTime } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store, StoredMessage, StoredRecipient } from '../mail/store.ts';
import type { Thread } from '../store/sqlite/thread.ts';
import type { AgentRunner } from './agent-runner.ts';
import type { AgentTable } from './agent-table.ts';
import { checkAnswer } from './answer.ts';
import type { Bounds, Excess, Job, NewMail } from './docket.ts';
import type { DocketMethods } from './docket-thread.ts';
import { RESPONDER_LIMITS } from './limits.ts';
import { type AnsweredSenders, whyNotToAnswer, whyNotToForward } from './loop-rules.ts';
import { composeReply } from './reply.ts';

export interface DeskOptions {
  readonly store: Store;
  readonly docket: Thread<DocketMethods>;
  readonly agents: AgentTable;
  readonly runner: AgentRunner;
  readonly naming: Naming;
  readonly hostname: string;
  readonly senders: AnsweredSenders;
  readonly intervalMs: number;
  readonly answersPerHour: number;
  /** Address that mail is forwarded to; '' for none. */
  readonly forwardTo: string;
  readonly report: Reporter;
  /** Jobs are left. */
  readonly onDone: (jobs: number) => void;
  /** There is mail to send. */
  readonly onMail: () => void;
}

/** What came of a job: queued for sending, or a word for why not, with more about it for people. */
export interface JobOutcome {
  readonly outcome: string;
  readonly why: string;
  /** What was thrown, if something was. */
  readonly error?: unknown;
}

const EXCESS: Readonly<Record<Excess, string>> = {
  twice: 'was answered already',
  interval: 'the sender has had an answer from this inbox a short while ago',
  hour: 'as many went out in this hour as may',
  queue: 'too many mails wait to leave',
};

/** Works through the jobs of the docket, a few at a time: has agents answer, or mail forwarded. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #atWork = new Map<number, { readonly worker: string; readonly work: Promise<void> }>();
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isClosed = false;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#isClosed) this.#running ??= this.#run();
  }

  /** Stops; what is not done is begun again by the next run. To be called when the runner is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await Promise.all([...this.#atWork.values()].map(({ work }) => work));
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        while (await this.#beginNext());
      } catch (error) {
        this.#options.report({ type: 'crash', where: 'responders', error });
      }
    }
    this.#running = undefined;
  }

  /** @returns whether there may be more to begin with */
  async #beginNext(): Promise<boolean> {
    const { agentsAtOnce, sameAgentAtOnce } = RESPONDER_LIMITS;
    if (this.#isClosed || this.#atWork.size >= agentsAtOnce) return false;
    const workers = [...this.#atWork.values()].map(({ worker }) => worker);
    const busy = workers.filter((worker) => workers.filter((one) => one === worker).length >= sameAgentAtOnce);
    const job = await this.#options.docket.call('begin', [...new Set(busy)]);
    if (!job) return false;
    const work = this.#work(job)
      .catch((error: unknown) => this.#options.report({ type: 'crash', where: 'responders', error }))
      .finally(() => {
        this.#atWork.delete(job.job);
        this.wake();
      });
    this.#atWork.set(job.job, { worker: job.worker, work });
    return true;
  }

  async #work(job: Job): Promise<void> {
    const { docket, report, onDone } = this.#options;
    const begun = performance.now();
    let came: JobOutcome;
    try {
      came = await this.#handle(job);
    } catch (error) {
      if (this.#isClosed) return docket.call('putBack', job.job);
      came = { outcome: 'crash', why: '', error };
    }
    if (this.#isClosed && came.outcome === 'stopping') return docket.call('putBack', job.job);
    const { kind, message, inbox, worker } = job;
    const milliseconds = performance.now() - begun;
    report({ type: 'responder', kind, message, inbox, agent: worker, milliseconds, ...came });
    if (came.outcome === 'queued') this.#options.onMail();
    onDone(await docket.call('drop', job.job));
  }

  async #handle(job: Job): Promise<JobOutcome> {
    const { store, naming } = this.#options;
    if (job.attempts > RESPONDER_LIMITS.attempts) {
      return { outcome: 'gave-up', why: `the daemon ended ${RESPONDER_LIMITS.attempts} times over this mail` };
    }
    if (Date.now() - idTime(job.message) > RESPONDER_LIMITS.answerWithinMs) return { outcome: 'too-old', why: '' };
    const stored = await store.get(job.message);
    const content = await store.content(job.message);
    if (!stored || !content) return { outcome: 'deleted', why: '' };
    if (stored.quarantine !== null) return { outcome: 'quarantined', why: stored.quarantine };
    const to = stored.envelope.to.find(({ inbox }) => inbox === job.inbox) ?? recipientOf(job.inbox, naming);
    if (job.kind === 'forward') return this.#forward(job, stored, to, await headOf(content));
    if (content.bytes > RESPONDER_LIMITS.mailBytes) return { outcome: 'too-large', why: '' };
    const raw = await wholeOf(content);
    return this.#answer(job, stored, to, raw);
  }

  async #forward(job: Job, stored: StoredMessage, to: StoredRecipient, head: Buffer): Promise<JobOutcome> {
    const { hostname, forwardTo } = this.#options;
    const reason = whyNotToForward({ fields: fieldsOf(head), address: to.address, hostname });
    if (reason !== undefined) return { outcome: reason, why: '' };
    return this.#queue(job, stored.envelope.from, { recipient: forwardTo, content: undefined });
  }

  async #answer(job: Job, stored: StoredMessage, to: StoredRecipient, raw: Buffer): Promise<JobOutcome> {
    const { agents, runner, docket, hostname, senders, report } = this.#options;
    const agent = agents.find(job.inbox);
    if (!agent) return { outcome: 'no-agent', why: '' };
    const fields = fieldsOf(raw);
    const { envelope, verification, receivedAt } = stored;
    const sender = envelope.from;
    const isOwn = agents.hasOwn.bind(agents);
    const facts = { sender, fields, inbox: job.inbox, address: to.address, hostname, isOwn, verification, senders };
    const reason = whyNotToAnswer(facts);
    if (reason !== undefined) return { outcome: reason, why: '' };
    const excess = await docket.call('excess', { job, sender: foldSender(sender), bounds: this.#bounds() });
    if (excess) return { outcome: excess, why: EXCESS[excess] };
    const mail = {
      facts: {
        id: stored.id,
        inbox: job.inbox,
        address: to.address,
        tag: to.tag,
        sender,
        envelope: { from: sender, to: envelope.to.map(({ address }) => address) },
        receivedAt,
      },
      raw,
    };
    const came = await runner.run(agent, mail).catch((error: unknown) => {
      if (this.#isClosed) return undefined;
      throw error;
    });
    if (came === undefined) return { outcome: 'stopping', why: '' };
    switch (came.kind) {
      case 'unloadable':
        return { outcome: 'unloadable', why: came.why };
      case 'unfit':
        return { outcome: 'unfit', why: came.why };
      case 'late':
        return { outcome: 'late', why: came.error.message };
      case 'crashed':
      case 'threw':
        report({ type: 'crash', where: 'agent', error: came.error });
        return { outcome: came.kind, why: came.error.message };
      case 'answer': {
        const checked = checkAnswer(came.answer);
        if (!checked.ok) return { outcome: 'unfit', why: checked.why };
        if (!checked.answer) return { outcome: 'silent', why: '' };
        const answered = { id: stored.id, sender, address: to.address, fields, hostname };
        return this.#queue(job, sender, { recipient: sender, content: await composeReply(checked.answer, answered) });
      }
      default: // a module can post to us what it likes
        return { outcome: 'unfit', why: 'the module posted a message of its own' };
    }
  }

  async #queue(job: Job, sender: string, mail: NewMail): Promise<JobOutcome> {
    const queued = { job, sender: foldSender(sender), mail, bounds: this.#bounds() };
    const excess = await this.#options.docket.call('queue', queued);
    return excess ? { outcome: excess, why: EXCESS[excess] } : { outcome: 'queued', why: '' };
  }

  #bounds(): Bounds {
    const { intervalMs, answersPerHour: perHour } = this.#options;
    return { now: Date.now(), intervalMs, perHour, outgoingMails: RESPONDER_LIMITS.outgoingMails };
  }
}

/** A sender by whatever spelling and tag. */
function foldSender(sender: string): string {
  const path = parseAddress(sender);
  return path ? inboxOf(path).inbox : sender;
}

/** An inbox to which no recipient led, as of a mail that was put there otherwise. */
function recipientOf(inbox: string, naming: Naming): StoredRecipient {
  return { address: naming === 'domain' ? `postmaster@${inbox}` : inbox, params: {}, inbox, tag: '' };
}

function fieldsOf(raw: Buffer): readonly HeaderField[] {
  const { headerBytes: bytes, headerFields: fields } = RESPONDER_LIMITS;
  return readHeaderFields(raw, { bytes, fields }).fields;
}

type Content = NonNullable<Awaited<ReturnType<Store['content']>>>;

async function wholeOf(content: Content): Promise<Buffer> {
  const views: Buffer[] = [];
  for await (const view of content.stream()) views.push(view);
  return Buffer.concat(views);
}

/** As much of a mail as its header may take. */
async function headOf(content: Content): Promise<Buffer> {
  const views: Buffer[] = [];
  let bytes = 0;
  for await (const view of content.stream()) {
    views.push(view);
    bytes += view.length;
    if (bytes >= RESPONDER_LIMITS.headerBytes) break;
  }
  return Buffer.concat(views);
}
