import { runCommand } from '../../system/command.ts';
import { Turns } from '../../system/turns.ts';
import { SOURCE_LIMITS } from '../limits.ts';
import type { UserSource } from '../source.ts';

/** Names that a command is ever given: nothing that looks like an option, a path or more than one word. */
const USER = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
/** EX_NOUSER of sysexits.h. */
const NO_SUCH_USER = 67;

/**
 * A command that is asked with the name of the user as its last argument, and with FINGER_VERBOSE=1 in its environment
 * where all is wanted. It prints what it knows, or ends with 67 for a user that it does not know; it cannot list.
 * @param runMs how long it may take
 */
export function createCommandSource(command: readonly string[], runMs: number): UserSource {
  const [program = ''] = command;
  const turns = new Turns(SOURCE_LIMITS.atOnce, SOURCE_LIMITS.waiting);
  return {
    async find(user, { verbose, signal }) {
      if (!USER.test(user)) return undefined;
      if (turns.isFull) throw new Error(`too many queries wait for ${program}`);
      const run = {
        command: [...command, user],
        environment: { FINGER_VERBOSE: verbose ? '1' : '' },
        runMs,
        outputBytes: SOURCE_LIMITS.outputBytes,
        excess: 'kill',
        signal,
      } as const;
      const { exitCode, output, errors } = await turns.take(() => runCommand(run), signal);
      if (exitCode === NO_SUCH_USER) return undefined;
      if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${errors.toString('utf8', 0, 200)}`);
      return linesOf(output.toString('utf8'));
    },
    list: async () => undefined,
  };
}

/** Lines of a text, the end of the last one taken off. */
export function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
