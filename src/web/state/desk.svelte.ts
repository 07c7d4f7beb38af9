import { api, Refusal, type Selection, Unreachable } from '../api/client.ts';
import { Live } from '../api/live.ts';
import type { Change, Info, Marks, Summary } from '../api/types.ts';
import { t } from '../i18n/text.svelte.ts';
import { InboxList } from './inbox-list.svelte.ts';
import { MessageList, type View } from './message-list.svelte.ts';
import { Reading } from './reading.svelte.ts';
import { formatRoute, parseRoute, type Route } from './route.ts';
import { Undo } from './undo.svelte.ts';

type Phase = 'starting' | 'login' | 'ready';
type Connection = 'connecting' | 'live' | 'offline';

const NOTICE_MS = 4_000;

/** The reader's desk: what is on it, and what can be done there. Components show it and call its methods. */
class Desk {
  phase = $state<Phase>('starting');
  connection = $state<Connection>('connecting');
  info = $state.raw<Info | null>(null);
  route = $state.raw<Route>(parseRoute(location.hash));
  notice = $state('');
  /** A dialog that lies over the desk. */
  dialog = $state<'' | 'help' | 'palette' | 'tags'>('');
  /** On narrow screens: the inboxes slid in. */
  menu = $state(false);

  readonly inboxes = new InboxList();
  readonly list = new MessageList();
  readonly reading = new Reading();
  readonly undo = new Undo();

  #queue: Change[] = [];
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #live = new Live({
    up: () => {
      if (this.connection === 'offline') this.tell(t('backAgain'));
      this.connection = 'live';
    },
    down: () => {
      this.connection = 'offline';
    },
    change: (change) => this.#take(change),
    reset: () => void this.#reload(),
    ready: () => this.#readyAgain(),
  });

  /** Starts; called once. */
  async start(): Promise<void> {
    addEventListener('hashchange', () => this.#follow(parseRoute(location.hash)));
    addEventListener('online', () => this.#live.hurry());
    // what waits to be undone is done when the page goes: nobody can undo it any more
    addEventListener('pagehide', () => void this.undo.settle(true));
    await this.connect();
  }

  /** Asks who we are talking to, reads the lists and listens from there on. */
  async connect(): Promise<void> {
    try {
      this.info = await api.info();
      await Promise.all([this.inboxes.load(), this.list.open(this.#view(this.route))]);
    } catch (error) {
      if (this.#wantsLogin(error)) return;
      if (!(error instanceof Unreachable)) this.tell(t('failed', { why: (error as Error).message }));
      this.connection = 'offline';
      setTimeout(() => void this.connect(), 1_000);
      return;
    }
    this.phase = 'ready';
    this.#live.start(this.info.feed);
    if (this.route.message !== undefined) await this.#read(this.route.message);
  }

  async login(user: string, secret: string): Promise<boolean> {
    try {
      await api.login(user, secret);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
    await this.connect();
    return true;
  }

  tryNow(): void {
    this.#live.hurry();
  }

  /** Says something in passing. */
  tell(text: string): void {
    this.notice = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.notice = '';
    }, NOTICE_MS);
  }

  // --- going places -------------------------------------------------------------------------------------------------

  show(view: Partial<View>): void {
    this.menu = false;
    this.#go({ inbox: undefined, q: '', ...view, message: undefined });
  }

  search(q: string): void {
    this.#go({ ...this.route, q: q.trim(), message: undefined });
  }

  open(id: string): void {
    this.#go({ ...this.route, message: id });
  }

  /** Closes the message, as on a narrow screen to see the list. */
  closeMessage(): void {
    this.#go({ ...this.route, message: undefined });
  }

  /** Opens the message so many rows further down. */
  step(by: number): void {
    const at = this.list.indexOf(this.route.message);
    const next = this.list.rows[at < 0 ? (by > 0 ? 0 : -1) : at + by];
    if (next !== undefined) this.open(next.id);
  }

  #go(route: Route): void {
    const hash = formatRoute(route);
    // walking through messages does not fill the browser's history
    if (this.route.message !== undefined && route.message !== undefined) history.replaceState(null, '', hash);
    else if (hash !== location.hash) history.pushState(null, '', hash);
    this.#follow(route);
  }

  #follow(route: Route): void {
    const before = this.route;
    this.route = route;
    if (route.inbox !== before.inbox || route.q !== before.q) void this.list.open(this.#view(route));
    if (route.message === undefined) this.reading.close();
    else if (route.message !== before.message) void this.#read(route.message);
  }

  async #read(id: string): Promise<void> {
    await this.reading.open(id);
    const { message } = this.reading;
    // who may only read leaves no traces
    if (message?.id === id && !message.read && this.can('delete')) await this.mark({ read: true });
  }

  #view({ inbox, q }: Route): View {
    return { inbox, q };
  }

  // --- doing things to messages -------------------------------------------------------------------------------------

  can(right: string): boolean {
    const { info } = this;
    return info !== null && (info.auth === 'none' || info.rights.includes(right) || info.rights.includes('admin'));
  }

  /** The message that commands are about. */
  get current(): Summary | undefined {
    const { message } = this.reading;
    if (message === null) return undefined;
    return this.list.rows[this.list.indexOf(message.id)] ?? { ...message, attachments: message.attachments.length };
  }

  async mark(marks: Marks): Promise<void> {
    const { current } = this;
    if (current === undefined || !this.can('delete')) return;
    try {
      this.#changed([await api.mark(current.id, marks)]);
      this.inboxes.refresh();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Deletes the open message a little later, and goes on to the next. */
  remove(): void {
    const { current } = this;
    if (current === undefined || !this.can('delete')) return;
    const at = this.list.indexOf(current.id);
    const unmask = this.list.mask((message) => message.id === current.id);
    const next = this.list.rows[Math.min(Math.max(at, 0), this.list.rows.length - 1)];
    // a phone shows one thing at a time, and that is now the list
    if (next === undefined || matchMedia('(max-width: 719px)').matches) this.closeMessage();
    else this.open(next.id);
    this.#offerUndo(t('deleted', { n: 1 }), { ids: [current.id] }, unmask, () => this.list.arrive([current]));
  }

  /** Deletes all of the list, a little later: what has been received until now. */
  removeAll(): void {
    if (!this.can('delete') || this.list.rows.length === 0) return;
    const { inbox, q } = this.list.view;
    const until = new Date(Date.parse(this.list.rows[0]!.receivedAt) + 1).toISOString();
    const unmask = this.list.mask(
      (message, view) => view.inbox === inbox && view.q === q && message.receivedAt < until,
    );
    this.closeMessage();
    const terms = [inbox === undefined ? '' : `inbox:${quote(inbox)}`, q === '' ? '' : `(${q})`, `before:${until}`];
    const query = terms.filter((term) => term !== '').join(' ');
    this.#offerUndo(t('deletedAll'), { query }, unmask, () => void this.list.open(this.list.view));
  }

  #offerUndo(label: string, selection: Selection, unmask: () => void, restore: () => void): void {
    this.undo.offer({
      label,
      commit: async (leaving) => {
        try {
          await api.remove(selection, leaving);
        } catch (error) {
          restore();
          this.tell(t('deleteFailed', { why: (error as Error).message }));
        } finally {
          unmask();
          this.inboxes.refresh();
        }
      },
      restore: () => {
        unmask();
        restore();
      },
    });
  }

  // --- what happens ---------------------------------------------------------------------------------------------------

  /** Gathers what happens until the next picture is drawn: a thousand mails a second are drawn sixty times. */
  #take(change: Change): void {
    this.#queue.push(change);
    if (this.#queue.length === 1) setTimeout(() => this.#apply(), document.hidden ? 500 : 30);
  }

  #apply(): void {
    const changes = this.#queue;
    this.#queue = [];
    const summaries = (type: Change['type']): Summary[] =>
      changes.flatMap((change) => (change.type === type && change.message ? [change.message] : []));
    const received = summaries('received');
    const deleted = new Set(changes.filter(({ type }) => type === 'deleted').map(({ id }) => id));
    if (received.length > 0) this.#received(received);
    const changed = summaries('changed');
    if (changed.length > 0) this.#changed(changed);
    if (deleted.size > 0) {
      this.list.drop(deleted);
      const { message } = this.reading;
      if (message !== null && deleted.has(message.id)) this.reading.lose();
    }
    if (deleted.size > 0 || changed.length > 0) this.inboxes.refresh();
    if (this.info !== null) {
      const messages = Math.max(this.info.messages + received.length - deleted.size, 0);
      this.info = { ...this.info, messages };
    }
  }

  #received(messages: readonly Summary[]): void {
    this.inboxes.arrive(messages);
    const { inbox, q } = this.list.view;
    if (q === '') {
      this.list.arrive(messages.filter(({ inboxes }) => inbox === undefined || inboxes.includes(inbox)));
    } else void this.#searchAgain();
  }

  /** Whether a new message matches a search is the daemon's to say. */
  async #searchAgain(): Promise<void> {
    const { view } = this.list;
    const page = await api.messages({ ...view, limit: 50 }).catch(() => undefined); // the next arrival asks again
    if (page !== undefined && view === this.list.view) this.list.arrive(page.messages);
  }

  #changed(messages: readonly Summary[]): void {
    this.list.update(messages);
    this.reading.update(messages);
  }

  async #reload(): Promise<void> {
    try {
      this.info = await api.info();
      await Promise.all([this.inboxes.load(), this.list.open(this.list.view)]);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #readyAgain(): Promise<boolean> {
    try {
      const info = await api.info();
      this.info = info;
      // a daemon that keeps nothing has started again from nothing
      if (info.feed < this.#live.last) {
        this.#live.start(info.feed);
        await this.#reload();
        return false;
      }
      this.inboxes.refresh();
      return true;
    } catch (error) {
      if (this.#wantsLogin(error)) return false;
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (!this.#wantsLogin(error)) this.tell(t('failed', { why: (error as Error).message }));
  }

  #wantsLogin(error: unknown): boolean {
    if (!(error instanceof Refusal && error.status === 401)) return false;
    this.#live.stop();
    this.phase = 'login';
    return true;
  }
}

/** Writes a value of a search so that nothing in it is taken for grammar. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export const desk = new Desk();
