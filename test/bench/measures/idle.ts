import { setTimeout as pause } from 'node:timers/promises';
import { Wire } from '../loads/wire.ts';
import { DISCARDING, startInboxd } from '../servers/inboxd.ts';
import { type Measure, markdownTable, timeCells } from './measure.ts';
import { residentBytes } from './process-memory.ts';

const AT_ONCE = 100;
const NEW_CLIENTS = 100;
const SETTLE_MS = 2_000;

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

/** What connections cost that say nothing. */
export const idle: Measure = {
  name: 'idle',
  title: 'Idle sessions',
  async run(isShort) {
    const sessions = isShort ? 1_000 : 10_000;
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
      return markdownTable(
        ['sessions', 'RSS of each, KiB', 'a new client until its EHLO is answered, ms: median', 'p99', 'longest'],
        [[String(sessions), (each / 1024).toFixed(1), ...timeCells(times)]],
      );
    } finally {
      await server.stop();
    }
  },
};
