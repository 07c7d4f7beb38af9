import { setTimeout as pause } from 'node:timers/promises';
import { plainMessage, Submission } from '../loads/submission.ts';
import { startInboxd } from '../servers/inboxd.ts';
import { type Measure, markdownTable, timeCells } from './measure.ts';

const SESSIONS = 20;
const MESSAGE_BYTES = 4096;
const INBOXES = 1000;

/** Sends over many sessions, at most so many messages a second in all; gives the time from the final dot to 250 of each. */
async function load(port: number, messagesPerSecond: number, milliseconds: number): Promise<number[]> {
  const content = plainMessage(MESSAGE_BYTES);
  const from = performance.now();
  const times: number[] = [];
  let number = 0;
  const session = async (): Promise<void> => {
    const submission = await Submission.open(port);
    for (;;) {
      const due = from + (number++ * 1000) / messagesPerSecond;
      if (Math.max(due, performance.now()) > from + milliseconds) break;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      const { sentAt, takenAt } = await submission.send(`box${number % INBOXES}@bench.example`, content);
      times.push(takenAt - sentAt);
    }
    submission.close();
  };
  await Promise.all(Array.from({ length: SESSIONS }, session));
  return times;
}

/** How long a client waits for the 250 of a message that is on disk then. */
export const latency: Measure = {
  name: 'latency',
  title: 'From the final dot to 250, stored with fsync',
  async run(isShort) {
    const fullMs = isShort ? 1_000 : 5_000;
    const halfMs = isShort ? 2_000 : 20_000;
    const full = await warmLoad(Number.POSITIVE_INFINITY, fullMs, fullMs);
    const half = await warmLoad(full.length / (fullMs / 1000) / 2, fullMs, halfMs);
    const row = (what: string, times: readonly number[], ms: number): string[] => [
      what,
      (times.length / (ms / 1000)).toFixed(0),
      ...timeCells(times),
    ];
    return markdownTable(
      [`load of a client of our own, ${SESSIONS} sessions`, 'messages/s', 'median, ms', 'p99', 'longest'],
      [row('half', half, halfMs), row('full', full, fullMs)],
    );
  },
};

/** Puts a daemon of its own to a load, so that none has to catch up with what another brought; counts from when it is warm. */
async function warmLoad(messagesPerSecond: number, warmUpMs: number, milliseconds: number): Promise<number[]> {
  const server = await startInboxd();
  try {
    await load(server.port, messagesPerSecond, warmUpMs);
    return await load(server.port, messagesPerSecond, milliseconds);
  } finally {
    await server.stop();
  }
}
