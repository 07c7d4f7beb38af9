import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { until } from '../../support/until.ts';

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON that tests look into
  readonly data: any;
}

/** A client of a stream of events, as the standard reads one (HTML §9.2). */
export class EventClient {
  readonly events: ServerSentEvent[] = [];
  /** Last event id, as a client sends it when it comes back. */
  lastId = '';
  status = 0;
  headers: IncomingMessage['headers'] = {};
  comments = 0;
  retry = '';
  isClosed = false;
  readonly #request: ClientRequest;
  #rest = '';
  #event = '';
  #data: string[] = [];

  constructor(port: number, path: string, headers: Record<string, string> = {}) {
    this.#request = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#take(text));
      response.on('close', () => (this.isClosed = true));
      response.on('error', () => (this.isClosed = true));
    });
    this.#request.on('error', () => (this.isClosed = true));
    this.#request.end();
  }

  /** Waits until the stream stands. */
  async open(): Promise<this> {
    await until(() => this.lastId !== '' || this.isClosed);
    return this;
  }

  /** Waits for so many events. */
  async take(count: number): Promise<readonly ServerSentEvent[]> {
    await until(() => this.events.length >= count || this.isClosed);
    return this.events;
  }

  close(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) {
        this.events.push({ event: this.#event || 'message', id: this.lastId, data: JSON.parse(this.#data.join('\n')) });
      }
      this.#event = '';
      this.#data = [];
      return;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === '') this.comments++;
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id') this.lastId = value;
    if (field === 'retry') this.retry = value;
  }
}
