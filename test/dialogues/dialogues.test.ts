import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { type Cut, cutsOf, type Dialogue, parseDialogues, play } from '../support/dialogue.ts';
import { playEurechat } from '../support/eurechat-dialogue.ts';
import { playPop3 } from '../support/pop3-dialogue.ts';

const PROTOCOLS = ['smtp', 'lmtp', 'mailinator', 'pop3', 'eurechat'];
const PLAYERS: Readonly<Record<string, (dialogue: Dialogue, cut: Cut) => Promise<void>>> = {
  pop3: playPop3,
  eurechat: playEurechat,
};

for (const protocol of PROTOCOLS) {
  const folder = new URL(`./${protocol}/`, import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    describe(`${protocol}/${file}`, () => {
      const lineEnd = protocol === 'eurechat' ? '\n' : '\r\n';
      for (const dialogue of parseDialogues(readFileSync(new URL(file, folder), 'utf8'), lineEnd)) {
        for (const cut of cutsOf(dialogue)) {
          const player = PLAYERS[protocol] ?? play.bind(undefined, protocol);
          it(`${dialogue.name} (${cut})`, () => player(dialogue, cut));
        }
      }
    });
  }
}
