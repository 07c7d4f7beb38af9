#!/usr/bin/env node
// nothing may be imported before this check: older versions fail on the very syntax and modules, with words that help nobody
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 6)) {
  process.stderr.write(`inboxd: needs Node.js 24.6 or later, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  // started from its sources, it need not take the types out of them each time, which costs every thread 10 MiB
  const { enableCompileCache } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const isSource = import.meta.url.endsWith('.ts');
  if (isSource) enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/inboxd', import.meta.url)));
  const { main } = await import('../src/cli/main.ts');
  await main();
}
