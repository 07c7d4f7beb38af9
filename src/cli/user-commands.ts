import { type Command, Option as Flag } from 'commander';
import type { Config } from '../config/settings.ts';
import { addFlags } from './flags.ts';

/** Adds `inboxd user ...`, which looks after the file of `auth`. */
export function addUserCommands(program: Command, configOf: (command: Command) => Config): void {
  const user = program
    .command('user')
    .description('Add, list and remove those who may log in to mail sessions')
    .helpCommand(false);
  const add = user
    .command('add')
    .argument('<name>', 'Name to log in with, such as ann or ann@example.org')
    .description('Add a user to the file and print a password made here, the only time it can be seen')
    .addOption(new Flag('--password-stdin', 'Read the password from standard input'))
    .addOption(new Flag('--token', 'Add a bearer token for the user instead, for XOAUTH2 and OAUTHBEARER'))
    .addOption(new Flag('--expires <duration>', 'Let it end after 30m, 2h, 7d ...'))
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (name: string, options: object, self: Command) => {
      const { addUser } = await import('./user.ts');
      process.exitCode = await addUser(fileOf(self, configOf), name, options);
    });
  const list = user
    .command('list')
    .description('List users and tokens; what they prove themselves with is not kept')
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (options: object, self: Command) => {
      const { listUsers } = await import('./user.ts');
      process.exitCode = await listUsers(fileOf(self, configOf), options);
    });
  const remove = user
    .command('remove')
    .argument('<name...>', 'Names of users, whose tokens go too, or ids of tokens')
    .description('Take users or tokens out of the file; a running daemon notices within a second')
    .action(async (names: string[], _options: object, self: Command) => {
      const { removeUsers } = await import('./user.ts');
      process.exitCode = await removeUsers(fileOf(self, configOf), names);
    });
  for (const command of [add, list, remove]) addFlags(command, ['auth']);
}

function fileOf(command: Command, configOf: (command: Command) => Config): string {
  const { auth } = configOf(command);
  if (auth.kind !== 'file') command.error('error: say which file: --auth FILE, or INBOXD_AUTH');
  return auth.path;
}
