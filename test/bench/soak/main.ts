/**
 * `npm run soak -- --minutes 30`: a daemon at half of full speed, with readers; does anything grow?
 *
 *   --minutes N        how long (default 30; fractions are allowed)
 *   --write            puts the figures into test/bench/RESULTS.md
 *
 * Ends with 1 if something grew, was lost, or was complained about.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { machineLines } from '../report.ts';
import { writeSection } from '../results.ts';
import { type SoakResult, soak } from './soak.ts';
import type { Sample, Trend } from './verdict.ts';

const { values: flags } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, write: { type: 'boolean', default: false } },
});
const minutes = Number(flags.minutes);
if (!(minutes > 0 && minutes <= 10_000)) throw new Error(`--minutes wants a number, not ${flags.minutes}`);

const loadBefore = loadavg()[0]!;
const result = await soak({
  seconds: minutes * 60,
  sampleSeconds: Math.max(1, Math.min(5, minutes)),
  calibrateSeconds: Math.min(10, minutes * 6),
  onSample: (sample) => console.log(sampleLine(sample)),
});
const troubles = troublesOf(result);
const text = await describe(result);
console.log(`\n${text}`);
for (const trouble of troubles) console.log(`TROUBLE: ${trouble}`);
if (flags.write) writeSection('soak', text);
process.exitCode = troubles.length > 0 ? 1 : 0;

function sampleLine({ seconds, rssBytes, heapBytes, descriptors, lagP99Ms, messages }: Sample): string {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`.padStart(9);
  const time = `${seconds.toFixed(0)} s`.padStart(7);
  return `${time} ${mib(rssBytes)} rss ${mib(heapBytes)} heap ${String(descriptors).padStart(5)} fd ${lagP99Ms.toFixed(1).padStart(7)} ms lag ${String(messages).padStart(9)} messages`;
}

function troublesOf({ trends, sent, accepted, reads, complaints, descriptors }: SoakResult): string[] {
  const troubles = trends
    .filter(({ isFlat }) => !isFlat)
    .map(({ name, perHour, unit }) => `${name} grows by ${perHour.toFixed(1)} ${unit}/h`);
  if (accepted !== sent.messages)
    troubles.push(`${sent.messages} messages were acknowledged, the daemon counted ${accepted}`);
  if (descriptors.after > descriptors.before)
    troubles.push(`descriptors: ${descriptors.before} before, ${descriptors.after} after`);
  const lists = { refusals: sent.refusals, troubles: reads.troubles, complaints };
  for (const [name, list] of Object.entries(lists)) {
    if (list.length > 0) troubles.push(`${list.length} ${name}, the first: ${list[0]}`);
  }
  return troubles;
}

async function describe(result: SoakResult): Promise<string> {
  const { sent, reads, descriptors, seconds, trends } = result;
  const perSecond = (count: number): string => (count / seconds).toFixed(0);
  const command = `npm run soak -- --minutes ${flags.minutes}${flags.write ? ' --write' : ''}`;
  const facts = [
    ['taken', new Date().toISOString().slice(0, 10)],
    ['command', `\`${command}\``],
    ...(await machineLines()),
    ['load average', `${loadBefore.toFixed(1)} before, ${loadavg()[2]!.toFixed(1)} over the last 15 minutes of it`],
    ['full speed', `${result.fullPerSecond.toFixed(0)} messages/s with sender and daemon on the same cores`],
    [
      'sent',
      `${sent.messages} messages, ${(sent.bytes / 2 ** 20).toFixed(0)} MiB, ${perSecond(sent.messages)} messages/s for ${(seconds / 60).toFixed(1)} minutes; ${sent.refusals.length} refused`,
    ],
    ['read', `${reads.requests} API requests, ${reads.events} lines of events; ${reads.troubles.length} failed`],
    ['file descriptors', `${descriptors.before} before the first client, ${descriptors.after} after the last`],
    ['warnings in the log', String(result.complaints.length)],
  ];
  return [
    '## Soak: half of full speed, with readers',
    '',
    'A bounded store (256 MiB) takes mail of 700 octets to 300 KB over 20 sessions that reconnect and make mistakes, while',
    'three readers list, open, search and delete and four follow the events. Trends are lines of least squares through a',
    'sample every few seconds, the first quarter left out, give or take two standard errors; flat is what does not, even with',
    'these taken off, add more than a tenth of its median over the rest.',
    '',
    '| | |',
    '|---|---|',
    ...facts.map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| measure | median | lowest to highest | per hour | verdict |',
    '|---|---:|---:|---:|---|',
    ...trends.map(trendRow),
  ].join('\n');
}

function trendRow({ name, unit, median, lowest, highest, perHour, plusMinus, isFlat }: Trend): string {
  const with1 = (value: number): string => value.toFixed(1);
  return `| ${name}${unit === '' ? '' : `, ${unit}`} | ${with1(median)} | ${with1(lowest)} to ${with1(highest)} | ${perHour < 0 ? '' : '+'}${with1(perHour)} ± ${with1(plusMinus)} | ${isFlat ? 'flat' : 'grows'} |`;
}
