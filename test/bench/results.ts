import { readFileSync, writeFileSync } from 'node:fs';

const RESULTS = new URL('./RESULTS.md', import.meta.url);

/**
 * Puts the figures of one program into test/bench/RESULTS.md, between its own marks; those of others stay.
 * @param name as in `<!-- name -->`
 */
export function writeSection(name: string, text: string): void {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const old = readFileSync(RESULTS, 'utf8');
  const from = old.indexOf(open);
  const to = old.indexOf(close);
  const section = `${open}${text.trimEnd()}\n${close}`;
  const whole =
    from < 0 || to < 0
      ? `${old.trimEnd()}\n\n${section}\n`
      : `${old.slice(0, from)}${section}${old.slice(to + close.length)}`;
  writeFileSync(RESULTS, whole);
  console.log(`written to ${RESULTS.pathname}`);
}
