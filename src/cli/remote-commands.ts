import { type Command, Option as Flag, InvalidArgumentError } from 'commander';
import { CLIENT_VARIABLES } from '../config/options.ts';
import type { Config } from '../config/settings.ts';
import { parseDuration } from '../config/units.ts';
import { addFlags } from './flags.ts';
import type { Remote } from './remote.ts';

/** What `inboxd wait` can print. */
const PRINTS = ['code', 'link', 'id', 'json'];

const HELP = `
The daemon is the one at --url, else the one that uses the data folder. A search is made of words, "phrases", word*,
from: to: subject: is:unread has:attachment and more, - for not, OR and ( ); put it in single quotes.`;

/** Adds the commands that ask a running daemon: `inboxd tail`, `wait`, `search`, `open` and `webhooks`. */
export function addRemoteCommands(program: Command, configOf: (command: Command) => Config): void {
  const remoteOf = (command: Command): Promise<Remote> => findRemote(command, configOf);
  const commands = [
    addTail(program, remoteOf),
    addWait(program, remoteOf),
    addSearch(program, remoteOf),
    addOpen(program, remoteOf),
    ...addWebhooks(program, remoteOf),
  ];
  for (const command of commands) {
    command.addOption(
      new Flag('--url <url>', 'Ask the daemon there, such as http://127.0.0.1:8025').env(CLIENT_VARIABLES.url),
    );
    command.addOption(
      new Flag('--token <token>', 'What lets us in; better kept in the variable').env(CLIENT_VARIABLES.token),
    );
    addFlags(command, ['data']).addHelpText('after', HELP);
  }
}

type RemoteOf = (command: Command) => Promise<Remote>;

function addTail(program: Command, remoteOf: RemoteOf): Command {
  return program
    .command('tail')
    .argument('[inbox]', 'Name of an inbox, or an address that goes there')
    .description('Print messages as they come')
    .addOption(new Flag('--query <search>', 'Only those that it finds'))
    .addOption(countFlag('-n, --lines <number>', 'Begin with so many that are there', 0, 500).default(10))
    .addOption(new Flag('--json', 'Print a line of JSON for each'))
    .action(async (inbox: string | undefined, options: { query?: string; lines: number }, self: Command) => {
      const { tail } = await import('./tail.ts');
      await tail(await remoteOf(self), inbox, options);
    });
}

function addWait(program: Command, remoteOf: RemoteOf): Command {
  return program
    .command('wait')
    .argument('<inbox>', 'Name of an inbox, or an address that goes there')
    .description('Print the first message that fits, there already or yet to come; exit code 1 if none comes in time')
    .addOption(new Flag('--query <search>', 'Only one that it finds'))
    .addOption(new Flag('--since <when>', 'Only one that came after a time, or after the message of an id'))
    .addOption(new Flag('--timeout <duration>', 'Wait at most so long').argParser(duration).default(30_000, '30s'))
    .addOption(new Flag('--print <what>', 'Print this instead of the message').choices(PRINTS))
    .action(async (inbox: string, options: Record<string, never>, self: Command) => {
      const { wait } = await import('./wait.ts');
      const { timeout, ...others } = options;
      process.exitCode = await wait(await remoteOf(self), inbox, { ...others, timeoutMs: Number(timeout) });
    });
}

function addSearch(program: Command, remoteOf: RemoteOf): Command {
  return program
    .command('search')
    .argument('<query...>', 'What to search for; behind -- if it begins with -')
    .description('Find messages in all inboxes')
    .addOption(countFlag('--limit <number>', 'Print at most so many', 1, 1_000_000).default(50))
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (words: string[], options: { limit: number; json?: boolean }, self: Command) => {
      const { search } = await import('./search.ts');
      process.exitCode = await search(await remoteOf(self), words.join(' '), options);
    });
}

function addOpen(program: Command, remoteOf: RemoteOf): Command {
  return program
    .command('open')
    .argument('<inbox>', 'Name of an inbox, or an address that goes there')
    .description('Print the URL of its page')
    .action(async (inbox: string, _options: object, self: Command) => {
      const { open } = await import('./open.ts');
      process.exitCode = await open(await remoteOf(self), inbox);
    });
}

function addWebhooks(program: Command, remoteOf: RemoteOf): Command[] {
  const webhooks = program
    .command('webhooks')
    .description('Look after webhooks: what waits, what was given up')
    .helpCommand(false);
  const json = () => new Flag('--json', 'Print JSON');
  const list = webhooks
    .command('list', { isDefault: true })
    .description('List them, with what waits, what was given up and how the last attempt went')
    .addOption(json())
    .action(async (options: { json?: boolean }, self: Command) => {
      const { listWebhooks } = await import('./webhooks.ts');
      process.exitCode = await listWebhooks(await remoteOf(self), options);
    });
  const dead = webhooks
    .command('dead')
    .argument('<webhook>', 'Name of a webhook')
    .description('List deliveries that were given up, the latest first')
    .addOption(countFlag('--limit <number>', 'Print at most so many', 1, 1000).default(100))
    .addOption(json())
    .action(async (name: string, options: { limit: number; json?: boolean }, self: Command) => {
      const { listDead } = await import('./webhooks.ts');
      process.exitCode = await listDead(await remoteOf(self), name, options);
    });
  const replay = webhooks
    .command('replay')
    .argument('<webhook>', 'Name of a webhook')
    .argument('[id...]', 'Ids of deliveries that were given up')
    .description('Deliver again what was given up')
    .addOption(new Flag('--all', 'All of it'))
    .action(async (name: string, ids: string[], { all }: { all?: boolean }, self: Command) => {
      if (ids.length > 0 === (all === true)) self.error('error: say what to deliver again: either ids, or --all');
      const { replay: run } = await import('./webhooks.ts');
      process.exitCode = await run(await remoteOf(self), name, ids);
    });
  const test = webhooks
    .command('test')
    .argument('<webhook>', 'Name of a webhook')
    .description('Send it an event that is no message, and print how it went')
    .action(async (name: string, _options: object, self: Command) => {
      const { test: run } = await import('./webhooks.ts');
      process.exitCode = await run(await remoteOf(self), name);
    });
  return [list, dead, replay, test];
}

/** The configuration is only read where it has to say which folder. */
async function findRemote(command: Command, configOf: (command: Command) => Config): Promise<Remote> {
  const { Remote: Asked } = await import('./remote.ts');
  const { url, token: given } = command.opts<{ url?: string; token?: string }>();
  const token = given || undefined; // an empty variable counts as not set
  return new Asked(url ? { url, token } : { data: configOf(command).data, token });
}

function countFlag(flags: string, description: string, least: number, most: number): Flag {
  return new Flag(flags, description).argParser((text) => {
    const count = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count >= least && count <= most))
      throw new InvalidArgumentError(`Allowed: a whole number from ${least} to ${most}.`);
    return count;
  });
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('Allowed: a duration such as 500ms, 30s or 5m.');
  return milliseconds;
}
