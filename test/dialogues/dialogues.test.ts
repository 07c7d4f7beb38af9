import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { cutsOf, parseDialogues, play } from '../support/dialogue.ts';
import { playPop3 } from '../support/pop3-dialogue.ts';

for (const protocol of ['smtp', 'lmtp', 'mailinator', 'pop3']) {
  const folder = new URL(`./${protocol}/`, import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    describe(`${protocol}/${file}`, () => {
      for (const dialogue of parseDialogues(readFileSync(new URL(file, folder), 'utf8'))) {
        for (const cut of cutsOf(dialogue)) {
          it(`${dialogue.name} (${cut})`, () =>
            protocol === 'pop3' ? playPop3(dialogue, cut) : play(protocol, dialogue, cut));
        }
      }
    });
  }
}
