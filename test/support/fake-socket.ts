import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** One end of a connection without a network: segments arrive exactly as cut, which TCP does not promise. */
export class FakeSocket extends Duplex {
  /** All that the daemon has written. */
  readonly written: Buffer[] = [];
  /** While false the client reads nothing, and writes stay pending. */
  reading = true;
  #pending: (() => void) | undefined;
  remoteAddress = '192.0.2.1';
  remotePort = 54321;

  constructor() {
    super({ allowHalfOpen: true, readableHighWaterMark: 1 << 20, writableHighWaterMark: 65536 });
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  override _read(): void {
    // segments are pushed when the client sends them
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    if (this.reading) done();
    else this.#pending = done;
  }

  /** What arrived is the listener's until it returns; who keeps it longer finds something else there. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const heard = super.emit(event, ...values);
    if (event === 'data') (values[0] as Buffer).fill('!');
    return heard;
  }

  /** As `net.Socket` has it. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  /** The client reads on. */
  readOn(): void {
    this.reading = true;
    const done = this.#pending;
    this.#pending = undefined;
    done?.();
  }

  /** The client sends one segment. */
  send(segment: Buffer): void {
    this.push(Buffer.from(segment));
  }

  /** The client closes its sending half. */
  halfClose(): void {
    this.push(null);
  }
}
