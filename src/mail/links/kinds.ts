import { fold } from '../phrases.ts';
import { findLinkWords, type LinkMeaning } from './words.ts';

/** What a link is for. */
export type LinkKind = 'verify' | 'reset' | 'magic' | 'unsubscribe' | 'other';

/** What is known of a link when its kind is judged. */
export interface LinkFacts {
  readonly url: string;
  /** What can be clicked; '' for an address that stands by itself. */
  readonly text: string;
  /** The sentence it stands in, then the one before. */
  readonly sentences: readonly string[];
}

export interface KindJudgement {
  readonly kind: LinkKind;
  /** How much speaks for it; of several links to one address the surest counts. */
  readonly weight: number;
}

type Purpose = Exclude<LinkKind, 'other'>;
const PURPOSES: readonly Purpose[] = ['unsubscribe', 'reset', 'verify', 'magic'];

// biome-ignore format: a table
const WEIGHT = Object.freeze({
  /** Words on the link itself. */
  text: 6,
  /** `Confirm`, with an address that carries a token. */
  weakText: 4,
  /** Words of the address. */
  address: 3,
  /** The same without a token, when the link says something else. */
  addressBeside: 2,
  /** Words of the sentence, for a link that says nothing itself. */
  sentence: 4,
  /** The same for one that says something else, with a token in its address. */
  sentenceBeside: 2,
  least: 3,
});

/** Words in path and query of an address, as programmers write them. */
// biome-ignore format: a table
const ADDRESS: Readonly<Record<Purpose, RegExp>> = {
  unsubscribe: /unsub|opt-?_?out|abmeld|abbestell|desinscri|desabon|desuscri|cancelar-?suscri|baja(?![a-z])|tuiding|haishin-?teishi|list-?manage.*remove|email-?off/,
  reset: /(?:password|passwd|passwort|kennwort|contrasena|mot-?de-?passe|pw|pwd)[-_/.]?(?:reset|recover|change|forgot|new|set|edit|zuruecksetzen|vergessen|aendern)|(?:reset|recover|forgot|new|change|set|zuruecksetzen|restablecer|reinitialiser|recuperar)[-_/.]?(?:your[-_])?(?:password|passwd|passwort|kennwort|contrasena|mot-?de-?passe|pw(?![a-z])|pwd)|(?:^|[/?&=_.-])(?:reset|recovery|forgot)(?=$|[/?&=_.-])/,
  verify: /verif|confirm|activat|validat|bestaetig|aktivier|activar|activer|valider|double-?opt-?in|(?:^|[/?&=_.-])(?:doi|optin|opt-in)(?=$|[/?&=_.-])/,
  magic: /magic|passwordless|one-?time-?login|(?:login|signin|sign-in|log-in|auth)[-_]?(?:link|token|email|callback|with)|email-?login|otl(?=$|[/?&=])|(?:^|[/?&=_.-])(?:login|signin|sign-in|sso|anmelden|connexion|acceso|ingresar)(?=$|[/?&=_.-])/,
};
/** Addresses that look like one of these and are not. */
const DENIED =
  /den(?:y|ied)|not-?me|reject|report|cancel|decline|abuse|order[-_]?confirm|confirm[-_]?(?:order|delivery|attendance|appointment|receipt)|rsvp|help|support|faq|privacy|status|docs?(?=\/)|settings/;

/** Judges a link by its own words, its address and the sentence it stands in. */
export function judgeKind({ url, text, sentences }: LinkFacts): KindJudgement {
  const address = addressWords(url);
  const said = meaningsOf(text);
  const isDenied =
    said.has('denial') || said.has('disowns') || (DENIED.test(address) && !ADDRESS.unsubscribe.test(address));
  const hasToken = carriesToken(url);
  const isGeneric = text === '' || isAddress(text) || saysNothing(text, said);
  const around = isGeneric || hasToken ? meaningsAround(sentences) : NOTHING;
  let best: KindJudgement = { kind: 'other', weight: 0 };
  for (const kind of PURPOSES) {
    if (isDenied && kind !== 'unsubscribe') continue;
    let weight = 0;
    if (said.has(kind)) weight += WEIGHT.text;
    else if (kind === 'verify' && said.has('verifyWeak') && hasToken) weight += WEIGHT.weakText;
    const isPlain = kind === 'unsubscribe' || isGeneric || hasToken;
    if (ADDRESS[kind].test(address)) weight += isPlain ? WEIGHT.address : WEIGHT.addressBeside;
    if (around.has(kind) && !said.has('unsubscribe')) weight += isGeneric ? WEIGHT.sentence : WEIGHT.sentenceBeside;
    // a form to sign in is no magic link: that one carries the right to enter
    if (kind === 'magic' && !hasToken && !/magic/.test(address)) weight = 0;
    if (weight >= WEIGHT.least && weight > best.weight) best = { kind, weight };
  }
  return best;
}

const NOTHING: ReadonlySet<LinkMeaning> = new Set();
const WORDS_READ = 1_000; // characters of a link's text or sentence

function meaningsOf(text: string): ReadonlySet<LinkMeaning> {
  if (text === '') return NOTHING;
  return new Set(findLinkWords(fold(text.slice(0, WORDS_READ))).map(({ meaning }) => meaning));
}

/** The nearest sentence that says what a link is for; nothing if it is the one of who asked for nothing. */
function meaningsAround(sentences: readonly string[]): ReadonlySet<LinkMeaning> {
  for (const sentence of sentences) {
    const meanings = meaningsOf(sentence);
    if (meanings.has('disowns')) return NOTHING;
    if (PURPOSES.some((kind) => meanings.has(kind))) return meanings;
  }
  return NOTHING;
}

function isAddress(text: string): boolean {
  return /^<?(?:https?:\/\/|mailto:|www\.)/i.test(text);
}

/** `click here`, `Continue`: short, and no word of its own. */
function saysNothing(text: string, said: ReadonlySet<LinkMeaning>): boolean {
  const isGeneric = said.has('generic') && text.length <= 40;
  return isGeneric && PURPOSES.every((kind) => !said.has(kind)) && !said.has('verifyWeak') && !said.has('denial');
}

/** Words joined by hyphens, as in `/how-to-reset-your-password`: something to read. */
const TITLE = /\/[a-z]+(?:-[a-z0-9]+){3,40}(?=$|[/?#.])/g;

/** Path and query without the host, in small letters, percent-encoding undone where that can be. */
function addressWords(url: string): string {
  const lower = url.toLowerCase().slice(0, 2_048);
  if (lower.startsWith('mailto:')) return lower.slice(7);
  const path = lower.replace(/^https?:\/\/[^/?#]*/, '');
  return path.replace(TITLE, '/');
}

/** Tells whether an address holds what nobody could guess: a key, or a long jumble. */
export function carriesToken(url: string): boolean {
  const address = url.slice(0, 2_048).replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  if (
    /[?&;#/](?:[a-z]+[_-]?)?(?:token|tok|otp|ticket|secret|signature|sig|nonce|jwt|hash|key|code)[=/][\w%.~-]{4,}/i.test(
      address,
    )
  )
    return true;
  return address.split(/[/?&=#;,]/).some((piece) => isJumble(piece));
}

function isJumble(piece: string): boolean {
  if (piece.length < 16) return false;
  // words joined by hyphens are a title; a token has digits among its letters, or both sizes of letters
  const plain = piece.replace(/%[0-9a-f]{2}/gi, '');
  const isMixed = /\d/.test(plain) && /[a-z]/i.test(plain);
  const longest = Math.max(...plain.split(/[-_.~]/).map((word) => word.length));
  return (
    (isMixed && (longest >= 12 || /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(plain))) ||
    (longest >= 20 && /[a-z][A-Z]|[A-Z][a-z]/.test(plain))
  );
}
