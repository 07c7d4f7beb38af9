import { createConnection, type Socket } from 'node:net';
import { MilterFailure } from './failure.ts';
import { MILTER_LIMITS, type MilterSettings } from './limits.ts';
import { PacketReader } from './packet-reader.ts';
import { decodeFromMilter, type FromMilter } from './packets.ts';

/**
 * A connection to a milter: packets out and in. It takes no more than the milter reads, and reads no more than it is
 * asked for, so neither side can fill the other's memory. One caller at a time.
 */
export class Link {
  readonly #socket: Socket;
  readonly #reader = new PacketReader(decodeFromMilter, MILTER_LIMITS.packetBytes);
  /** Who waits for something to happen to the socket. */
  #wake: (() => void) | undefined;
  #hasEnded = false;
  #error: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const wake = (): void => this.#wake?.();
    socket.on('readable', wake);
    socket.on('drain', wake);
    socket.on('end', () => {
      this.#hasEnded = true;
      wake();
    });
    socket.on('close', () => {
      this.#hasEnded = true;
      wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
      wake();
    });
  }

  /**
   * Connects.
   * @throws MilterFailure if that fails, takes too long or is no longer wanted
   */
  static open({ address, connectMs }: Pick<MilterSettings, 'address' | 'connectMs'>, stop: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(address);
      socket.setNoDelay();
      const fail = (why: 'connect' | 'timeout', message: string, cause?: Error): void => {
        settle();
        socket.on('error', () => {}); // what else goes wrong on its way out adds nothing
        socket.destroy();
        reject(new MilterFailure(why, message, { cause }));
      };
      const failed = (error: Error): void => fail('connect', error.message, error);
      const stopped = (): void => fail('connect', 'the session is over');
      const timer = setTimeout(() => fail('timeout', `no connection within ${connectMs} ms`), connectMs);
      const settle = (): void => {
        clearTimeout(timer);
        socket.off('error', failed);
        stop.removeEventListener('abort', stopped);
      };
      socket.once('error', failed);
      stop.addEventListener('abort', stopped);
      socket.once('connect', () => {
        settle();
        resolve(new Link(socket));
      });
    });
  }

  /** The milter has said something that nobody has asked for yet. */
  get hasUnread(): boolean {
    return this.#reader.hasUnread || this.#socket.readableLength > 0;
  }

  /**
   * Writes packets; a promise is there to wait for before more are written.
   * @throws MilterFailure if the milter is gone or does not read
   */
  write(packets: readonly Buffer[]): void | Promise<void> {
    this.#check();
    const isTaken = this.#socket.write(packets.length === 1 ? packets[0]! : Buffer.concat(packets));
    return isTaken ? undefined : this.#drained();
  }

  /**
   * Reads the next packet.
   * @throws MilterFailure if none comes in time, the milter is gone, or sends what is none
   */
  async next(milliseconds: number): Promise<FromMilter> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const read = this.#reader.next();
      if (read.kind === 'packet') return read.packet;
      if (read.kind === 'malformed') throw new MilterFailure('protocol', read.why);
      const view = this.#socket.read() as Buffer | null;
      if (view) this.#reader.push(view);
      else {
        this.#check();
        await this.#happening(deadline, `no answer within ${milliseconds} ms`);
      }
    }
  }

  /** Says the last packets and hangs up, without waiting for an answer. */
  end(packets: readonly Buffer[]): void {
    const socket = this.#socket;
    if (this.#hasEnded) {
      this.destroy();
      return;
    }
    // nobody waits for its goodbye, the process neither
    const timer = setTimeout(() => socket.destroy(), MILTER_LIMITS.writeMs).unref();
    socket.once('close', () => clearTimeout(timer)).unref();
    socket.end(Buffer.concat(packets));
    socket.removeAllListeners('readable').resume(); // what it still says is not read, but its end has to be seen
    this.#gone();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#gone();
  }

  #gone(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async #drained(): Promise<void> {
    const { writeMs } = MILTER_LIMITS;
    const deadline = performance.now() + writeMs;
    while (this.#socket.writableNeedDrain) {
      this.#check();
      await this.#happening(deadline, `it has not read what was written to it within ${writeMs} ms`);
    }
  }

  #check(): void {
    if (this.#error) throw new MilterFailure('closed', this.#error.message, { cause: this.#error });
    if (this.#hasEnded) throw new MilterFailure('closed', 'it closed the connection');
  }

  /** Waits for anything to happen to the socket. */
  #happening(deadline: number, otherwise: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
      };
      const late = (): void => {
        done();
        reject(new MilterFailure('timeout', otherwise));
      };
      const timer = setTimeout(late, Math.max(0, deadline - performance.now()));
      this.#wake = () => {
        done();
        resolve();
      };
    });
  }
}
