/**
 * Suites that talk to programs that others wrote.
 *
 * In CI a test that finds its program missing fails. Elsewhere it is skipped, and says what to install.
 */
import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { findPeer, PACKAGES, type PeerName } from './program.ts';

/** A suite that needs other people's programs; `body` gets their paths. */
export function describeWithPeers<Name extends PeerName>(
  title: string,
  names: readonly Name[],
  body: (paths: Record<Name, string>) => void,
): void {
  const found = names.map((name) => [name, findPeer(name)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length === 0) {
    describe(title, () => body(Object.fromEntries(found) as Record<Name, string>));
    return;
  }
  describe(title, () => lacking(missing.map((name) => `${name} (Debian package ${PACKAGES[name]})`).join(', ')));
}

/** A suite that needs a module of the system's own Python. */
export function describeWithPythonModule(
  title: string,
  module: string,
  debian: string,
  body: (python: string) => void,
): void {
  const python = '/usr/bin/python3';
  const { status } = spawnSync(python, ['-c', `import ${module}`]);
  if (status === 0) describe(title, () => body(python));
  else describe(title, () => lacking(`Python's ${module} (Debian package ${debian})`));
}

/** A suite that needs root, for mounts or other people's user ids. */
export function describeAsRoot(title: string, body: () => void): void {
  if (process.getuid?.() === 0) describe(title, body);
  else describe(title, () => lacking('root'));
}

function lacking(what: string): void {
  it(`needs ${what}`, (context) => {
    if (process.env.CI) throw new Error(`missing in CI: ${what}; see .ci/install-peers`);
    console.log(`skipped, needs ${what}; .ci/install-peers installs what can be installed`);
    context.skip(`needs ${what}`);
  });
}
