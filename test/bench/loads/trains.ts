import type { Load } from '../contest.ts';
import { Wire } from './wire.ts';

const MESSAGE_BYTES = 4096;
/** Messages that one write brings whole. */
const TRAIN = 10;
const SESSIONS = 4;

const HEADER = 'From: <foo@bench.example>\r\nTo: <bar@bench.example>\r\nSubject: One of a train\r\n\r\n';
const LINE = `${'x'.repeat(70)}\r\n`;

/** Ten times MAIL, RCPT and a chunk that is the whole message: nothing in it has to wait for a reply (RFC 2920, RFC 3030). */
function train(): Buffer {
  const content = (HEADER + LINE.repeat(MESSAGE_BYTES / LINE.length)).padEnd(MESSAGE_BYTES - 2, 'x').concat('\r\n');
  const message = `MAIL FROM:<foo@bench.example>\r\nRCPT TO:<bar@bench.example>\r\nBDAT ${content.length} LAST\r\n${content}`;
  return Buffer.from(message.repeat(TRAIN), 'latin1');
}

/** A client that waits for nothing within ten messages. */
export const TRAINS: Load = {
  name: 'trains',
  title: `${SESSIONS} sessions, ${TRAIN} messages in one write (PIPELINING with BDAT, a client of our own)`,
  reconnects: false,
  messages: 64_000,
  warmUp: 16_000,
  without: ['smtp-sink', 'smtp-server', 'maildev'], // they know no BDAT
  async run(port, messages) {
    const octets = train();
    let left = Math.ceil(messages / TRAIN);
    const session = async (): Promise<void> => {
      const wire = await Wire.open(port);
      await wire.exchange('EHLO client.bench.example\r\n');
      while (left-- > 0) await wire.exchange(octets, 3 * TRAIN);
      await wire.exchange('QUIT\r\n');
      wire.close();
    };
    await Promise.all(Array.from({ length: SESSIONS }, session));
  },
};
