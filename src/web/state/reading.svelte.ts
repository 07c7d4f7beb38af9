import { api, messageUrl, Refusal } from '../api/client.ts';
import type { Message, Summary } from '../api/types.ts';

export const TABS = [
  'html',
  'text',
  'source',
  'headers',
  'attachments',
  'parts',
  'links',
  'envelope',
  'transcript',
] as const;
export type Tab = (typeof TABS)[number];

/** The open message. */
export class Reading {
  message = $state.raw<Message | null>(null);
  failure = $state.raw<Error | null>(null);
  gone = $state(false);
  tab = $state<Tab>('html');
  /** The reader asked for pictures of other hosts, for this message. */
  remote = $state(false);
  #abort = new AbortController();

  async open(id: string): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const message = await api.message(id, signal);
      if (signal.aborted) return;
      this.message = message;
      this.failure = null;
      this.gone = false;
      this.remote = false;
      if (message.html === null && this.tab === 'html') this.tab = 'text';
      else if (message.html !== null && this.tab === 'text') this.tab = 'html';
    } catch (error) {
      if (signal.aborted) return;
      this.message = null;
      this.gone = error instanceof Refusal && error.status === 404;
      this.failure = error as Error;
    }
  }

  /** Views of the open message. */
  get tabs(): readonly Tab[] {
    return TABS.filter((tab) => tab !== 'html' || this.message?.html !== null);
  }

  choose(tab: Tab | undefined): void {
    if (tab !== undefined && this.tabs.includes(tab)) this.tab = tab;
  }

  close(): void {
    this.#abort.abort();
    this.message = null;
    this.failure = null;
    this.gone = false;
  }

  /** It has been deleted by somebody else. */
  lose(): void {
    this.close();
    this.gone = true;
  }

  update(messages: readonly Summary[]): void {
    const { message } = this;
    const change = messages.find(({ id }) => id === message?.id);
    if (message !== null && change !== undefined) {
      const { read, pinned, tags } = change;
      this.message = { ...message, read, pinned, tags };
      // what has changed may be that its sender is known now, and a list does not say so
      if (message.verification?.status === 'pending') void this.#verified(message.id);
    }
  }

  async #verified(id: string): Promise<void> {
    const found = await api.message(id, this.#abort.signal).catch(() => null); // the next change asks again
    if (found !== null && this.message?.id === id) this.message = { ...this.message, verification: found.verification };
  }

  get downloadUrl(): string {
    return this.message === null ? '' : messageUrl(this.message.id, 'eml');
  }
}
