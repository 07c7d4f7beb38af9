import { randomInt } from 'node:crypto';
import type { Verdict } from './sink.ts';

/**
 * Refusals by chance, for testing how a sender takes them.
 *
 * One object is shared by those who set it and those who refuse: a receiver asks `strike` where it is about to accept.
 */

/** Where it can strike. */
export const CHAOS_PLACES = ['sender', 'recipient', 'authentication'] as const;
export type ChaosPlace = (typeof CHAOS_PLACES)[number];

export interface ChaosTrigger {
  /** SMTP reply code, 400 to 599. */
  readonly code: number;
  /** Percent: 0 is never, 100 is always. */
  readonly probability: number;
}

/** As it is until somebody sets it: never. */
export const CALM: Readonly<Record<ChaosPlace, ChaosTrigger>> = Object.freeze({
  sender: { code: 451, probability: 0 },
  recipient: { code: 451, probability: 0 },
  authentication: { code: 535, probability: 0 },
});

export class Chaos {
  #triggers: Readonly<Record<ChaosPlace, ChaosTrigger>> = CALM;
  readonly #chance: () => number;

  /** @param chance gives a whole number from 0 to 99, each as likely as the others */
  constructor(chance: () => number = () => randomInt(100)) {
    this.#chance = chance;
  }

  get triggers(): Readonly<Record<ChaosPlace, ChaosTrigger>> {
    return this.#triggers;
  }

  /** Sets what is given, and everything else back to never. */
  set(triggers: Partial<Record<ChaosPlace, ChaosTrigger>>): void {
    this.#triggers = { ...CALM, ...triggers };
  }

  /** Gives a refusal if chance will have it. */
  strike(place: ChaosPlace): Verdict | undefined {
    const { code, probability } = this.#triggers[place];
    if (probability === 0 || this.#chance() >= probability) return undefined;
    return { code, enhanced: `${Math.floor(code / 100)}.3.0`, text: `Chaos: refused by chance (${place})` };
  }
}
