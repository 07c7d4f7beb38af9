import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../../src/config.ts';
import { createDaemon, type Daemon } from '../../../src/daemon.ts';
import type { MessagePage, Summary } from '../../../src/web/api/types.ts';
import { deliver } from '../../http/support.ts';

/** The daemon itself on a data folder of its own; it can be stopped and started again where it was. */
export class RealDaemon {
  readonly #folder = mkdtempSync(join(tmpdir(), 'inboxd-browser-'));
  #ports = { smtp: 0, http: 0 };
  #daemon: Daemon | undefined;
  readonly #options: ConfigInput;

  constructor(options: ConfigInput = {}) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports.http}/`;
  }

  get smtpPort(): number {
    return this.#ports.smtp;
  }

  async start(): Promise<void> {
    const { smtp, http } = this.#ports;
    const listen = [`smtp://127.0.0.1:${smtp}`, `http://127.0.0.1:${http}`];
    this.#daemon = await createDaemon({ listen, data: this.#folder, keepPerInbox: 0, ...this.#options });
    const port = (protocol: string): number =>
      Number(/:(\d+)$/.exec(this.#daemon!.listeners.find((one) => one.protocol === protocol)!.url)![1]);
    this.#ports = { smtp: port('smtp'), http: port('http') };
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop({ graceMs: 0 });
    this.#daemon = undefined;
  }

  /** Stops and leaves nothing behind. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Takes a mail in as if it had come by SMTP, whatever octets it is made of; gives its id. */
  deliver(raw: Buffer | string, to: readonly string[] = ['victim@in.example']): Promise<string> {
    return deliver(this.#daemon!.store, Buffer.from(raw), { to });
  }

  /** All messages, newest first. */
  async summaries(): Promise<readonly Summary[]> {
    const response = await fetch(`${this.url}api/search?limit=500`);
    return ((await response.json()) as MessagePage).messages;
  }
}
