import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Wire } from '../loads/wire.ts';
import { DISCARDING, startInboxd } from '../servers/inboxd.ts';
import { type Measure, markdownTable, timeCells } from './measure.ts';
import { residentBytes } from './process-memory.ts';

const AT_ONCE = 100;
const NEW_CLIENTS = 1_000;
const SETTLE_MS = 2_000;
/** Descriptors that daemon and client have for other things than sessions, and one more for a new client. */
const OTHER_DESCRIPTORS = 100;

/** Opens so many connections that have said EHLO, a few at a time. */
async function openAll(port: number, count: number): Promise<Wire[]> {
  const wires: Wire[] = [];
  let left = count;
  const opener = async (): Promise<void> => {
    while (left-- > 0) {
      const wire = await Wire.open(port);
      await wire.exchange('EHLO idle.bench.example\r\n');
      wires.push(wire);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  return wires;
}

/** As many sessions as one process can have, the daemon and this one alike. */
function mostSessions(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  if (!found) throw new Error('/proc/self/limits does not say how many files may be open');
  return Number(found[1]) - OTHER_DESCRIPTORS;
}

async function rowOf(sessions: number): Promise<string[]> {
  const server = await startInboxd([...DISCARDING, '--max-connections', String(sessions + AT_ONCE)]);
  try {
    for (const wire of await openAll(server.port, AT_ONCE)) wire.close(); // what the first clients cost is no session's
    await pause(SETTLE_MS);
    const before = residentBytes(server.pid);
    const wires = await openAll(server.port, sessions);
    await pause(SETTLE_MS);
    const each = (residentBytes(server.pid) - before) / sessions;
    const times: number[] = [];
    for (let client = 0; client < NEW_CLIENTS; client++) {
      const from = performance.now();
      const wire = await Wire.open(server.port);
      await wire.exchange('EHLO new.bench.example\r\n');
      times.push(performance.now() - from);
      wire.close();
    }
    for (const wire of wires) await wire.exchange('NOOP\r\n'); // every one of them is still served
    for (const wire of wires) wire.close();
    return [String(sessions), (each / 1024).toFixed(1), ...timeCells(times)];
  } finally {
    await server.stop();
  }
}

/** What connections cost that say nothing. */
export const idle: Measure = {
  name: 'idle',
  title: 'Idle sessions',
  async run(isShort) {
    const rows: string[][] = [];
    for (const sessions of isShort ? [1_000] : [10_000, mostSessions()]) rows.push(await rowOf(sessions));
    return markdownTable(
      ['sessions', 'RSS of each, KiB', 'a new client until its EHLO is answered, ms: median', 'p99', 'longest'],
      rows,
    );
  },
};
