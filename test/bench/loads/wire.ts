import { connect, type Socket } from 'node:net';

/**
 * The client of our own loads: writes octets that were made before and looks at no more of the replies than their codes,
 * so that it costs little beside the server that it loads.
 */
export class Wire {
  readonly #socket: Socket;
  #rest = '';
  #due = 0;
  #last = '';
  #waiting: PromiseWithResolvers<string> | undefined;
  #trouble: Error | undefined;

  /** Connects and reads the greeting. */
  static async open(port: number): Promise<Wire> {
    const wire = new Wire(connect({ port, host: '127.0.0.1', noDelay: true }));
    await wire.replies(1);
    return wire;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (view) => this.#take(view.toString('latin1')));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server hung up')));
  }

  send(octets: Buffer | string): void {
    this.#socket.write(octets);
  }

  /** Resolves when the system has taken all that was written. */
  sent(): Promise<void> {
    if (this.#socket.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('drain', resolve));
  }

  /**
   * Waits for so many replies, counted from the last wait.
   * @returns the last line
   * @throws at the first that says no
   */
  replies(count: number): Promise<string> {
    if (this.#trouble) return Promise.reject(this.#trouble);
    this.#due += count;
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#settle();
    return promise;
  }

  exchange(octets: Buffer | string, count = 1): Promise<string> {
    this.send(octets);
    return this.replies(count);
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (line[0] !== '2' && line[0] !== '3') this.#fail(new Error(`the server said ${line}`));
      if (line[3] === '-') continue; // another line of it follows
      this.#due--;
      this.#last = line;
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#due > 0) return;
    this.#waiting?.resolve(this.#last);
    this.#waiting = undefined;
  }

  #fail(error: Error): void {
    this.#trouble ??= error;
    this.#waiting?.reject(this.#trouble);
    this.#waiting = undefined;
  }
}
