/**
 * `npm run bench`: inboxd against its peers, in one run, written to test/bench/RESULTS.md.
 *
 *   --smoke            fewer messages and rounds (under a minute); prints the ratios and writes nothing
 *   --rounds N         rounds after the warm-up (default 5)
 *   --only A,B         these servers only; writes nothing
 *   --load A,B         these loads only; writes nothing
 *   --only search      lists and searches of a store with a million messages instead of all that; writes its own section.
 *                      Filling the store takes a quarter of an hour the first time; it stays for the next run
 *   --only million     a daemon with a million messages against one with none: start, speed, slowest replies, memory
 *       --messages N   so many messages (default 1000000); with another number nothing is written; for these two
 *       --data FOLDER  keeps the store there and not in the folder for temporary files
 *   --only background  what parsing and indexing do to accepting, and how fast they are (--messages N, 20000)
 *   --only disk        what newsletters and mail to many take on disk (--messages N, 10000 each)
 *   --only contents|idle|large|latency|visible
 *                      one of these measures of inboxd alone instead; writes its own section, unless with --smoke
 *   --list             prints the names of servers and loads
 *
 * MailDev is measured where it is found on the PATH; nothing here depends on it, as 265 packages come with it:
 *   npm install --prefix /tmp/peers maildev
 *   PATH=/tmp/peers/node_modules/.bin:$PATH npm run bench
 *
 * No timing decides a test: this program ends with an error only if a message was not accepted, or not kept.
 */
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureBackground } from './background/main.ts';
import { type Contestant, contest, type Load, type Result } from './contest.ts';
import { DISK_CASES, diskTable } from './disk/main.ts';
import { SMTP_SOURCE_LOADS } from './loads/smtp-source.ts';
import { TRAINS } from './loads/trains.ts';
import { contents } from './measures/contents.ts';
import { idle } from './measures/idle.ts';
import { large } from './measures/large.ts';
import { latency } from './measures/latency.ts';
import type { Measure } from './measures/measure.ts';
import { visible } from './measures/visible.ts';
import { measureMillion } from './million/main.ts';
import { circumstances, machineLines, machineOf, ratiosOf, tableOf } from './report.ts';
import { writeSection } from './results.ts';
import { measureSearch } from './search/main.ts';
import { inboxdDiscard, inboxdStore, inboxdStoreLogging } from './servers/inboxd.ts';
import { maildev } from './servers/maildev.ts';
import { smtpServer } from './servers/smtp-server.ts';
import { smtpSink } from './servers/smtp-sink.ts';

const USUAL: readonly Contestant[] = [inboxdStore, inboxdDiscard, smtpSink, smtpServer, maildev];
/** Those that run only when `--only` names them. */
const EXTRA: readonly Contestant[] = [inboxdStoreLogging];
const LOADS: readonly Load[] = [...SMTP_SOURCE_LOADS, TRAINS];

const MEASURES: readonly Measure[] = [contents, idle, large, latency, visible];

const HEADING = `Written by \`npm run bench\`. The servers take turns within each round; ratios are medians of the rounds' ratios. Every
server is a process of its own on loopback, sharing the machine's cores with the client that loads it. inboxd keeps
everything (no retention) and, where it stores, has each message on disk before it answers 250; the number of messages
in its store was compared with the number sent. Servers log nothing unless it says so. MailDev keeps messages as it does
when nothing else is said, parsed in memory and as files without fsync, and answers when it has both.
`;

/** What is measured of each kind of list and search. */
const SEARCH = { rounds: 200, passes: 3 };
const SEARCH_HEADING = `## Lists and searches

Written by \`npm run bench -- --only search\`. Words are as frequent as in a language; each list and search asks for 50
messages and, like a first page of the API, for the total up to 10 000. Every time is one from the call of the store to
its answer. A row is the quietest of the passes for that kind, by its p99.`;

const MILLION_HEADING = `## With a million messages

Written by \`npm run bench -- --only million\`. Client and daemon share the cores.`;

const BACKGROUND_HEADING = `## Work in the background

Written by \`npm run bench -- --only background\`. Store and callers share a process and the cores; 30 000 messages are
accepted, once when all that had come was indexed and once while a backlog waits for it.`;

const DISK_HEADING = `## Repeated mail on disk

Written by \`npm run bench -- --only disk\`: the newsletters of one sender, each with a name, a code, links and a signature of
its own, and one of them to many. A copy is what lies in an inbox; raw octets count once for each. On disk is the whole
database after a checkpoint, index of words and room that is free for new mail included.`;

const { values: flags } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    load: { type: 'string' },
    list: { type: 'boolean', default: false },
    messages: { type: 'string' },
    data: { type: 'string' },
  },
});

if (flags.list) {
  for (const { name, title } of [...USUAL, ...EXTRA, ...LOADS, ...MEASURES]) console.log(`${name.padEnd(14)} ${title}`);
  process.exit(0);
}

const OWN_TABLES: Readonly<Record<string, () => Promise<void>>> = {
  search: benchSearch,
  million: benchMillion,
  disk: benchDisk,
  background: benchBackground,
};
const own = OWN_TABLES[flags.only ?? ''];
if (own) {
  await own();
  process.exit(0);
}

const measure = MEASURES.find(({ name }) => name === flags.only);
if (measure) {
  await benchMeasure(measure);
  process.exit(0);
}

const SMOKE_PART = 1 / 16;
if (flags.smoke) process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'inboxd-bench-compiled'); // most of it is starting servers
const rounds = wholeNumber(flags.rounds ?? (flags.smoke ? '2' : '5'), 'rounds');
const contestants = present(flags.only ? choose([...USUAL, ...EXTRA], flags.only) : USUAL);
const loads = (flags.load ? choose(LOADS, flags.load) : LOADS).map((load) => (flags.smoke ? shorter(load) : load));

const results: Result[] = [];
for (const load of loads) {
  const result = await contest(load, contestants, rounds);
  results.push(result);
  console.log(flags.smoke ? ratiosOf(result).join('\n') : `${tableOf(result)}\n`);
}

if (!flags.smoke && !flags.only && !flags.load) {
  const command = ['npm run bench', ...(flags.rounds ? [`-- --rounds ${rounds}`] : [])].join(' ');
  const parts = [
    HEADING,
    await circumstances(command, rounds),
    loadLine(),
    '## Messages of 4 KiB, from smtp-source, where nothing else is said',
    ...results.map(tableOf),
  ];
  writeSection('bench', parts.join('\n\n'));
}

async function benchMeasure({ name, title, run }: Measure): Promise<void> {
  const table = await run(flags.smoke);
  console.log(table);
  if (flags.smoke) return;
  const lines = [`## ${title}`, await machineOf(`npm run bench -- --only ${name}`), table];
  writeSection(name, lines.join('\n\n'));
}

async function benchSearch(): Promise<void> {
  const messages = wholeNumber(flags.messages ?? '1000000', 'messages');
  const times = flags.rounds === undefined ? SEARCH.rounds : wholeNumber(flags.rounds, 'rounds');
  const data = flags.data === undefined ? {} : { data: flags.data };
  const section = await measureSearch({ messages, ...data, rounds: times, passes: SEARCH.passes });
  console.log(section);
  if (flags.messages !== undefined) return;
  const machine = await circumstances('npm run bench -- --only search', SEARCH.passes);
  writeSection('search', [SEARCH_HEADING, machine, loadLine(), section].join('\n\n'));
}

async function benchMillion(): Promise<void> {
  const messages = wholeNumber(flags.messages ?? '1000000', 'messages');
  const data = flags.data === undefined ? {} : { data: flags.data };
  const section = await measureMillion({ messages, ...data, rounds: wholeNumber(flags.rounds ?? '5', 'rounds') });
  console.log(section);
  if (flags.messages === undefined)
    writeSection('million', [MILLION_HEADING, await machineTable(), section].join('\n\n'));
}

async function benchDisk(): Promise<void> {
  const messages = wholeNumber(flags.messages ?? '10000', 'messages');
  const figures = [];
  for (const measure of Object.values(DISK_CASES)) figures.push(await measure(messages));
  const section = diskTable(figures);
  console.log(section);
  if (flags.messages === undefined) writeSection('disk', [DISK_HEADING, await machineTable(), section].join('\n\n'));
}

async function benchBackground(): Promise<void> {
  const messages = wholeNumber(flags.messages ?? '20000', 'messages');
  const section = await measureBackground({ messages, rounds: wholeNumber(flags.rounds ?? '5', 'rounds') });
  console.log(section);
  if (flags.messages !== undefined) return;
  writeSection('background', [BACKGROUND_HEADING, await machineTable(), section].join('\n\n'));
}

function loadLine(): string {
  return `Load of the machine at the end: ${loadavg()[1]!.toFixed(1)} on ${cpus().length} cores, this program included.`;
}

/** What figures without peers were taken on. */
async function machineTable(): Promise<string> {
  const lines = [
    ['taken', new Date().toISOString().slice(0, 10)],
    ...(await machineLines()),
    ['load average', `${loadavg()[1]!.toFixed(1)} at the end, on ${cpus().length} cores`],
  ];
  return ['| | |', '|---|---|', ...lines.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

/** Half of the warming up is still enough for a just-in-time compiler, and was half of the time. */
function shorter(load: Load): Load {
  const { messages, warmUp } = load;
  return { ...load, messages: Math.ceil(messages * SMOKE_PART), ...(warmUp !== undefined && { warmUp: warmUp / 2 }) };
}

/** Those that can be started on this machine; says what is missing for the others. */
function present(all: readonly Contestant[]): readonly Contestant[] {
  return all.filter(({ name, lacks }) => {
    const missing = lacks?.();
    if (missing !== undefined) console.log(`without ${name}: ${missing}`);
    return missing === undefined;
  });
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: string): readonly T[] {
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`unknown name ${name}; there are ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}

function wholeNumber(text: string, flag: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`--${flag} wants a whole number above 0, not ${text}`);
  return Number(text);
}
