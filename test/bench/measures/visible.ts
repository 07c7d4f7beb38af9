import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { plainMessage, Submission } from '../loads/submission.ts';
import { startInboxd } from '../servers/inboxd.ts';
import { type Measure, markdownTable, timeCells } from './measure.ts';

const MESSAGE_BYTES = 4096;
const MESSAGES_PER_SECOND = 200;
const EVENT_MS = 10_000;

/** Follows the live events and notes when each message was told of. */
async function follow(api: string): Promise<{ at: ReadonlyMap<string, number>; close(): void }> {
  const request = get(`${api}/events`);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const at = new Map<string, number>();
  let rest = '';
  response.on('data', (view: Buffer) => {
    const now = performance.now();
    const blocks = (rest + view.toString('utf8')).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      if (!block.includes('event: received')) continue;
      const data = /^data: (.*)$/m.exec(block)?.[1] ?? '{}';
      at.set((JSON.parse(data) as { id: string }).id, now);
    }
  });
  return { at, close: () => request.destroy() };
}

/** Sends at a steady pace and calls with each message that has its 250. */
async function sendSteadily(
  port: number,
  messages: number,
  taken: (id: string, takenAt: number) => Promise<void> | void,
): Promise<void> {
  const submission = await Submission.open(port);
  const content = plainMessage(MESSAGE_BYTES);
  const from = performance.now();
  for (let number = 0; number < messages; number++) {
    const wait = from + (number * 1000) / MESSAGES_PER_SECOND - performance.now();
    if (wait > 1) await pause(wait);
    const { id, takenAt } = await submission.send(`box${number % 100}@bench.example`, content);
    await taken(id, takenAt);
  }
  submission.close();
}

/** How soon a message that has its 250 is seen by who reads, and told to who listens. */
export const visible: Measure = {
  name: 'visible',
  title: 'From 250 to the API and to live events',
  async run(isShort) {
    const messages = isShort ? 200 : 2_000;
    const server = await startInboxd();
    try {
      const events = await follow(server.api);
      const takenAt = new Map<string, number>();
      await sendSteadily(server.port, messages, (id, at) => void takenAt.set(id, at));
      for (const give = performance.now() + EVENT_MS; events.at.size < messages; await pause(20)) {
        if (performance.now() > give) throw new Error(`${events.at.size} events for ${messages} messages`);
      }
      events.close();
      const told = [...takenAt].map(([id, at]) => Math.max(0, events.at.get(id)! - at));
      const read: number[] = [];
      await sendSteadily(server.port, messages, async (id, at) => {
        const response = await fetch(`${server.api}/messages/${id}`);
        await response.arrayBuffer();
        if (response.status !== 200) throw new Error(`message ${id} has its 250 and is not there: ${response.status}`);
        read.push(performance.now() - at);
      });
      return markdownTable(
        [`${messages} messages, at most ${MESSAGES_PER_SECOND} a second`, 'median, ms', 'p99', 'longest'],
        [
          ['its event arrives', ...timeCells(told)],
          ['it has been read over the API, asked for at its 250', ...timeCells(read)],
        ],
      );
    } finally {
      await server.stop();
    }
  },
};
