/** A short run of every target, always the same: `npm run fuzz` runs as many inputs as one likes. */
import { afterAll, describe, expect, it } from 'vitest';
import { runTarget } from './run.ts';
import { TARGETS } from './targets.ts';

/** Inputs of all targets together; a few seconds each on a quiet machine. */
const INPUTS = 20_000;
const SEED = 20_261_121;
const SHARES = TARGETS.reduce((sum, { share }) => sum + share, 0);

describe('hostile input', () => {
  afterAll(async () => {
    for (const target of TARGETS) await target.close?.();
  });

  it.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s does no harm',
    { timeout: 300_000 },
    async (_name, target) => {
      const inputs = Math.ceil((INPUTS * target.share) / SHARES);
      expect(await runTarget(target, { inputs, seed: SEED })).toMatchObject({ inputs });
    },
  );
});
