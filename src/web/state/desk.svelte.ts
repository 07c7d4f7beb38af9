import { api, Refusal, type Selection, Unreachable } from '../api/client.ts';
import { Live } from '../api/live.ts';
import type { Change, Info, ManyMarks, Marks, Summary } from '../api/types.ts';
import type { Key } from '../i18n/catalogue.ts';
import { t } from '../i18n/text.svelte.ts';
import { InboxList } from './inbox-list.svelte.ts';
import { type Masked, MessageList, type View } from './message-list.svelte.ts';
import { justAfter, Picked } from './picked.svelte.ts';
import { Reading } from './reading.svelte.ts';
import { formatRoute, parseRoute, type Route } from './route.ts';
import { Undo } from './undo.svelte.ts';

type Phase = 'starting' | 'login' | 'ready';
type Connection = 'connecting' | 'live' | 'offline';

const NOTICE_MS = 4_000;
/** Messages that one request may name. */
const IDS_AT_ONCE = 10_000;

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
  readonly picked = new Picked(this.list);
  readonly reading = new Reading();
  readonly undo = new Undo();

  #queue: Change[] = [];
  /** Changes of ours that wait for their answer. */
  readonly #marking = new Set<{ readonly id: string; isOvertaken: boolean }>();
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
  async step(by: number): Promise<void> {
    const at = this.list.indexOf(this.route.message);
    await this.openAt(at < 0 ? (by > 0 ? 0 : this.list.rows.length - 1) : at + by);
  }

  /** Opens the message in a row, which is read first if nobody has looked at it yet. */
  async openAt(index: number): Promise<void> {
    if (index < 0 || index >= this.list.rows.length) return;
    if (this.list.rows[index] === undefined) await this.list.reach(index, index);
    const row = this.list.rows[index];
    if (row !== undefined) this.open(row.id);
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
    if (route.inbox !== before.inbox || route.q !== before.q) {
      this.picked.clear();
      void this.list.open(this.#view(route));
    }
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

  // --- picking messages out of the list -----------------------------------------------------------------------------

  /** The row that keys of the list start from: where picking has got to, or the open message; -1 for none. */
  get cursor(): number {
    const picked = this.list.indexOf(this.picked.head);
    return picked >= 0 ? picked : this.list.indexOf(this.route.message);
  }

  /** Picks the row of the cursor, or drops it. */
  pick(): void {
    const row = this.list.rows[Math.max(this.cursor, 0)];
    if (row !== undefined) this.picked.toggle(row.id);
  }

  /** Picks on, so many rows further down. */
  async pickTo(by: number): Promise<void> {
    const { cursor } = this;
    const to = cursor < 0 ? 0 : Math.min(Math.max(cursor + by, 0), this.list.rows.length - 1);
    await this.picked.extend(to, Math.max(cursor, 0));
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
    if (await this.#mark(current.id, marks)) this.inboxes.refresh();
  }

  /** Changes a message and shows what came of it, unless an event has told of it meanwhile; says whether it was done. */
  async #mark(id: string, marks: Marks): Promise<boolean> {
    const request = { id, isOvertaken: false };
    this.#marking.add(request);
    try {
      const answer = await api.mark(id, marks);
      if (!request.isOvertaken) this.#changed([answer]); // else there may have been later changes, which the answer lacks
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    } finally {
      this.#marking.delete(request);
    }
  }

  /** Releases the open message from quarantine, at once; that can be taken back. */
  async release(): Promise<void> {
    const { current } = this;
    if (current === undefined || current.quarantine === null || !this.can('delete')) return;
    const { id, quarantine: reason } = current;
    if (!(await this.#mark(id, { quarantine: null }))) return;
    const restore = (): void => void this.#mark(id, { quarantine: reason });
    this.undo.offer({ label: t('released'), commit: async () => {}, restore });
  }

  /** Changes what is picked, at once; that can be taken back where the daemon names all that it has changed. */
  async markPicked(done: Key, ...changes: readonly ManyMarks[]): Promise<void> {
    if (!this.can('delete') || this.picked.count === 0) return;
    const selection = this.#selectionOfPicked();
    const back: { readonly ids: readonly string[]; readonly marks: ManyMarks }[] = [];
    const named = new Set<string>();
    let most = 0;
    let isNamed = true;
    try {
      for (const marks of changes) {
        const answers = await this.#each(selection, (some) => api.change(some, marks));
        const n = answers.reduce((sum, { changed }) => sum + changed, 0);
        const ids = answers.flatMap((answer) => answer.ids ?? []);
        for (const id of ids) named.add(id);
        most = Math.max(most, n);
        isNamed &&= ids.length === n;
        if (n > 0) back.unshift({ ids, marks: opposite(marks) });
      }
    } catch (error) {
      this.#failed(error);
      return;
    }
    const label = t(done, { n: Math.max(named.size, most) });
    if (back.length === 0 || !isNamed) this.tell(label);
    else this.undo.offer({ label, commit: async () => {}, restore: () => void this.#takeBack(back) });
  }

  async #takeBack(changes: readonly { readonly ids: readonly string[]; readonly marks: ManyMarks }[]): Promise<void> {
    try {
      for (const { ids, marks } of changes) await this.#each({ ids }, (some) => api.change(some, marks));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Deletes what is picked, or else the open message, a little later, and goes on to the next. */
  remove(): void {
    if (!this.can('delete')) return;
    if (this.picked.count > 0) {
      this.#removePicked();
      return;
    }
    const { current } = this;
    if (current === undefined) return;
    const at = this.list.indexOf(current.id);
    const masked = this.list.mask({ hides: ({ id }) => id === current.id, hidesRest: () => false });
    const next = this.list.rows[Math.min(Math.max(at, 0), this.list.rows.length - 1)];
    // a phone shows one thing at a time, and that is now the list
    if (next === undefined || matchMedia('(max-width: 719px)').matches) this.closeMessage();
    else this.open(next.id);
    this.#offerUndo(t('deleted', { n: 1 }), { ids: [current.id] }, masked);
  }

  #removePicked(): void {
    const { everything, ids, count } = this.picked;
    const selection = this.#selectionOfPicked();
    if (everything !== null) this.#removeAll(everything.view, everything.before, selection, t('deleted', { n: count }));
    else {
      const masked = this.list.mask({ hides: ({ id }) => ids.has(id), hidesRest: () => false });
      if (this.route.message !== undefined && ids.has(this.route.message)) this.closeMessage();
      this.#offerUndo(t('deleted', { n: count }), selection, masked);
    }
    this.picked.clear();
  }

  /** Deletes all of the list, a little later: what has been received until now. */
  removeAll(): void {
    const newest = this.list.rows[0];
    if (!this.can('delete') || newest === undefined) return;
    const { view } = this.list;
    const before = justAfter(newest);
    this.picked.clear();
    this.#removeAll(view, before, { query: queryOf(view, before) }, t('deletedAll'));
  }

  #removeAll({ inbox, q }: View, before: string, selection: Selection, label: string): void {
    const isSame = (view: View): boolean => view.inbox === inbox && view.q === q;
    const masked = this.list.mask({
      hides: (message, view) => isSame(view) && message.receivedAt < before,
      hidesRest: isSame,
    });
    this.closeMessage();
    this.#offerUndo(label, selection, masked);
  }

  #selectionOfPicked(): Selection {
    const { everything, ids } = this.picked;
    return everything === null ? { ids: [...ids] } : { query: queryOf(everything.view, everything.before) };
  }

  /** Asks in as many requests as the daemon wants it in. */
  async #each<T>(selection: Selection, ask: (selection: Selection) => Promise<T>): Promise<T[]> {
    if (!('ids' in selection)) return [await ask(selection)];
    const answers: T[] = [];
    for (let at = 0; at < selection.ids.length; at += IDS_AT_ONCE) {
      answers.push(await ask({ ids: selection.ids.slice(at, at + IDS_AT_ONCE) }));
    }
    return answers;
  }

  #offerUndo(label: string, selection: Selection, masked: Masked): void {
    this.undo.offer({
      label,
      commit: async (leaving) => {
        try {
          await this.#each(selection, (some) => api.remove(some, leaving));
          masked.drop();
        } catch (error) {
          masked.lift();
          this.tell(t('deleteFailed', { why: (error as Error).message }));
        } finally {
          this.inboxes.refresh();
        }
      },
      restore: () => masked.lift(),
    });
  }

  // --- what happens ---------------------------------------------------------------------------------------------------

  /** Gathers what happens until the next picture is drawn: a thousand mails a second are drawn sixty times. */
  #take(change: Change): void {
    for (const request of this.#marking) request.isOvertaken ||= request.id === change.id;
    this.#queue.push(change);
    if (this.#queue.length === 1) setTimeout(() => this.#apply(), document.hidden ? 500 : 30);
  }

  #apply(): void {
    const changes = this.#queue;
    this.#queue = [];
    const summaries = (type: Change['type']): Summary[] =>
      changes.flatMap((change) => (change.type === type && change.message ? [change.message] : []));
    const received = summaries('received');
    const gone = changes.filter(({ type }) => type === 'deleted');
    const deleted = new Set(gone.map(({ id }) => id));
    if (received.length > 0) this.#received(received);
    const changed = summaries('changed');
    if (changed.length > 0) this.#changed(changed);
    if (deleted.size > 0) {
      this.list.drop(gone);
      this.picked.drop(deleted);
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

/** Writes the search for all of a view that had been received before a moment. */
function queryOf({ inbox, q }: View, before: string): string {
  const terms = [inbox === undefined ? '' : `inbox:${quote(inbox)}`, q === '' ? '' : `(${q})`, `before:${before}`];
  return terms.filter((term) => term !== '').join(' ');
}

/** What takes a change back for those that it has changed; it says one thing, or cannot be told from the other. */
function opposite({ read, pinned, addTags, removeTags }: ManyMarks): ManyMarks {
  return {
    ...(read !== undefined && { read: !read }),
    ...(pinned !== undefined && { pinned: !pinned }),
    ...(addTags !== undefined && { removeTags: addTags }),
    ...(removeTags !== undefined && { addTags: removeTags }),
  };
}

/** Writes a value of a search so that nothing in it is taken for grammar. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export const desk = new Desk();
