import { likeness, type Sketch, sketchOf } from './likeness.ts';

/** Bases and single mails that later ones are compared with; the least recently useful are forgotten. */
const KNOWN_BASES = 256;
const KNOWN_MAILS = 256;
/** What two mails must have in common for one to be the other's base. */
const ALIKE = 0.5;
/** A base that is no more like than this is taken, but a better one is looked for. */
const MUCH_ALIKE = 0.8;
const LEAST_BYTES = 512;

export type Choice = { readonly base: number; readonly isNew: boolean } | undefined;

/**
 * Chooses what a mail is packed with. Of the first of its kind nothing but a sketch is remembered; the second becomes a
 * base, so that mail that comes only once makes none.
 */
export class BaseChoice {
  readonly #bases = new Map<number, Sketch>(); // least recently used first
  readonly #mails = new Map<number, Sketch>();

  /** A base that is there already. */
  know(base: number, content: Uint8Array): void {
    put(this.#bases, base, sketchOf(content), KNOWN_BASES);
  }

  choose(seq: number, content: Uint8Array): Choice {
    if (content.length < LEAST_BYTES) return undefined;
    const sketch = sketchOf(content);
    const best = mostAlike(this.#bases, sketch);
    if (best && best.likeness >= MUCH_ALIKE) return this.#use(best.key);
    const mail = mostAlike(this.#mails, sketch);
    if (mail && mail.likeness >= ALIKE && mail.likeness > (best?.likeness ?? 0)) {
      this.#mails.delete(mail.key);
      put(this.#bases, seq, sketch, KNOWN_BASES);
      return { base: seq, isNew: true };
    }
    put(this.#mails, seq, sketch, KNOWN_MAILS);
    return best && best.likeness >= ALIKE ? this.#use(best.key) : undefined;
  }

  /** A base that is not there any more. */
  forget(base: number): void {
    this.#bases.delete(base);
  }

  #use(base: number): Choice {
    put(this.#bases, base, this.#bases.get(base)!, KNOWN_BASES);
    return { base, isNew: false };
  }
}

function mostAlike(known: ReadonlyMap<number, Sketch>, sketch: Sketch): { key: number; likeness: number } | undefined {
  let best: { key: number; likeness: number } | undefined;
  for (const [key, other] of known) {
    const found = likeness(sketch, other);
    if (found > (best?.likeness ?? 0)) best = { key, likeness: found };
  }
  return best;
}

function put(known: Map<number, Sketch>, key: number, sketch: Sketch, most: number): void {
  known.delete(key);
  known.set(key, sketch);
  for (const oldest of known.keys()) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
}
