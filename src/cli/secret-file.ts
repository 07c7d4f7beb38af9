import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../config/error.ts';
import { parseDuration } from '../config/units.ts';

/** Reads a file of secrets; `undefined` if it is missing and may be. */
export async function readSecretFile(path: string, mayBeMissing: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Adds a line at the end, on a line of its own even if the last one was left without an end; a new file is its owner's alone. */
export async function appendLine(path: string, line: string): Promise<void> {
  await using file = await open(path, 'a+', 0o600);
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
  await file.appendFile(`${size > 0 && buffer[0] !== 0x0a ? '\n' : ''}${line}\n`);
  await file.sync();
}

/**
 * Writes a file anew without some of its entries; comments stay.
 * @param isGone is given the words of an entry's line
 */
export async function dropLines(path: string, isGone: (words: readonly string[]) => boolean): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const kept = lines.filter((line) => /^\s*(?:#|$)/.test(line) || !isGone(line.trim().split(/\s+/)));
  if (kept.length < lines.length) await replace(path, kept.join('\n'));
}

/** Replaces a file by a new one in a single step, so that no reader ever sees half of it. */
async function replace(path: string, content: string): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  try {
    await using file = await open(next, 'wx', 0o600);
    await file.writeFile(content);
    await file.sync();
    await chmod(next, 0o600);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

/** A password that nobody has to think of, or the one that standard input brings. */
export async function choosePassword(fromInput: boolean): Promise<string> {
  const password = fromInput
    ? (await text(process.stdin)).replace(/\r?\n$/, '')
    : randomBytes(18).toString('base64url');
  if (password === '') refuse('the password is empty');
  return password;
}

/** Reads `--expires`: milliseconds since 1970, or undefined for never. */
export function readExpiry(expires: string | undefined): number | undefined {
  if (expires === undefined) return undefined;
  const lasts = parseDuration(expires);
  if (lasts === undefined || lasts === 0) {
    refuse(`bad value ${JSON.stringify(expires)} for --expires; allowed: a duration such as 30m, 2h or 7d`);
  }
  return Date.now() + lasts;
}

export function refuse(why: string): never {
  throw new ConfigError([{ code: 'CONFIG_BAD_VALUE', text: why }]);
}
