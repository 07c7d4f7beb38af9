import { describe, expect, it } from 'vitest';
import type { UserSource } from '../../src/finger/source.ts';

/** A source under test that knows `alice` and no other, and the way to end what it has started. */
export interface SourceUnderTest {
  readonly source: UserSource;
  readonly lists: boolean;
  close?(): Promise<void> | void;
}

const signal = new AbortController().signal;
const NOBODY = [
  'bob',
  '*',
  'al*',
  '..',
  '.',
  '../alice',
  '/etc/passwd',
  '-v',
  '--help',
  'a b',
  '$(id)',
  '`id`',
  ';id',
  'alice;id',
  'alice|id',
  '%61lice/..',
  '?',
  '#',
  '\ud800',
  'é',
  'x'.repeat(500),
  '__proto__',
  'constructor',
];

/** What every source of users must do: the protocol relies on it. */
export function userSourceContract(name: string, create: () => Promise<SourceUnderTest>): void {
  async function using(test: (under: SourceUnderTest) => Promise<void>): Promise<void> {
    const under = await create();
    try {
      await test(under);
    } finally {
      await under.close?.();
    }
  }

  describe(`contract of a source of users: ${name}`, () => {
    it('knows whom it knows, shortly and in full', () =>
      using(async ({ source }) => {
        for (const verbose of [false, true]) {
          const lines = await source.find('alice', { verbose, signal });
          expect(lines?.join('\n')).toContain('alice');
          expect(lines?.some((line) => /[\r\n]/.test(line))).toBe(false);
        }
      }));

    it.each(NOBODY)('knows nobody called %j', (user) =>
      using(async ({ source }) => expect(await source.find(user, { verbose: false, signal })).toBeUndefined()),
    );

    it('lists all, or says that it cannot', () =>
      using(async ({ source, lists }) => {
        const lines = await source.list({ verbose: false, signal });
        if (lists) expect(lines?.join('\n')).toContain('alice');
        else expect(lines).toBeUndefined();
      }));
  });
}
