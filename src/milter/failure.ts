/** Why a milter cannot be asked any more, as one of a few words. */
export type MilterTrouble = 'connect' | 'busy' | 'negotiation' | 'timeout' | 'closed' | 'protocol';

/** A milter cannot be asked any more; what becomes of the session is its `whenFailing`. */
export class MilterFailure extends Error {
  override readonly name = 'MilterFailure';
  readonly why: MilterTrouble;

  constructor(why: MilterTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.why = why;
  }
}
