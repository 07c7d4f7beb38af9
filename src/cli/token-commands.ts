import { type Command, Option as Flag } from 'commander';
import type { Config } from '../config/settings.ts';
import { addFlags } from './flags.ts';

/** Adds `inboxd token ...`, which looks after the file of `http-auth`. */
export function addTokenCommands(program: Command, configOf: (command: Command) => Config): void {
  const token = program
    .command('token')
    .description('Make, list and revoke credentials for the HTTP API')
    .helpCommand(false);
  const create = token
    .command('create')
    .description('Add a token to the file and print it, the only time it can be seen')
    .addOption(
      repeated(
        new Flag('--inbox <glob>', 'Let it see only inboxes of this name, in which * stands for anything; repeatable'),
      ),
    )
    .addOption(new Flag('--rights <list>', 'Some of read,delete,metrics,admin').default('read'))
    .addOption(new Flag('--expires <duration>', 'Let it end after 30m, 2h, 7d ...'))
    .addOption(new Flag('--user <name>', 'Add a user for Basic authentication instead, with a password made here'))
    .addOption(new Flag('--password-stdin', 'Read the password of the user from standard input'))
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (options: object, self: Command) => {
      const { createEntry } = await import('./token.ts');
      process.exitCode = await createEntry(fileOf(self, configOf), options);
    });
  const list = token
    .command('list')
    .description('List tokens and users with their rights; what they prove themselves with is not kept')
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (options: object, self: Command) => {
      const { listEntries } = await import('./token.ts');
      process.exitCode = await listEntries(fileOf(self, configOf), options);
    });
  const revoke = token
    .command('revoke')
    .argument('<name...>', 'Ids of tokens or names of users')
    .description('Take tokens or users out of the file; a running daemon notices within a second')
    .action(async (names: string[], _options: object, self: Command) => {
      const { revokeEntries } = await import('./token.ts');
      process.exitCode = await revokeEntries(fileOf(self, configOf), names);
    });
  for (const command of [create, list, revoke]) addFlags(command, ['http-auth']);
}

function fileOf(command: Command, configOf: (command: Command) => Config): string {
  const { httpAuth } = configOf(command);
  if (httpAuth === '') command.error('error: say which file: --http-auth FILE, or INBOXD_HTTP_AUTH');
  return httpAuth;
}

function repeated(flag: Flag): Flag {
  return flag.argParser((value, before?: string[]) => [...(before ?? []), value]);
}
