import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { cutsOf, parseDialogues, play } from '../support/dialogue.ts';

for (const protocol of ['smtp', 'lmtp', 'mailinator']) {
  const folder = new URL(`./${protocol}/`, import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    describe(`${protocol}/${file}`, () => {
      for (const dialogue of parseDialogues(readFileSync(new URL(file, folder), 'utf8'))) {
        for (const cut of cutsOf(dialogue)) {
          it(`${dialogue.name} (${cut})`, () => play(protocol, dialogue, cut));
        }
      }
    });
  }
}
