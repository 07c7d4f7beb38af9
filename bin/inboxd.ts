#!/usr/bin/env node
// nothing may be imported before this check: older versions fail on the very syntax and modules, with words that help nobody
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(`inboxd: needs Node.js 24 or later, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  const { main } = await import('../src/cli/main.ts');
  await main();
}
