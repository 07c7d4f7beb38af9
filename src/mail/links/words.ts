import { createPhraseFinder, type Found } from '../phrases.ts';
import { CHINESE } from './words/chinese.ts';
import { ENGLISH } from './words/english.ts';
import { FRENCH } from './words/french.ts';
import { GERMAN } from './words/german.ts';
import { JAPANESE } from './words/japanese.ts';
import { SPANISH } from './words/spanish.ts';

/** What words of a link say of where it leads, in one language; phrases as `createPhraseFinder` reads them. */
export interface LinkWords {
  /** Confirms an address, an account, a subscription. */
  readonly verify: readonly string[];
  /** The same if the address of the link says so too. */
  readonly verifyWeak: readonly string[];
  readonly reset: readonly string[];
  /** Signs in; a link to a form to sign in reads the same, so these need a token in the address. */
  readonly magic: readonly string[];
  readonly unsubscribe: readonly string[];
  /** It was not me: a link, or the sentence of one, that undoes what the mail is about. */
  readonly disowns: readonly string[];
  /** What makes a link another one though it has some of the words above. */
  readonly denial: readonly string[];
  /** Says nothing: the sentence around has to. */
  readonly generic: readonly string[];
}

export type LinkMeaning = keyof LinkWords;

const LANGUAGES: readonly LinkWords[] = [ENGLISH, GERMAN, FRENCH, SPANISH, CHINESE, JAPANESE];
/** A phrase of two groups or two languages means what stands first here. */
const ORDER: readonly LinkMeaning[] = [
  'disowns',
  'unsubscribe',
  'reset',
  'verify',
  'magic',
  'denial',
  'verifyWeak',
  'generic',
];

/** Finds the words of all languages in a folded text. */
export const findLinkWords: (folded: string) => Found<LinkMeaning>[] = createPhraseFinder(
  ORDER.flatMap((meaning) =>
    LANGUAGES.flatMap((words) => words[meaning].map((phrase): [string, LinkMeaning] => [phrase, meaning])),
  ),
);
