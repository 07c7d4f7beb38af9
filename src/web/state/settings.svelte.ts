import { isLocale, type Locale, preferredLocale } from '../i18n/catalogue.ts';

export type Theme = 'system' | 'light' | 'dark';
export type Width = 'phone' | 'tablet' | 'desktop';
/** How a mail's HTML is shown: as in a light client, as in a dark one, or both beside each other. */
export type Rendering = 'light' | 'dark' | 'both';

interface Kept {
  theme: Theme;
  locale: Locale;
  width: Width;
  rendering: Rendering;
}

const KEY = 'inboxd';

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
  rendering = $state<Rendering>(oneOf(kept.rendering, 'light', 'dark', 'both'));

  keep(): void {
    const { theme, locale, width, rendering } = this;
    document.documentElement.dataset.theme = theme;
    document.documentElement.lang = locale;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, locale, width, rendering }));
    } catch {
      // storage is forbidden or full: the choice lasts as long as the page
    }
  }
}

export const settings = new Settings();
