import { resolvePath } from './resolve-path.ts';

/*
 * A command as options have it: words with blanks between, `/usr/bin/deliver -d anna`, or, where a word has blanks of
 * its own, a JSON array, `["/usr/bin/deliver", "-d", "anna b"]`. No shell reads it: quotes, `$`, `|` and `*` are
 * characters like others.
 */

/**
 * Reads a command; a program with a slash in its name is a path.
 * @param base folder that relative paths start at
 * @returns program and arguments, or what is wrong as text
 */
export function readCommand(text: string, base: string): readonly string[] | string {
  const words = text.trimStart().startsWith('[') ? readArray(text) : text.split(/\s+/).filter((word) => word !== '');
  if (!isCommand(words)) return 'a command is a program and its arguments, or a JSON array of them';
  const [program = '', ...args] = words;
  return [program.includes('/') ? resolvePath(program, base) : program, ...args];
}

/** True for a program and its arguments. */
export function isCommand(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value[0] === '') return false;
  return value.every((word) => typeof word === 'string' && !word.includes('\0'));
}

/** Writes what `readCommand` reads. */
export function printCommand(command: readonly string[]): string {
  const isPlain = command.every((word) => /^\S+$/.test(word)) && !command[0]!.startsWith('[');
  return isPlain ? command.join(' ') : JSON.stringify(command);
}

function readArray(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what it should be
  }
}
