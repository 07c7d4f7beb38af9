import { readFileSync } from 'node:fs';
import { type Code, findCodes } from '../../../src/mail/codes.ts';
import { findLinks, type Link } from '../../../src/mail/links.ts';
import { parseMessage } from '../../../src/mail/mime.ts';
import { EXPECTATIONS, type Expectation } from '../corpus/expectations.ts';

/** Found and expected of one mail. */
export interface Finding {
  readonly expected: Expectation;
  readonly codes: readonly Code[];
  readonly links: readonly Link[];
}

/** How well something is found: of what was found how much is right, of what is there how much was found. */
export interface Figures {
  readonly right: number;
  readonly found: number;
  readonly there: number;
  readonly precision: number;
  readonly recall: number;
}

/** Runs the finders over the corpus. */
export async function findInCorpus(): Promise<Finding[]> {
  return Promise.all(
    EXPECTATIONS.map(async (expected) => {
      const mail = await parseMessage(readFileSync(new URL(`../corpus/${expected.mail}.eml`, import.meta.url)));
      return { expected, codes: findCodes(mail), links: findLinks(mail) };
    }),
  );
}

/** The first code of each mail against the first that is to be found. */
export function topCodes(findings: readonly Finding[]): Figures {
  return figures(findings, ({ expected, codes }) => [
    codes.slice(0, 1).map(({ code }) => code),
    expected.codes.slice(0, 1),
  ]);
}

/** All codes of each mail. */
export function allCodes(findings: readonly Finding[]): Figures {
  return figures(findings, ({ expected, codes }) => [codes.map(({ code }) => code), expected.codes]);
}

/** All links of each mail, whatever their kind. */
export function allLinks(findings: readonly Finding[]): Figures {
  return figures(findings, ({ expected, links }) => [
    links.map(({ url }) => url),
    expected.links.map(([, url]) => url),
  ]);
}

/** Links that are for something: right if address and kind are. */
export function kindsOfLinks(findings: readonly Finding[]): Figures {
  return figures(findings, ({ expected, links }) => [
    links.filter(({ kind }) => kind !== 'other').map(({ url, kind }) => `${kind} ${url}`),
    expected.links.filter(([kind]) => kind !== 'other').map(([kind, url]) => `${kind} ${url}`),
  ]);
}

function figures(
  findings: readonly Finding[],
  pick: (finding: Finding) => readonly [found: readonly string[], there: readonly string[]],
): Figures {
  let right = 0;
  let found = 0;
  let there = 0;
  for (const finding of findings) {
    const [these, those] = pick(finding);
    right += these.filter((each) => those.includes(each)).length;
    found += these.length;
    there += those.length;
  }
  return { right, found, there, precision: ratio(right, found), recall: ratio(right, there) };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}
