import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { base64Lines } from '../loads/base64-lines.ts';
import { Wire } from '../loads/wire.ts';
import { startInboxd } from '../servers/inboxd.ts';
import { type Measure, markdownTable } from './measure.ts';
import { forgetPeak, peakBytes, residentBytes } from './process-memory.ts';

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 25 * MIB;
const SETTLE_MS = 2_000;

/** Sends one and gives its id and the SHA-256 of what was sent. */
async function sendLarge(port: number, part: Buffer, number: number): Promise<{ id: string; hash: string }> {
  const hash = createHash('sha256');
  const wire = await Wire.open(port);
  await wire.exchange('EHLO large.bench.example\r\n');
  await wire.exchange('MAIL FROM:<large@bench.example>\r\n');
  await wire.exchange(`RCPT TO:<large${number}@bench.example>\r\n`);
  await wire.exchange('DATA\r\n');
  const send = async (octets: Buffer): Promise<void> => {
    hash.update(octets);
    wire.send(octets);
    await wire.sent();
  };
  await send(Buffer.from(`From: <large@bench.example>\r\nSubject: Large ${number}\r\n\r\n`));
  for (let sent = 0; sent < MESSAGE_BYTES; sent += part.length) await send(part);
  const said = await wire.exchange('.\r\n');
  wire.close();
  return { id: /queued as (\w+)/.exec(said)![1]!, hash: hash.digest('hex') };
}

/** Many large messages that arrive at the same time, each of them looked at afterwards. */
export const large: Measure = {
  name: 'large',
  title: 'Large messages at once',
  async run(isShort) {
    const sessions = isShort ? 10 : 100;
    const server = await startInboxd();
    try {
      const part = Buffer.from(base64Lines(MIB), 'latin1'); // noise, so that a part in a wrong place is found
      await sendLarge(server.port, part, 0);
      await pause(SETTLE_MS);
      const before = residentBytes(server.pid);
      forgetPeak(server.pid);
      const from = performance.now();
      const sent = await Promise.all(
        Array.from({ length: sessions }, (_, number) => sendLarge(server.port, part, number + 1)),
      );
      const seconds = (performance.now() - from) / 1000;
      const grown = peakBytes(server.pid) - before;
      for (const { id, hash } of sent) {
        const response = await fetch(`${server.api}/messages/${id}/raw`);
        const kept = createHash('sha256');
        for await (const view of response.body!) kept.update(view);
        if (kept.digest('hex') !== hash) throw new Error(`message ${id} is not what was sent`);
      }
      return markdownTable(
        ['messages of 25 MiB at once', 'RSS grew by at most, MiB', 'MiB/s', 'exact'],
        [
          [
            String(sessions),
            (grown / MIB).toFixed(0),
            ((sessions * 25) / seconds).toFixed(0),
            `${sent.length} of ${sessions}`,
          ],
        ],
      );
    } finally {
      await server.stop();
    }
  },
};
