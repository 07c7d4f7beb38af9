import { inboxNameFromText, type Naming } from '../mail/inbox.ts';

/** A name of the protocol, or two of them as the address of an inbox: nothing that could break a line of RESULT. */
const NAME = /^[A-Za-z0-9._-]{1,64}(?:@[A-Za-z0-9._-]{1,255})?$/;

/**
 * Reads the argument of USER: the name of an inbox. Where inboxes are named after whole addresses, a name without a
 * domain stands for that user at every domain.
 * @returns the name as inboxes are called; undefined if it is none
 */
export function parseUser(text: string, naming: Naming): string | undefined {
  return NAME.test(text) ? inboxNameFromText(text, naming) : undefined;
}

/** The users that what comes into an inbox is for. */
export function usersOf(inbox: string, naming: Naming): readonly string[] {
  const at = naming === 'full' ? inbox.lastIndexOf('@') : 0;
  return at > 0 ? [inbox, inbox.slice(0, at)] : [inbox];
}
