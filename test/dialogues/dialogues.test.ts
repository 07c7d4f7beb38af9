import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { CUTS, parseDialogues, play } from '../support/dialogue.ts';

for (const protocol of ['smtp', 'lmtp', 'mailinator']) {
  const folder = new URL(`./${protocol}/`, import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    describe(`${protocol}/${file}`, () => {
      for (const dialogue of parseDialogues(readFileSync(new URL(file, folder), 'utf8'))) {
        const only = dialogue.settings.get('cuts')?.split(',');
        for (const cut of CUTS.filter((one) => !only || only.includes(one))) {
          it(`${dialogue.name} (${cut})`, () => play(protocol, dialogue, cut));
        }
      }
    });
  }
}
