import { hasUnseenCharacters, normaliseDomain, type Path, parseAddress } from './address.ts';

/** Which part of an address names its inbox. */
export type Naming = 'full' | 'local' | 'domain';
export const NAMINGS: readonly Naming[] = ['full', 'local', 'domain'];

/** Where a message for an address goes. */
export interface InboxName {
  readonly inbox: string;
  /** What followed the first `+` of the local part, case kept; '' if there was none. */
  readonly tag: string;
}

/**
 * Names the inbox of an address: the local part in lower case (NFC) without its `+tag`, at the normalised domain.
 *
 * `local` leaves the domain out, `domain` the local part. A local part that starts with `+` has no name before its tag
 * and keeps it all. Quoting does not count (`"bob"@d` is `bob@d`), except that the empty local part stays `""`: an
 * inbox has a name. The domain of an inbox is what follows its last `@`.
 */
export function inboxOf(path: Path, naming: Naming = 'full'): InboxName {
  const plus = path.local.indexOf('+');
  const base = plus > 0 ? path.local.slice(0, plus) : path.local;
  const tag = plus > 0 ? path.local.slice(plus + 1) : '';
  const local = foldLocal(base) || '""';
  const domain = normaliseDomain(path.domain);
  if (naming === 'local' || domain === '') return { inbox: local, tag };
  if (naming === 'domain') return { inbox: domain, tag };
  return { inbox: `${local}@${domain}`, tag };
}

/** Lower case may leave NFC again (`İ`), so it is composed on both sides: folding twice changes nothing. */
function foldLocal(local: string): string {
  return local.normalize('NFC').toLowerCase().normalize('NFC');
}

const TYPED_CHARACTERS = 1024;

/**
 * Names the inbox that a person means by what he types: an address (`Alice+x@Example.TEST`), a bare name (`alice`; with
 * naming `domain` a bare domain), or an inbox name as `inboxOf` made it, which stays as it is.
 * @returns undefined if nothing was typed, or something no inbox can be called
 */
export function inboxNameFromText(text: string, naming: Naming = 'full'): string | undefined {
  if (text.length > TYPED_CHARACTERS) return undefined;
  const typed = text.trim();
  if (typed === '' || hasUnseenCharacters(typed)) return undefined;
  const path = parseAddress(typed) ?? splitAtLast(typed);
  if (naming !== 'domain') return inboxOf(path, naming).inbox;
  return normaliseDomain(path.domain === '' ? path.local : path.domain) || undefined;
}

/** The name of an inbox has its local part without quotes, so `john doe@d` is no address and yet a name. */
function splitAtLast(text: string): Path {
  const at = text.lastIndexOf('@');
  const local = at < 0 ? text : text.slice(0, at);
  return { local: local === '""' ? '' : local, domain: at < 0 ? '' : text.slice(at + 1), text };
}
