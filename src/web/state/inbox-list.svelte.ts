import { api } from '../api/client.ts';
import type { InboxSummary, Summary } from '../api/types.ts';

const SOON_MS = 300;

/** The inboxes, those with the newest mail first; counts follow what happens. */
export class InboxList {
  rows = $state.raw<readonly InboxSummary[]>([]);
  filter = $state('');
  more = $state(false);
  #next: string | null = null;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async load(): Promise<void> {
    const turn = ++this.#turn;
    const wanted = this.rows.length;
    let page = await api.inboxes(this.filter);
    const rows = [...page.inboxes];
    while (page.next !== null && rows.length < wanted) {
      page = await api.inboxes(this.filter, page.next);
      rows.push(...page.inboxes);
    }
    if (turn !== this.#turn) return;
    this.#show(rows, page.next);
  }

  async loadMore(): Promise<void> {
    if (this.#next === null) return;
    const turn = ++this.#turn;
    const page = await api.inboxes(this.filter, this.#next);
    if (turn !== this.#turn) return;
    const known = new Set(this.rows.map(({ inbox }) => inbox));
    this.#show([...this.rows, ...page.inboxes.filter(({ inbox }) => !known.has(inbox))], page.next);
  }

  /** Counts what has arrived without asking again. */
  arrive(messages: readonly Summary[]): void {
    const byName = new Map(this.rows.map((row) => [row.inbox, row]));
    for (const message of messages) {
      for (const inbox of message.inboxes) {
        if (!inbox.includes(this.filter.toLowerCase())) continue;
        const row = byName.get(inbox) ?? { inbox, messages: 0, unread: 0, bytes: 0, newest: message.receivedAt };
        byName.set(inbox, {
          inbox,
          messages: row.messages + 1,
          unread: row.unread + (message.read ? 0 : 1),
          bytes: row.bytes + message.bytes,
          newest: row.newest > message.receivedAt ? row.newest : message.receivedAt,
        });
      }
    }
    this.#show([...byName.values()], this.#next);
  }

  /** Asks again soon; many changes ask once. */
  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load().catch(() => {}), SOON_MS); // offline: asked again on return
  }

  get(inbox: string | undefined): InboxSummary | undefined {
    return this.rows.find((row) => row.inbox === inbox);
  }

  #show(rows: readonly InboxSummary[], next: string | null): void {
    this.rows = [...rows].sort((a, b) =>
      a.newest < b.newest ? 1 : a.newest > b.newest ? -1 : a.inbox < b.inbox ? -1 : 1,
    );
    this.#next = next;
    this.more = next !== null;
  }
}
