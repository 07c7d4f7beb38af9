/**
 * Makes src/http/checks/caniemail.json of the data that caniemail.com publishes.
 *
 * The npm package `caniemail` brings that data, together with tools for formatting source code that a daemon has no
 * use for (about 20 MB), so its data is copied and not depended upon:
 *
 *     npm pack caniemail && tar xzf caniemail-*.tgz
 *     node test/support/write-caniemail.ts package/data/caniemail.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Published {
  readonly last_update_date: string;
  readonly nicenames: { readonly family: Record<string, string>; readonly platform: Record<string, string> };
  readonly data: readonly {
    readonly slug: string;
    readonly title: string;
    readonly description: string | null;
    readonly url: string;
    readonly category: string;
    readonly tags: readonly string[];
    readonly stats: Record<string, Record<string, Record<string, string>>>;
    readonly notes_by_num: Record<string, string> | null;
  }[];
}

const NOTICE = [
  'MIT License. Copyright (c) 2019 HTeuMeuLeu.',
  'Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:',
  'The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.',
  'THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
];

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('usage: node test/support/write-caniemail.ts caniemail.json');
const published = JSON.parse(readFileSync(source, 'utf8')) as Published;

const features = published.data
  .filter(({ category }) => category !== 'others') // BIMI and AMP are no HTML
  .map((feature) => {
    if (feature.url !== `https://www.caniemail.com/features/${feature.slug}/`)
      throw new Error(`URL of ${feature.slug}`);
    return {
      slug: feature.slug,
      title: feature.title.trim(),
      description: feature.description?.trim() ?? '',
      category: feature.category,
      ...(feature.tags.length > 0 && { tags: feature.tags }),
      ...(feature.notes_by_num && { notes: feature.notes_by_num }),
      support: supportText(feature.stats),
    };
  });

const made = {
  source: 'https://www.caniemail.com/ as published in npm caniemail 2.0.2; made by test/support/write-caniemail.ts',
  updated: published.last_update_date.slice(0, 10),
  notice: NOTICE,
  families: published.nicenames.family,
  platforms: published.nicenames.platform,
  features,
};
const target = new URL('../../src/http/checks/caniemail.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(made, null, 2)}\n`);
console.log(`${features.length} features of ${made.updated}`);

/** One line: `gmail/ios 2020-04=y 2022-02=a#1; gmail/android ...`. */
function supportText(stats: Published['data'][number]['stats']): string {
  const clients: string[] = [];
  for (const [family, platforms] of Object.entries(stats)) {
    for (const [platform, versions] of Object.entries(platforms)) {
      const results = Object.entries(versions).map(([version, support]) => {
        const word = `${version}=${support.replaceAll(' ', '')}`;
        if (!/^[^\s;=]+=[a-z](#\d+)*$/.test(word)) throw new Error(`cannot write ${version} ${support}`);
        return word;
      });
      clients.push(`${family}/${platform} ${results.join(' ')}`);
    }
  }
  return clients.join('; ');
}
