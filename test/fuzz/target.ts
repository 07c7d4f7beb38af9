/**
 * A kind of hostile input and what must stay true of it. One seed makes one input, so that a finding can be run again:
 *   npm run fuzz -- --target NAME --seed SEED --inputs 1
 */
export interface Target {
  readonly name: string;
  /** Its part of the inputs of a whole run, next to those of the others. */
  readonly share: number;
  /** Longer than this no input may take, on a machine that does nothing else. */
  readonly deadlineMs: number;
  /** Makes an input of a seed's chance and tries it; throws for a finding. */
  run(random: () => number): void | Promise<void>;
  close?(): Promise<void>;
}

/** Something that must not be, with the input that brought it. */
export class Finding extends Error {
  override readonly name = 'Finding';

  constructor(what: string, input: unknown, options?: ErrorOptions) {
    const shown = typeof input === 'string' ? JSON.stringify(input) : JSON.stringify(String(input));
    super(`${what}\n  input: ${shown.slice(0, 4_000)}`, options);
  }
}

/** Runs what may throw nothing, or only what `isExpected` knows. */
export function sound<T>(
  input: unknown,
  work: () => T,
  isExpected: (error: unknown) => boolean = () => false,
): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Finding) throw error;
    if (isExpected(error)) return undefined;
    throw new Finding(`threw ${(error as Error).stack}`, input, { cause: error });
  }
}
