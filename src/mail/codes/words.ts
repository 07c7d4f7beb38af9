import { createPhraseFinder, type Found } from '../phrases.ts';
import { CHINESE } from './words/chinese.ts';
import { ENGLISH } from './words/english.ts';
import { FRENCH } from './words/french.ts';
import { GERMAN } from './words/german.ts';
import { JAPANESE } from './words/japanese.ts';
import { SPANISH } from './words/spanish.ts';

/** What words say about a number near them, in one language; phrases as `createPhraseFinder` reads them. */
export interface CodeWords {
  /** Names of one-time codes that are nothing else. */
  readonly strong: readonly string[];
  /** Words for codes of any kind. */
  readonly weak: readonly string[];
  /** What one does with a code: `enter`, `type`. Means something together with a purpose only. */
  readonly actions: readonly string[];
  /** What a code is for: `sign in`, `verify`. */
  readonly purposes: readonly string[];
  /** Names of other numbers; what follows is not a code. */
  readonly names: readonly string[];
  /** Things that bear a number when it stands right behind them: `order 12345`. */
  readonly things: readonly string[];
  /** Where a code is for shopping: a weak word in the same sentence means nothing. */
  readonly offers: readonly string[];
  /** Telephone and video conferences, whose passcodes last for all who are invited. */
  readonly meetings: readonly string[];
  /** What mails with a one-time code say beside it. */
  readonly assurances: readonly string[];
}

export type WordMeaning = keyof CodeWords;

const LANGUAGES: readonly CodeWords[] = [ENGLISH, GERMAN, FRENCH, SPANISH, CHINESE, JAPANESE];
/** A phrase of two groups or two languages means what stands first here. */
const ORDER: readonly WordMeaning[] = [
  'strong',
  'names',
  'weak',
  'things',
  'offers',
  'meetings',
  'purposes',
  'actions',
  'assurances',
];

export type Word = Found<WordMeaning>;

/** Finds the words of all languages in a folded line. */
export const findWords: (folded: string) => Word[] = createPhraseFinder(
  ORDER.flatMap((meaning) =>
    LANGUAGES.flatMap((words) => words[meaning].map((phrase): [string, WordMeaning] => [phrase, meaning])),
  ),
);
