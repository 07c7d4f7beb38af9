import { expect, it } from 'vitest';
import { eurechat } from '../../src/eurechat/table.ts';
import { END } from '../../src/wire/machine.ts';

it('has an answer to every event in every state, and the wrong ones end the session', () => {
  for (const state of ['idle', 'user', 'pass'] as const) {
    for (const event of ['misplaced', 'unknown', 'badFrame', 'timeout', 'shutdown', 'crash']) {
      expect(eurechat.find(state, event)?.fail, `${state} x ${event}`).toBe(END);
    }
  }
});
