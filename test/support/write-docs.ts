/**
 * Writes what the program knows about itself into README.md and src/README.md, between `<!-- name -->` marks.
 * Run it with `npm run docs` after a change of options, verbs, extensions, errors or tables.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { optionsMarkdown } from '../../src/config/markdown.ts';
import { START_ERRORS } from '../../src/errors.ts';
import { diagramOf, PROTOCOL_NAMES } from '../../src/protocols.ts';
import { EXTENSIONS } from '../../src/smtp/extensions.ts';
import { VERBS } from '../../src/smtp/verbs.ts';

const BLOCKS: Readonly<Record<string, () => string>> = {
  options: () => optionsMarkdown().trim(),
  verbs: () =>
    [
      '| Verb | What it does | Where it is written |',
      '|---|---|---|',
      ...VERBS.filter(({ refused }) => !refused).map(
        ({ verb, summary, rfc }) => `| \`${verb}\` | ${summary} | ${rfc} |`,
      ),
    ].join('\n'),
  extensions: () => EXTENSIONS.map(({ keyword, rfc }) => `\`${keyword}\` (${rfc})`).join(', '),
  errors: () =>
    [
      '| Code | Meaning |',
      '|---|---|',
      ...Object.entries(START_ERRORS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
    ].join('\n'),
  diagrams: () => PROTOCOL_NAMES.map((name) => `### ${name}\n\n\`\`\`mermaid\n${diagramOf(name)}\n\`\`\``).join('\n\n'),
};

for (const file of ['README.md', 'src/README.md']) {
  const url = new URL(`../../${file}`, import.meta.url);
  let text = readFileSync(url, 'utf8');
  for (const [name, write] of Object.entries(BLOCKS)) {
    text = text.replace(
      new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
      (_, open, close) => `${open}${write()}\n${close}`,
    );
  }
  writeFileSync(url, text);
}
