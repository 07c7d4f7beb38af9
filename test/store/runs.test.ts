import { describe, expect, it } from 'vitest';
import { COLUMNS, commonRuns, markedPhrases, reachesOf, runsOf, withMarks } from '../../src/store/sqlite/runs.ts';

const SUBJECT = COLUMNS.indexOf('subject');
const LONG = 'one two three four five six seven eight nine ten eleven twelve';
const spaced = (words: string): string => ` ${words} `;
const texts = [spaced('dear friend of'), spaced(LONG), spaced('until next week')];
const runs = runsOf(1, SUBJECT, texts);
const [dear, long, until] = runs.map(({ mark }) => mark);
const reaches = reachesOf(
  1,
  COLUMNS.map((_, column) => (column === SUBJECT ? texts : [])),
);

describe('runs that two texts have in common', () => {
  it('are long ones, and between them short ones without numbers', () => {
    const one = `dear friend of anna ${LONG} on 5 6 7 may until next week`;
    const other = `dear friend of bob ${LONG} at 5 6 7 june until next week`;
    expect(commonRuns(one, other, false)).toEqual(texts);
  });

  it('are no more than so many short ones', () => {
    const text = (own: string): string =>
      Array.from({ length: 50 }, (_, n) => `a${n}x b${n}x c${n}x ${own}${n}y`).join(' ');
    expect(commonRuns(text('p'), text('q'), false)).toHaveLength(32);
  });

  it('are none where texts differ in every third word', () => {
    expect(commonRuns('a b 1x c d 2x e f', 'a b 1y c d 2y e f', false)).toEqual([]);
  });
});

describe('a text of a kind', () => {
  it('has marks in the place of runs', () => {
    const { words, short } = withMarks(spaced(`dear friend of anna ${LONG} bye until next week`), runs)!;
    expect(words).toBe(`${dear} anna ${long} bye ${until}`);
    expect(short.map(({ mark }) => mark)).toEqual([dear, until]);
  });

  it('may lack short runs, and have them at other places, but no long one', () => {
    expect(withMarks(spaced(`${LONG} dear friend of anna`), runs)?.words).toBe(`${long} dear friend of anna`);
    expect(withMarks(spaced('dear friend of anna until next week'), runs)).toBeUndefined();
  });

  it('that is nothing but its long run has no words of its own', () => {
    expect(withMarks(spaced(LONG), runsOf(1, SUBJECT, [spaced(LONG)]))).toEqual({ words: '', short: [] });
  });
});

describe('a phrase', () => {
  // words that are those of a run may also be a mail's own
  it.each([
    ['anna one', false, [`"anna ${long}"`]],
    ['of anna one two', false, [`"of anna ${long}"`, `"${dear} anna one two"`, `"${dear} anna ${long}"`]],
    ['of anna', false, [`"${dear} anna"`]],
    ['of an', true, [`"${dear} an" *`]],
    ['anna on', true, [`"anna ${long}"`]],
    ['eleven twelve bye', false, [`"${long} bye"`]],
    ['twelve until next', false, [`"twelve ${until}"`, `"${long} until next"`, `"${long} ${until}"`]],
    ['bye until', false, [`"bye ${until}"`]],
    ['friend of', false, [`"${dear}"`]],
    ['next w', true, [`"${until}"`]],
    ['two three', false, []], // the kind tells
    ['two bye', false, []],
    ['twelve of', false, [`"${long} of"`]],
  ])('%j, a beginning: %j, stands with marks for what it reaches', (words, isPrefix, wanted) => {
    expect(markedPhrases({ words: words.split(' '), isPrefix }, reaches)).toEqual(wanted);
  });
});
