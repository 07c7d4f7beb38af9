#!/usr/bin/env -S node --max-semi-space-size=8
// the flag bounds what V8 takes for new objects: on a machine with much memory 128 MiB, of which mail needs little
// nothing may be imported before this check: older versions fail on the very syntax and modules, with words that help nobody
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(`inboxd: needs Node.js 24 or later, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  const { main } = await import('../src/cli/main.ts');
  await main();
}
