/**
 * `npm run bench`: inboxd against its peers, in one run, written to test/bench/RESULTS.md.
 *
 *   --smoke            fewer messages and rounds (under a minute); prints the ratios and writes nothing
 *   --rounds N         rounds after the warm-up (default 5)
 *   --only A,B         these servers only; writes nothing
 *   --load A,B         these loads only; writes nothing
 *   --list             prints the names of servers and loads
 *
 * No timing decides a test: this program ends with an error only if a message was not accepted, or not kept.
 */
import { parseArgs } from 'node:util';
import { type Contestant, contest, type Load, type Result } from './contest.ts';
import { SMTP_SOURCE_LOADS } from './loads/smtp-source.ts';
import { circumstances, ratiosOf, tableOf } from './report.ts';
import { writeSection } from './results.ts';
import { inboxdDiscard, inboxdStore, inboxdStoreLogging } from './servers/inboxd.ts';
import { smtpServer } from './servers/smtp-server.ts';
import { smtpSink } from './servers/smtp-sink.ts';

const USUAL: readonly Contestant[] = [inboxdStore, inboxdDiscard, smtpSink, smtpServer];
/** Those that run only when `--only` names them. */
const EXTRA: readonly Contestant[] = [inboxdStoreLogging];
const LOADS: readonly Load[] = SMTP_SOURCE_LOADS;

const HEADING = `Written by \`npm run bench\`. The servers take turns within each round; ratios are medians of the rounds' ratios. Every
server is a process of its own on loopback, sharing the machine's cores with the client that loads it. inboxd keeps
everything (no retention) and, where it stores, has each message on disk before it answers 250; the number of messages
in its store was compared with the number sent. Servers log nothing unless it says so.
`;

const { values: flags } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    load: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

if (flags.list) {
  for (const { name, title } of [...USUAL, ...EXTRA, ...LOADS]) console.log(`${name.padEnd(14)} ${title}`);
  process.exit(0);
}

const SMOKE_PART = 1 / 8;
const rounds = wholeNumber(flags.rounds ?? (flags.smoke ? '3' : '5'));
const contestants = flags.only ? choose([...USUAL, ...EXTRA], flags.only) : USUAL;
const loads = (flags.load ? choose(LOADS, flags.load) : LOADS).map((load) =>
  flags.smoke ? { ...load, messages: load.messages * SMOKE_PART } : load,
);

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
    '## 4 KiB messages from smtp-source',
    ...results.map(tableOf),
  ];
  writeSection('bench', parts.join('\n\n'));
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: string): readonly T[] {
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`unknown name ${name}; there are ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error(`--rounds wants a whole number from 1 to 999, not ${text}`);
  return Number(text);
}
