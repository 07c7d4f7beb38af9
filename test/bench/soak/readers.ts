import { setTimeout as pause } from 'node:timers/promises';
import { createRandom } from '../../support/random.ts';

/** What readers of the API did while the mail came in. */
export interface ReadCount {
  requests: number;
  events: number;
  /** Answers that no reader should get. */
  troubles: string[];
}

const THINKING_MS = 200;
const STAY_MS = 5_000;

/** People with the page open: list, look at a mail, search, mark it read, delete it. Ends with the signal. */
export async function browse(url: string, count: ReadCount, signal: AbortSignal, seed: number): Promise<void> {
  const random = createRandom(seed);
  const ask = async (path: string, init?: RequestInit): Promise<Response | undefined> => {
    const response = await fetch(`${url}${path}`, { ...init, headers: { connection: 'close' }, signal }).catch(
      (error: unknown) => {
        if (!signal.aborted) count.troubles.push(`${path}: ${error}`);
        return undefined;
      },
    );
    if (!response) return undefined;
    count.requests++;
    // a mail may be gone by retention between two requests
    if (!response.ok && response.status !== 404) count.troubles.push(`${path}: ${response.status}`);
    return response;
  };
  const text = (path: string): Promise<string> =>
    ask(path).then(
      (response) => response?.text().catch(() => '') ?? '',
      () => '',
    );
  while (!signal.aborted) {
    const list = await text('/api/search?limit=20');
    const messages = list === '' ? [] : ((JSON.parse(list) as { messages: { id: string }[] }).messages ?? []);
    const id = messages[Math.floor(random() * messages.length)]?.id;
    if (id !== undefined) {
      await text(`/api/messages/${id}`);
      await text(`/api/messages/${id}/raw`);
      await text(`/api/messages/${id}/text`);
      if (random() < 0.3) await text(`/api/search?limit=5&q=${encodeURIComponent('subject:number quick')}`);
      if (random() < 0.1)
        await ask(`/api/messages/${id}`, { method: 'DELETE' }).then((response) => response?.body?.cancel());
    }
    await text('/api/inboxes?limit=50');
    await pause(THINKING_MS * (0.5 + random()));
  }
}

/**
 * Follows the events.
 * @param stays for good, or to leave and come back all the time
 */
export async function follow(url: string, count: ReadCount, signal: AbortSignal, stays: boolean): Promise<void> {
  while (!signal.aborted) {
    const leave = stays ? signal : AbortSignal.any([signal, AbortSignal.timeout(STAY_MS)]);
    try {
      const response = await fetch(`${url}/api/events`, { signal: leave });
      if (response.status !== 200) count.troubles.push(`events: ${response.status}`);
      for await (const part of response.body!) for (const octet of part) if (octet === 0x0a) count.events++;
      if (!leave.aborted) count.troubles.push('events: the stream ended');
    } catch (error) {
      if (!leave.aborted) count.troubles.push(`events: ${error}`);
    }
  }
}
