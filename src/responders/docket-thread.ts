import { serveThread } from '../store/sqlite/thread.ts';
import { type Bounds, Docket, type Job, type NewJob, type NewMail } from './docket.ts';

/** Entry of the thread that keeps the docket: no caller waits for a disk on the event loop. */
function methodsOf(docket: Docket) {
  return {
    start: () => docket.start(),
    take: (taken: { event: number; jobs: readonly NewJob[]; known: readonly string[] }) => docket.take(taken),
    begin: (busy: readonly string[]) => docket.begin(busy),
    putBack: (job: number) => docket.putBack(job),
    drop: (job: number) => docket.drop(job),
    excess: (asked: { job: Job; sender: string; bounds: Bounds }) => docket.excess(asked),
    queue: (queued: { job: Job; sender: string; mail: NewMail; bounds: Bounds }) => docket.queue(queued),
    due: (now: number) => docket.due(now),
    handOver: (mail: number) => docket.handOver(mail),
    defer: (deferred: { mail: number; dueAt: number }) => docket.defer(deferred),
    settle: (mail: number) => docket.settle(mail),
    close: () => docket.close(),
  };
}

export type DocketMethods = ReturnType<typeof methodsOf>;

serveThread((path: string) => methodsOf(new Docket(path)));
