import { isLocale, type Locale, preferredLocale } from '../i18n/catalogue.ts';

export type Theme = 'system' | 'light' | 'dark';
export type Width = 'phone' | 'tablet' | 'desktop';
/** How a mail's HTML is shown: as the page is, as in a light client, as in a dark one, or both beside each other. */
export type Rendering = 'auto' | 'light' | 'dark' | 'both';

interface Kept {
  theme: Theme;
  locale: Locale;
  width: Width;
  rendering: Rendering;
  /** Whether mails that know nothing of the dark are turned dark there. */
  adapt: boolean;
}

const KEY = 'inboxd';
const SYSTEM_DARK = matchMedia('(prefers-color-scheme: dark)');

function read(): Partial<Kept> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // storage is forbidden or holds what is not ours: the defaults will do
  }
}

const kept = read();
const oneOf = <T extends string>(value: unknown, ...allowed: readonly T[]): T =>
  allowed.includes(value as T) ? (value as T) : allowed[0]!;

/** What the reader chose, kept in the browser. */
class Settings implements Kept {
  theme = $state<Theme>(oneOf(kept.theme, 'system', 'light', 'dark'));
  locale = $state<Locale>(isLocale(kept.locale) ? kept.locale : preferredLocale(navigator.languages));
  width = $state<Width>(oneOf(kept.width, 'desktop', 'tablet', 'phone'));
  rendering = $state<Rendering>(oneOf(kept.rendering, 'auto', 'light', 'dark', 'both'));
  adapt = $state(kept.adapt !== false);
  #systemIsDark = $state(SYSTEM_DARK.matches);

  constructor() {
    SYSTEM_DARK.addEventListener('change', ({ matches }) => {
      this.#systemIsDark = matches;
    });
  }

  /** The page is dark. */
  get isDark(): boolean {
    return this.theme === 'system' ? this.#systemIsDark : this.theme === 'dark';
  }

  keep(): void {
    const { theme, locale, width, rendering, adapt } = this;
    document.documentElement.dataset.theme = theme;
    document.documentElement.lang = locale;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, locale, width, rendering, adapt }));
    } catch {
      // storage is forbidden or full: the choice lasts as long as the page
    }
  }
}

export const settings = new Settings();
