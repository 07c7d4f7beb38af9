import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { findPeer } from '../support/program.ts';
import { run } from '../support/run.ts';
import { type Result, ratio, type Score } from './contest.ts';
import { maildevVersion } from './servers/maildev.ts';
import { median } from './statistics.ts';

/** Names of the servers that the others are compared with, and what they are called. */
const BASELINES = [
  ['smtp-sink', 'smtp-sink'],
  ['maildev', 'MailDev'],
] as const;

/** The figures of one load as a Markdown table. */
export function tableOf({ load, scores }: Result): string {
  const baselines = baselinesAmong(scores);
  const against = baselines.map(([title]) => ` against ${title} |`).join('');
  return [
    `### ${load.title}`,
    '',
    `| server | messages/s, median | lowest to highest |${against} CPU µs/message |`,
    `|---|---:|---:|${'---:|'.repeat(baselines.length)}---:|`,
    ...scores.map((score) => `| ${rowOf(score, baselines).join(' | ')} |`),
  ].join('\n');
}

type Baselines = readonly (readonly [title: string, score: Score])[];

function baselinesAmong(scores: readonly Score[]): Baselines {
  return BASELINES.flatMap(([name, title]) => {
    const score = scores.find(({ contestant }) => contestant.name === name);
    return score ? [[title, score] as const] : [];
  });
}

function rowOf(score: Score, baselines: Baselines): string[] {
  const whole = (value: number) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return [
    score.contestant.title,
    whole(median(score.rates)),
    `${whole(Math.min(...score.rates))} to ${whole(Math.max(...score.rates))}`,
    ...baselines.map(([, baseline]) => `${ratio(score, baseline).toFixed(2)}x`),
    whole(median(score.cpuMicros)),
  ];
}

/** One line per load and server: the ratios alone. */
export function ratiosOf({ load, scores }: Result): string[] {
  const baselines = baselinesAmong(scores);
  return scores.flatMap((score) => {
    const ratios = baselines
      .filter(([, baseline]) => baseline !== score)
      .map(([title, baseline]) => `${ratio(score, baseline).toFixed(2)}x ${title}`);
    return ratios.length > 0
      ? [`${load.name.padEnd(10)} ${score.contestant.name.padEnd(14)} ${ratios.join(', ')}`]
      : [];
  });
}

/** One line that says when, how and where figures of inboxd alone were taken. */
export async function machineOf(command: string): Promise<string> {
  const [[, processors], [, system], , [, node]] = (await machineLines()) as [
    [string, string],
    [string, string],
    unknown,
    [string, string],
  ];
  const load = loadavg()[0]!.toFixed(1);
  const day = new Date().toISOString().slice(0, 10);
  return `\`${command}\`, taken ${day} on ${processors}, ${system}, Node.js ${node}; load average ${load} at its end.`;
}

/** What the figures were taken on and with. */
export async function circumstances(command: string, rounds: number): Promise<string> {
  const lines = [
    ['taken', new Date().toISOString().slice(0, 10)],
    ['command', `\`${command}\`, ${rounds} rounds after one to warm up`],
    ...(await machineLines()),
    ['smtp-source, smtp-sink', `Postfix ${await postfixVersion()}`],
    ['npm smtp-server', packageVersion('smtp-server')],
    ['npm maildev', (await maildevVersion()) ?? 'not installed'],
  ];
  return ['| | |', '|---|---|', ...lines.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

/** The machine, as rows of a table of circumstances. */
export async function machineLines(): Promise<[name: string, value: string][]> {
  return [
    ['machine', `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${debianName()}, Linux ${release()}`],
    ['data folder', `${tmpdir()} on ${await filesystemOf(tmpdir())}`],
    ['Node.js', process.version],
  ];
}

function debianName(): string {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
}

const FILESYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs (fsync costs nothing there)'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x794c7630, 'overlayfs'],
]);

async function filesystemOf(path: string): Promise<string> {
  const { type } = await statfs(path);
  return FILESYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`;
}

async function postfixVersion(): Promise<string> {
  const postconf = findPeer('postconf');
  if (!postconf) return 'unknown';
  return (await run(postconf, ['-d', '-h', 'mail_version'])).stdout.trim();
}

function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
