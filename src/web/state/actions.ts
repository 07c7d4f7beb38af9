import { tick } from 'svelte';
import type { Summary } from '../api/types.ts';
import type { Key } from '../i18n/catalogue.ts';
import { t } from '../i18n/text.svelte.ts';
import { copyText } from './clipboard.ts';
import { desk } from './desk.svelte.ts';
import { TABS } from './reading.svelte.ts';
import { settings } from './settings.svelte.ts';

/** Something that can be done from the keyboard and from the palette. */
export interface Action {
  readonly label: Key;
  /** Keys as `KeyboardEvent.key`; two are pressed one after the other. */
  readonly keys?: string;
  readonly run: () => void;
  /** Only while this holds. */
  readonly when?: () => boolean;
}

const reading = (): boolean => desk.reading.message !== null;
const picking = (): boolean => desk.picked.count > 0 && desk.can('delete');
/** Marks are for what is picked, or else for the open message. */
const changing = (): boolean => reading() && desk.can('delete') && !picking();
const some = (is: (message: Summary) => boolean): boolean => desk.picked.rows().some(is);
const listing = (): boolean => desk.list.rows.length > 0 && desk.can('delete');

export function focusOn(name: string): void {
  document.querySelector<HTMLElement>(`[data-focus="${name}"]`)?.focus();
}

function goToInboxes(): void {
  desk.menu = true;
  requestAnimationFrame(() => focusOn('inboxes'));
}

async function copyCode(): Promise<void> {
  const best = desk.reading.message?.codes[0];
  if (best === undefined) return;
  await copyText(best.code);
  desk.tell(`${t('copied')}: ${best.code}`);
}

function backToList(): void {
  desk.closeMessage();
  // on a narrow screen the list is only now being shown; by the next key press the focus is there
  void tick().then(() => focusOn('list'));
}

// biome-ignore format: a table
export const ACTIONS: readonly Action[] = [
  { label: 'keyNext',       keys: 'j',   run: () => void desk.step(1) },
  { label: 'keyPrevious',   keys: 'k',   run: () => void desk.step(-1) },
  { label: 'search',        keys: '/',   run: () => focusOn('search') },
  { label: 'palette',       keys: ':',   run: () => { desk.dialog = 'palette'; } },
  { label: 'help',          keys: '?',   run: () => { desk.dialog = 'help'; } },
  { label: 'keyInboxes',    keys: 'g i', run: goToInboxes },
  { label: 'allMail',       keys: 'g a', run: () => desk.show({}) },
  { label: 'unread',        keys: 'g u', run: () => desk.show({ q: 'is:unread' }) },
  { label: 'pinned',        keys: 'g p', run: () => desk.show({ q: 'is:pinned' }) },
  { label: 'quarantine',                 run: () => desk.show({ q: 'is:quarantined' }) },
  { label: 'back',          keys: 'u',   run: backToList, when: reading },
  { label: 'pick',          keys: 'x',   run: () => desk.pick(), when: listing },
  { label: 'pickNext',      keys: 'J',   run: () => void desk.pickTo(1), when: listing },
  { label: 'pickPrevious',  keys: 'K',   run: () => void desk.pickTo(-1), when: listing },
  { label: 'pickAll',       keys: 'A',   run: () => desk.picked.pickAll(), when: listing },
  { label: 'pickNone',      keys: 'N',   run: () => desk.picked.clear(), when: picking },
  { label: 'markRead',      keys: 'm',   run: () => void desk.markPicked('markedRead', { read: true }), when: () => picking() && some(({ read }) => !read) },
  { label: 'markUnread',    keys: 'm',   run: () => void desk.markPicked('markedUnread', { read: false }), when: () => picking() && !some(({ read }) => !read) },
  { label: 'pin',           keys: 'p',   run: () => void desk.markPicked('markedPinned', { pinned: true }), when: () => picking() && some(({ pinned }) => !pinned) },
  { label: 'unpin',         keys: 'p',   run: () => void desk.markPicked('markedUnpinned', { pinned: false }), when: () => picking() && !some(({ pinned }) => !pinned) },
  { label: 'markUnread',    keys: 'm',   run: () => void desk.mark({ read: false }), when: () => changing() && desk.current?.read === true },
  { label: 'markRead',      keys: 'm',   run: () => void desk.mark({ read: true }), when: () => changing() && desk.current?.read === false },
  { label: 'pin',           keys: 'p',   run: () => void desk.mark({ pinned: true }), when: () => changing() && desk.current?.pinned === false },
  { label: 'unpin',         keys: 'p',   run: () => void desk.mark({ pinned: false }), when: () => changing() && desk.current?.pinned === true },
  { label: 'tag',           keys: 't',   run: () => { desk.dialog = 'tags'; }, when: () => changing() || picking() },
  { label: 'copy',          keys: 'c',   run: () => void copyCode(), when: () => (desk.reading.message?.codes.length ?? 0) > 0 },
  { label: 'download',      keys: 'd',   run: () => location.assign(desk.reading.downloadUrl), when: reading },
  { label: 'loadRemote',    keys: 'i',   run: () => { desk.reading.remote = true; }, when: () => desk.reading.message?.html != null && !desk.reading.isHeld },
  { label: 'release',                    run: () => void desk.release(), when: () => changing() && desk.reading.isHeld },
  { label: 'delete',        keys: '#',   run: () => desk.remove(), when: () => changing() || picking() },
  { label: 'undo',          keys: 'z',   run: () => desk.undo.takeBack(), when: () => desk.undo.pending !== null },
  { label: 'deleteAll',                  run: () => desk.removeAll(), when: listing },
  { label: 'themeLight',                 run: () => { settings.theme = 'light'; } },
  { label: 'themeDark',                  run: () => { settings.theme = 'dark'; } },
  { label: 'themeSystem',                run: () => { settings.theme = 'system'; } },
];

const SEQUENCE_MS = 1_200;
let started = '';
let startedAt = 0;

/** Takes a key press anywhere on the page. */
export function takeKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    desk.dialog = desk.dialog === 'palette' ? '' : 'palette';
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || desk.phase !== 'ready' || desk.dialog !== '') return;
  const target = event.target as HTMLElement;
  if (target.closest('input, textarea, select, [contenteditable]')) {
    if (event.key === 'Escape') target.blur();
    return;
  }
  if (event.key === 'Escape') {
    if (desk.menu) desk.menu = false;
    else if (desk.picked.count > 0) desk.picked.clear();
    else if (reading()) backToList();
    return;
  }
  if (/^[1-9]$/.test(event.key) && reading()) {
    desk.reading.choose(TABS[Number(event.key) - 1]);
    return;
  }
  const pressed = event.key === 'Delete' ? '#' : event.key;
  const both = event.timeStamp - startedAt < SEQUENCE_MS ? `${started} ${pressed}` : '';
  const find = (keys: string): Action | undefined =>
    ACTIONS.find((action) => action.keys === keys && (action.when === undefined || action.when()));
  const action = find(both) ?? find(pressed);
  started = action === undefined ? pressed : '';
  startedAt = event.timeStamp;
  if (action === undefined) return;
  event.preventDefault();
  action.run();
}
