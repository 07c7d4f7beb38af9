/**
 * `node test/faults/flood/main.ts [SECONDS]`: a flood of 10 000 connections, 2 000 drips and junk at full speed together,
 * while an honest client a second brings one mail. Writes its figures to test/bench/RESULTS.md. Loopback only; it stops by
 * itself.
 */
import { cpus, loadavg } from 'node:os';
import { writeSection } from '../../bench/results.ts';
import { flood, type Met } from './flood.ts';

const seconds = Number(process.argv[2] ?? 60);
const loadBefore = loadavg()[0]!;
const outcome = await flood({ seconds, held: 10_000, drips: 2_000, junk: 8 });
const sorted = outcome.milliseconds.toSorted((a, b) => a - b);
const at = (share: number): string => `${Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN)} ms`;
const row = (name: string, met: Met): string =>
  `| ${name} | ${met.connections} | ${met.greeted} | ${met.refused} | ${met.cut} | ${met.accepted} |`;

writeSection(
  'flood',
  `
## Under a flood

\`node test/faults/flood/main.ts ${seconds}\`, taken ${new Date().toISOString().slice(0, 10)} on ${cpus().length} cores with a load average of ${loadBefore.toFixed(1)} before it began: attackers in four
processes of their own from 100 addresses, the daemon under \`--profile public\` with 2 000 places, and one honest client a second
from connecting to the 250 behind its mail (300 ms of that is the wait before the greeting). ${seconds} seconds.

| attackers | connections | greeted | refused | cut | mails taken |
|---|---:|---:|---:|---:|---:|
${row('10 000 that hold connections', outcome.held)}
${row('2 000 that drip', outcome.drips)}
${row('8 that send junk at full speed', outcome.junk)}

| honest mails | 250 | failed | lost | median | p99 | longest | memory of the daemon |
|---|---:|---:|---:|---:|---:|---:|---:|
| ${sorted.length + outcome.failures.length} | ${sorted.length} | ${outcome.failures.length} | ${outcome.lost.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${Math.round(outcome.rssBytes / 2 ** 20)} MiB |
`.trim(),
);
console.log(outcome.failures.join('\n'));
