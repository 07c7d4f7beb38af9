import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly type: string;
    readonly timestamp: string;
    readonly delivery: { readonly id: string; readonly webhook: string; readonly attempt: number };
    readonly data: { readonly message: Record<string, unknown>; readonly gone: boolean };
  };
  /** Steady milliseconds. */
  readonly at: number;
  /** What it was answered. */
  status: number;
}

/** Says how to answer: a status, or by itself. */
export type Answer = (received: Received, response: ServerResponse) => number | undefined | Promise<number | undefined>;

/** A server that webhooks are sent to, and that writes down what comes. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  answer: Answer = () => 200;
  readonly #server: ReturnType<typeof createServer>;
  readonly #scheme: string;

  constructor(tls?: { readonly cert: string; readonly key: string }) {
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    this.#server = tls ? createSecureServer(tls, take) : createServer(take);
    this.#scheme = tls ? 'https' : 'http';
  }

  static async open(tls?: { readonly cert: string; readonly key: string }): Promise<Receiver> {
    const receiver = new Receiver(tls);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  url(path = '/hook', host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** Subjects of the messages that were told, in order, with what was answered. */
  get subjects(): string[] {
    return this.received.map(({ body, status }) => `${String(body.data.message?.subject)} ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { url: path = '', headers } = request;
    const received = { path, headers, text, body: JSON.parse(text), at: performance.now(), status: 0 } as Received;
    this.received.push(received);
    const status = await this.answer(received, response);
    if (status === undefined) return;
    received.status = status;
    response.statusCode = status;
    response.end('thanks');
  }
}
