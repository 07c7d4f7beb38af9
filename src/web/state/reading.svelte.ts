import { api, messageUrl, Refusal } from '../api/client.ts';
import type { Form, Message, Summary } from '../api/types.ts';

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
  'edits',
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
  /** Which source is shown, of a message that filters changed. */
  form = $state<Form>('received');
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
      this.form = 'received';
      this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      this.message = null;
      this.gone = error instanceof Refusal && error.status === 404;
      this.failure = error as Error;
    }
  }

  /** Views of the open message. */
  get tabs(): readonly Tab[] {
    return TABS.filter((tab) => {
      if (tab === 'html') return this.#showsHtml;
      return tab !== 'edits' || this.message?.edits !== null;
    });
  }

  /** Nothing of a message in quarantine acts: neither its HTML nor its links and attachments. */
  get isHeld(): boolean {
    return this.message !== null && this.message.quarantine !== null;
  }

  get #showsHtml(): boolean {
    return this.message?.html !== null && !this.isHeld;
  }

  /** Leaves a view that there is not, and shows HTML to whoever looks at text because there was none. */
  #settle(): void {
    if (!this.tabs.includes(this.tab)) this.tab = 'text';
    if (this.tab === 'text' && this.#showsHtml) this.tab = 'html';
  }

  showSource(form: Form): void {
    this.form = form;
    this.choose('source');
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
    const change = messages.findLast(({ id }) => id === message?.id); // several may be told together
    if (message !== null && change !== undefined) {
      const { read, pinned, tags, quarantine } = change;
      this.message = { ...message, read, pinned, tags, quarantine };
      // released, or put back: its HTML comes or goes
      if ((quarantine === null) !== (message.quarantine === null)) this.#settle();
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
