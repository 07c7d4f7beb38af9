import { de } from './de.ts';
import { en, type Key, type Texts } from './en.ts';
import { zh } from './zh.ts';

export type { Key } from './en.ts';

export const CATALOGUE = { en, de, zh } as const satisfies Record<string, Texts>;
export type Locale = keyof typeof CATALOGUE;
/** Each language in its own words. */
export const LANGUAGES: Readonly<Record<Locale, string>> = { en: 'English', de: 'Deutsch', zh: '中文' };

export function isLocale(value: unknown): value is Locale {
  return typeof value === 'string' && Object.hasOwn(CATALOGUE, value);
}

/** The first language of the reader that there is; English otherwise. */
export function preferredLocale(languages: readonly string[]): Locale {
  return languages.map((language) => language.slice(0, 2).toLowerCase()).find(isLocale) ?? 'en';
}

/** The reader's own variant of a language, such as en-GB; the language alone if he has none. */
export function regionOf(locale: Locale, languages: readonly string[]): string {
  return languages.find((language) => language.slice(0, 2).toLowerCase() === locale) ?? locale;
}

/** Writes a text in a language; numbers are written as people there write them. */
export function say(locale: Locale, key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  const text: string = CATALOGUE[locale][key];
  const forms = text.split('|');
  const one = typeof values.n === 'number' && new Intl.PluralRules(locale).select(values.n) === 'one';
  const form = forms.length === 1 || one ? forms[0]! : forms[1]!;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? value.toLocaleString(locale) : (value ?? whole);
  });
}
