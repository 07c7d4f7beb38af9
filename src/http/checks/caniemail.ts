import data from './caniemail.json' with { type: 'json' };
import { inlineMarkdown } from './markdown.ts';

/**
 * What mail programs support, as caniemail.com found it by testing them (MIT licence, notice in caniemail.json).
 * A result counts by its letter: `y` yes, `a` partial, `n` no. What is unknown (`u`) is left out of results and scores.
 */

export interface Feature {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  /** `css`, `html` or `image`. */
  readonly category: string;
  readonly tags?: readonly string[];
  readonly notes?: Readonly<Record<string, string>>;
  /** Clients with what each version supports: `gmail/ios 2020-04=y 2022-02=a#1; gmail/android ...`. */
  readonly support: string;
}

/** A result of one version of one client, in Mailpit's words. */
export interface SupportResult {
  readonly Name: string;
  readonly Platform: string;
  readonly Family: string;
  readonly Version: string;
  readonly Support: 'yes' | 'no' | 'partial';
  readonly NoteNumber: string;
}

const FAMILIES = new Map<string, string>(Object.entries(data.families));
const PLATFORMS = new Map<string, string>(Object.entries(data.platforms));
const SUPPORT = new Map<string, SupportResult['Support']>([
  ['y', 'yes'],
  ['a', 'partial'],
  ['n', 'no'],
]);

export const FEATURES: ReadonlyMap<string, Feature> = new Map(
  (data.features as unknown as readonly Feature[]).map((feature) => [feature.slug, feature]),
);

/** Page about a feature. */
export function featureUrl(slug: string): string {
  return `https://www.caniemail.com/features/${slug}/`;
}

/** Reads the results of a feature. */
export function supportResults({ support }: Feature): SupportResult[] {
  return support.split('; ').flatMap((client) => {
    const [name = '', ...versions] = client.split(' ');
    const [family = '', platform = ''] = name.split('/');
    return versions.flatMap((words) => {
      const equals = words.indexOf('=');
      const known = SUPPORT.get(words[equals + 1] ?? '');
      if (known === undefined) return [];
      const version = words.slice(0, equals);
      return {
        Name: `${FAMILIES.get(family) ?? family} ${PLATFORMS.get(platform) ?? platform} (${version})`,
        Platform: platform,
        Family: family,
        Version: version,
        Support: known,
        NoteNumber: /#(\d+)$/.exec(words)?.[1] ?? '',
      };
    });
  });
}

/** The notes of a feature as HTML. */
export function notesByNumber({ notes }: Feature): Record<string, string> {
  return Object.fromEntries(Object.entries(notes ?? {}).map(([number, note]) => [number, inlineMarkdown(note)]));
}

/** Platforms with the mail programs on each, by the names that people know. */
export function clientsByPlatform(): Record<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { support } of FEATURES.values()) {
    for (const client of support.split('; ')) {
      const [family = '', platform = ''] = (client.split(' ')[0] ?? '').split('/');
      const clients = found.get(platform) ?? new Set();
      found.set(platform, clients.add(FAMILIES.get(family) ?? family));
    }
  }
  return Object.fromEntries([...found].map(([platform, clients]) => [platform, [...clients].sort()]));
}
