import { describe, expect, it } from 'vitest';
import { EXPECTATIONS } from '../corpus/expectations.ts';
import { allCodes, allLinks, type Figures, type Finding, findInCorpus, kindsOfLinks, topCodes } from './measure.ts';

const findings = await findInCorpus();
const known = findings.filter(({ expected }) => !expected.isHeldOut);
const heldOut = findings.filter(({ expected }) => expected.isHeldOut);

function row(name: string, { right, found, there, precision, recall }: Figures): string {
  return `${name.padEnd(12)} precision ${precision.toFixed(3)} (${right}/${found}), recall ${recall.toFixed(3)} (${right}/${there})`;
}

function print(title: string, of: readonly Finding[]): void {
  console.info(
    [
      `${title}: ${of.length} mails`,
      row('top code', topCodes(of)),
      row('all codes', allCodes(of)),
      row('links', allLinks(of)),
      row('kinds', kindsOfLinks(of)),
    ].join('\n  '),
  );
}

describe('on the corpus', () => {
  it('prints how well codes and links are found', () => {
    print('known', known);
    print('held out', heldOut);
    print('all', findings);
  });

  it('has 60 mails in six languages, a dozen held out', () => {
    expect(EXPECTATIONS).toHaveLength(60);
    expect(heldOut).toHaveLength(12);
    expect(new Set(EXPECTATIONS.map(({ mail }) => mail.slice(0, 2)))).toEqual(
      new Set(['en', 'de', 'fr', 'es', 'zh', 'ja']),
    );
    expect(new Set(EXPECTATIONS.map(({ mail }) => mail)).size).toBe(60);
  });

  it.each([
    ['the first code', topCodes, 0.97],
    ['all codes', allCodes, 0.97],
    ['links', allLinks, 0.98],
    ['kinds of links', kindsOfLinks, 0.95],
  ])('finds %s with precision and recall above the floor', (_what, measure, floor) => {
    const { precision, recall } = measure(findings);
    expect(precision).toBeGreaterThanOrEqual(floor);
    expect(recall).toBeGreaterThanOrEqual(floor);
  });
});
