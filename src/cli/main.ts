import { Command, Option as Flag } from 'commander';
import { nearest } from '../config/nearest.ts';
import type { Config } from '../config/settings.ts';
import { loadConfig } from '../config.ts';
import { VERSION } from '../version.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import { onInternalError, tellFailure } from './failure.ts';
import { addFlags, givenFlags } from './flags.ts';
import { addMilterCommands } from './milter-commands.ts';
import { endOnClosedOutput } from './output.ts';
import { addRemoteCommands } from './remote-commands.ts';
import { addResponderCommands } from './responder-commands.ts';
import type { SalvageArguments } from './salvage.ts';
import { addTokenCommands } from './token-commands.ts';
import { addUserCommands } from './user-commands.ts';

/** Keys that commands reading a data folder need; the rest they take from file and environment. */
const READING = ['data', 'naming'];
const SALVAGE_FORMATS = ['store', 'eml', 'mbox'];

const OPTIONS_HELP = `
Each option can also stand in a TOML file (--config, or INBOXD_CONFIG) by the same word, keep-per-inbox = 500,
and in the environment, INBOXD_KEEP_PER_INBOX=500. Flags win over the environment, the environment over the file.
"inboxd config" shows what is in effect and where it came from.`;

/**
 * Runs one command line and sets the exit code (see exit-codes.ts).
 * Each command loads its own code, so that `inboxd ls` does not wait for what only the daemon needs.
 */
export async function main(argv: readonly string[] = process.argv): Promise<void> {
  onInternalError(tellFailure);
  endOnClosedOutput();
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = tellFailure(error);
  }
}

function createProgram(): Command {
  const program = new Command('inboxd')
    .description('An SMTP receiving daemon in which every address already has an inbox.')
    .version(VERSION, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'inboxd: ')) });
  addServe(program);
  addReadingCommands(program);
  addRemoteCommands(program, configOf);
  addOtherCommands(program);
  addDoctor(program);
  addPrint(program);
  addTokenCommands(program, configOf);
  addUserCommands(program, configOf);
  addMilterCommands(program, configOf);
  addResponderCommands(program, configOf);
  program.addHelpText('after', () => `\n${serveHelp(program)}${OPTIONS_HELP}\n${EXIT_CODES_HELP}`);
  return program;
}

function addServe(program: Command): void {
  const command = program
    .command('serve', { isDefault: true })
    .description('Run the daemon (what inboxd does without a command)')
    .allowExcessArguments() // a mistyped command arrives here, and gets a better answer below
    .action(async (_options: object, self: Command) => {
      refuseArguments(self, program);
      const { serve } = await import('./serve.ts');
      await serve(loadConfig(givenFlags(self)));
    });
  addFlags(command).addHelpText('after', `${OPTIONS_HELP}\n${EXIT_CODES_HELP}`);
}

function addReadingCommands(program: Command): void {
  const json = () => new Flag('--json', 'Print JSON');
  const ls = program
    .command('ls')
    .argument('[inbox]', 'Name of an inbox, or an address that goes there')
    .description('List the inboxes, or the messages of one')
    .addOption(json())
    .action(async (inbox: string | undefined, options: object, self: Command) => {
      const { ls: run } = await import('./ls.ts');
      process.exitCode = await run(configOf(self), inbox, options);
    });
  const show = program
    .command('show')
    .argument('<id>', 'Id of a message, or "latest"')
    .description('Show a message')
    .addOption(new Flag('--raw', 'Write exactly the bytes that were received').conflicts('json'))
    .addOption(
      new Flag('--form <form>', 'With --raw: the bytes as they were received, or as filters left them')
        .choices(['received', 'edited'])
        .conflicts('json'),
    )
    .addOption(json())
    .action(async (id: string, options: object, self: Command) => {
      const { show: run } = await import('./show.ts');
      process.exitCode = await run(configOf(self), id, options);
    });
  const rm = program
    .command('rm')
    .argument('[id...]', 'Ids of messages, or "latest"')
    .description('Remove messages, at once and without asking')
    .addOption(new Flag('--inbox <name>', 'Remove all messages of this inbox').conflicts('all'))
    .addOption(new Flag('--all', 'Remove all messages of all inboxes'))
    .addOption(json())
    .action(async (ids: string[], options: { inbox?: string; all?: boolean }, self: Command) => {
      const selections = Number(ids.length > 0) + Number(options.inbox !== undefined) + Number(options.all === true);
      if (selections !== 1) self.error('error: say what to remove: either ids, or --inbox, or --all');
      const { rm: run } = await import('./rm.ts');
      process.exitCode = await run(configOf(self), ids, options);
    });
  const salvage = program
    .command('salvage')
    .argument('<folder>', 'New folder for what can be read')
    .description('Read what is left of a damaged data folder; nothing is written there')
    .addOption(
      new Flag('--format <format>', 'A new store, a file per message, or one mailbox')
        .choices(SALVAGE_FORMATS)
        .default('store'),
    )
    .addOption(json())
    .action(async (folder: string, options: SalvageArguments, self: Command) => {
      const { salvage: run } = await import('./salvage.ts');
      process.exitCode = await run(configOf(self), folder, options);
    });
  for (const command of [ls, show, rm, salvage]) addFlags(command, READING);
}

function addOtherCommands(program: Command): void {
  const config = program
    .command('config')
    .description('Print the configuration in effect, and where each value came from')
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (options: object, self: Command) => {
      const { showConfig } = await import('./show-config.ts');
      process.exitCode = showConfig(loadConfig(givenFlags(self)), options);
    });
  addFlags(config);
  program
    .command('diagram')
    .argument('<protocol>', 'Name of a protocol, such as smtp')
    .description('Print the states of a protocol as a Mermaid diagram')
    .action(async (protocol: string) => {
      const { showDiagram } = await import('./diagram.ts');
      process.exitCode = showDiagram(protocol);
    });
}

function addDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .argument('[domain]', 'Domain whose mail is to come here: its DNS is looked at as well')
    .description('Look at ports, rights, disk, clock, store, certificates and DNS, and say what to put right')
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (domain: string | undefined, options: object, self: Command) => {
      const { doctor: run } = await import('./doctor.ts');
      process.exitCode = await run(configOf(self), domain, options);
    });
  addFlags(doctor);
}

function addPrint(program: Command): void {
  program
    .command('print')
    .argument('<name>', 'systemd-service, systemd-socket, dockerfile, logrotate or grafana')
    .description('Print a file for running inboxd as a service')
    .action(async (name: string) => {
      const { print } = await import('./print.ts');
      process.exitCode = print(name);
    });
}

function configOf(command: Command): Config {
  return loadConfig(givenFlags(command)).config;
}

/** `inboxd foo` and `inboxd --data DIR ls` both end up at serve with words it takes none of. */
function refuseArguments(command: Command, program: Command): void {
  const [word] = command.args;
  if (word === undefined) return;
  const names = program.commands.map((one) => one.name());
  if (names.includes(word)) command.error(`error: the command comes first: inboxd ${word} ...`);
  const guess = nearest(word, names);
  const advice = guess === undefined ? `there are ${names.join(', ')}` : `did you mean ${guess}?`;
  command.error(`error: unknown command ${JSON.stringify(word)}; ${advice}`);
}

/** The options of serve, for the help of the program: they are what `inboxd` alone takes. */
function serveHelp(program: Command): string {
  const serve = program.commands.find((command) => command.name() === 'serve');
  const help = serve?.helpInformation() ?? '';
  return help.slice(help.indexOf('Listeners:')).trimEnd().concat('\n');
}
