import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { BackOff } from '../mail/back-off.ts';
import type { Naming } from '../mail/inbox.ts';
import { threadEntry } from '../mail/killable-thread.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import { startThread, type Thread } from '../store/sqlite/thread.ts';
import { NamedInboxes, readAgentName } from './agent-names.ts';
import { AgentRunner } from './agent-runner.ts';
import { AgentTable } from './agent-table.ts';
import type { Carrier } from './carrier.ts';
import { Desk } from './desk.ts';
import { Dispatch } from './dispatch.ts';
import type { JobKind } from './docket.ts';
import type { DocketMethods } from './docket-thread.ts';
import { ResponderError } from './errors.ts';
import { Intake } from './intake.ts';
import type { AnsweredSenders } from './loop-rules.ts';

export interface RespondersOptions {
  readonly store: Store;
  /** Folder for the docket, or `:memory:`. */
  readonly directory: string;
  readonly naming: Naming;
  readonly hostname: string;
  /** Names of inboxes, and the agents that answer them. */
  readonly agents: readonly (readonly [name: string, source: string])[];
  /** Agent of all other inboxes; '' for none. */
  readonly fallback: string;
  /** Folder of agents; '' for none. */
  readonly folder: string;
  readonly agentMs: number;
  readonly agentBytes: number;
  readonly senders: AnsweredSenders;
  readonly intervalMs: number;
  readonly answersPerHour: number;
  /** Where mail of the inboxes named is forwarded; '' for nowhere. */
  readonly forwardTo: string;
  readonly forwardInboxes: readonly string[];
  readonly outgoingMs: number;
  readonly backOff: BackOff;
  readonly carrier: Carrier;
  readonly report: Reporter;
}

/** What answers and forwards mail while a daemon runs. */
export interface Responders {
  /** Stops; what is not done goes on at the next start. To be called before the store closes. */
  close(): Promise<void>;
}

const DOCKET = 'responders.db';

/**
 * Starts what answers mail: the journal of the store becomes jobs (intake), agents do them (desk), and what they answer
 * leaves (dispatch). Between them stands the docket, on disk; each goes on by itself where the last run ended.
 * @throws ResponderError
 */
export async function startResponders(options: RespondersOptions): Promise<Responders> {
  const { store, naming, report, forwardTo, carrier } = options;
  const forwarded = new NamedInboxes<true>(naming);
  if (forwardTo !== '') {
    for (const name of options.forwardInboxes) {
      const read = readAgentName(name, naming);
      if (!read.ok) throw new ResponderError(`forward-inboxes ${name}: ${read.why}`);
      forwarded.add(read, true);
    }
  }
  const { agentMs, agentBytes } = options;
  const print = (source: string, text: string): void =>
    report({ type: 'agent', event: 'printed', source, why: text.trimEnd() });
  const runner = new AgentRunner({ agentMs, agentBytes, report, print });
  const isForwarded = (inbox: string): boolean => forwarded.find(inbox) === true;
  const agents = new AgentTable({ ...options, isReserved: isForwarded, runner });
  let docket: Thread<DocketMethods> | undefined;
  try {
    await agents.start();
    docket = await openDocket(options.directory, report);
  } catch (error) {
    await agents.close();
    await runner.close();
    throw error;
  }
  const { event, pending, lost } = await docket.call('start', undefined);
  const dispatch = new Dispatch({ ...options, docket, carrier });
  const jobsOf = (inbox: string): { kind: JobKind; worker: string }[] => {
    const agent = agents.find(inbox);
    return [
      ...(agent ? [{ kind: 'answer' as const, worker: agent.source }] : []),
      ...(isForwarded(inbox) ? [{ kind: 'forward' as const, worker: '' }] : []),
    ];
  };
  const refresh = (): Promise<void> => agents.refresh();
  const feed = store.feed;
  const intake: Intake = new Intake(
    { feed, docket, jobsOf, refresh, onJobs: () => desk.wake(), report },
    event,
    pending,
  );
  const desk: Desk = new Desk({
    ...options,
    docket,
    agents,
    runner,
    onDone: (jobs) => intake.done(jobs),
    onMail: () => dispatch.wake(),
  });
  dispatch.reportLost(lost);
  dispatch.wake();
  desk.wake();
  intake.start();
  return {
    async close() {
      await intake.close();
      await agents.close();
      await Promise.all([desk.close(), runner.close()]);
      await dispatch.close();
      await docket.call('close', undefined);
      await docket.end();
    },
  };
}

/** A dead docket is told once; nothing is answered until the next start. */
async function openDocket(directory: string, report: Reporter): Promise<Thread<DocketMethods>> {
  const path = directory === ':memory:' ? directory : join(directory, DOCKET);
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600)); // SQLite gives the files beside it the same rights
    return await startThread<DocketMethods>(threadEntry('./docket-thread', import.meta.url), {
      name: 'docket of responders',
      data: path,
      onDeath: (error) => report({ type: 'crash', where: 'responders', error }),
    });
  } catch (error) {
    const { message } = error as Error;
    throw new ResponderError(`${path} cannot be used: ${message}; move it away to begin anew`, { cause: error });
  }
}
