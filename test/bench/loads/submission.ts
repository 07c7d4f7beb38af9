import { Wire } from './wire.ts';

/** A client of our own that sends one message after another over a connection. */
export class Submission {
  readonly #wire: Wire;

  static async open(port: number): Promise<Submission> {
    const wire = await Wire.open(port);
    await wire.exchange('EHLO client.bench.example\r\n');
    return new Submission(wire);
  }

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * Sends a message.
   * @param content with its lone dot
   * @returns its id, and when its content was sent and its 250 came, as `performance.now()` has it
   */
  async send(to: string, content: Buffer): Promise<{ id: string; sentAt: number; takenAt: number }> {
    await this.#wire.exchange('MAIL FROM:<sender@bench.example>\r\n');
    await this.#wire.exchange(`RCPT TO:<${to}>\r\n`);
    await this.#wire.exchange('DATA\r\n');
    const sentAt = performance.now();
    const said = await this.#wire.exchange(content);
    return { id: /queued as (\w+)/.exec(said)?.[1] ?? '', sentAt, takenAt: performance.now() };
  }

  close(): void {
    this.#wire.close();
  }
}

const HEADER = 'From: <sender@bench.example>\r\nTo: <box@bench.example>\r\nSubject: A message\r\n\r\n';
const LINE = `${'x'.repeat(70)}\r\n`;

/** A message of about so many octets, with its lone dot. */
export function plainMessage(octets: number): Buffer {
  return Buffer.from(`${HEADER}${LINE.repeat(Math.ceil((octets - HEADER.length) / LINE.length))}.\r\n`, 'latin1');
}
