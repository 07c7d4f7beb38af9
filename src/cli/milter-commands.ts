import { type Command, Option as Flag } from 'commander';
import type { Config } from '../config/settings.ts';
import { addFlags } from './flags.ts';
import type { MilterCheckOptions } from './milter-check.ts';

/** Keys that tell how milters are asked; the rest has no say in it. */
const ASKING = ['milter', 'hostname', 'max-message-size', 'max-recipients'];

/** Adds `inboxd milter ...`, which asks milters without a daemon. */
export function addMilterCommands(program: Command, configOf: (command: Command) => Config): void {
  const milter = program.command('milter').description('Try mail on milters').helpCommand(false);
  const repeated = (value: string, before?: string[]): string[] => [...(before ?? []), value];
  const check = milter
    .command('check')
    .argument('<file>', 'A mail; - is standard input')
    .description(
      'Ask milters about a mail and say what they make of it; exit code 1 if its reader would not see it, 75 if not now',
    )
    .addOption(new Flag('--from <address>', 'Sender of the envelope, <> for none (default: as in From)'))
    .addOption(
      new Flag('--to <address>', 'Recipient of the envelope; repeatable (default: as in To and Cc)').argParser(
        repeated,
      ),
    )
    .addOption(new Flag('--client <address>', 'IP address of the client').default('127.0.0.1'))
    .addOption(new Flag('--helo <name>', 'Name that the client says (default: hostname)'))
    .addOption(new Flag('--raw', 'Write the mail as the milters leave it').conflicts('json'))
    .addOption(new Flag('--json', 'Print JSON'))
    .action(async (file: string, options: MilterCheckOptions, self: Command) => {
      const { milterCheck } = await import('./milter-check.ts');
      process.exitCode = await milterCheck(configOf(self), file, options);
    });
  addFlags(check, ASKING);
}
