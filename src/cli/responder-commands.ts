import { type Command, Option as Flag } from 'commander';
import type { Config } from '../config/settings.ts';
import { addFlags } from './flags.ts';

const READING = ['hostname', 'naming', 'responder-timeout', 'responder-memory'];

/** Adds `inboxd responder ...`, for those who write agents. */
export function addResponderCommands(program: Command, configOf: (command: Command) => Config): void {
  const responder = program.command('responder').description('Try an agent out').helpCommand(false);
  const attempt = responder
    .command('try')
    .argument('<agent>', 'Module of the agent, builtin:time or builtin:echo')
    .argument('<file>', 'The mail, as it came; - for standard input')
    .description('Run an agent on a mail and print what it would answer; exit code 1 if it gives no answer')
    .addOption(new Flag('--from <address>', 'Whom the mail is from; by default what Return-Path says, or From'))
    .addOption(new Flag('--to <address>', 'Whom it was sent to; by default the first of To'))
    .action(async (agent: string, file: string, options: { from?: string; to?: string }, self: Command) => {
      const { tryResponder } = await import('./responder.ts');
      process.exitCode = await tryResponder(configOf(self), agent, file, options);
    });
  addFlags(attempt, READING);
}
