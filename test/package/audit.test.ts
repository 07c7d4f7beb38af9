/** What ships has no hole that is known, as far as the registry can be asked. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly via: unknown }>>;
  /** Of npm, when it could not ask. */
  readonly message?: string;
}

it('npm audit finds nothing in what ships', async (context) => {
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const { stdout } = await run('npm', ['audit', '--omit=dev', '--json'], { cwd });
  const audit = JSON.parse(stdout) as Audit;
  if (audit.vulnerabilities === undefined) {
    const why = `the registry answers no audit: ${audit.message ?? 'it says not why'}`;
    console.log(`skipped, ${why}`);
    context.skip(why);
  }
  expect(audit.vulnerabilities).toEqual({});
}, 120_000);
