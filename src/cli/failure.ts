import { CommanderError } from 'commander';
import { isStartError } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { complain } from './output.ts';

/** Tells what ended a command, and gives its exit code: plain lines for what a person can put right, the stack for what only we can. */
export function tellFailure(error: unknown): number {
  // commander has written its own words already; help and version come this way too, with exit code 0
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.UNUSABLE;
  const lines = plainWords(error);
  if (lines === undefined) {
    complain(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return EXIT.INTERNAL;
  }
  for (const line of lines) complain(line);
  return EXIT.UNUSABLE;
}

/** What a person needs to know of an error whose cause lies outside the program; undefined for an error of ours. */
export function plainWords(error: unknown): string[] | undefined {
  if (isStartError(error)) return error.message.split('\n');
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  // what the system refused: EACCES, ENOSPC, EMFILE ...; codes of Node.js itself begin with ERR_ and are faults of ours
  if (error instanceof Error && /^E(?!RR_)[A-Z0-9]+$/.test(String(code)))
    return [error.message.split('\n', 1)[0] ?? ''];
  return undefined;
}

/** Sees to what nobody caught, rejections included: the state of the program is unknown then, so it ends. Replaces what was set before. */
export function onInternalError(handle: (error: unknown) => void): void {
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    handle(error);
    process.exit(EXIT.INTERNAL);
  });
}
