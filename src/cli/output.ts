import { once } from 'node:events';
import { visible } from '../report/visible.ts';

/** Ends quietly when whoever reads our output has had enough, as in `inboxd ls | head`. */
export function endOnClosedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

/** Writes a line, or several, of text that is already safe. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes bytes exactly as they are, no faster than they are read. */
export async function printBytes(content: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of content) {
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
  }
}

/** Writes data as JSON in which whatever could steer a terminal is escaped. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2).replace(/[\u007f-\uffff]/g, escapeUnlessGraphic));
}

/** Writes data as JSON on one line, as safe. */
export function printJsonLine(value: unknown): void {
  print(JSON.stringify(value).replace(/[\u007f-\uffff]/g, escapeUnlessGraphic));
}

/** One line about what went wrong, on standard error. */
export function complain(text: string): void {
  process.stderr.write(`inboxd: ${text}\n`);
}

/** Text of a client on one line; emoji and scripts that join characters stay whole. */
export function oneLine(text: string, limit = 500): string {
  return visible(text.replace(/[\r\n\t]+/g, ' '), limit);
}

/** Text of a client with its lines kept. */
export function manyLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => visible(line.replaceAll('\t', '    '), 100_000))
    .join('\n');
}

/** Names and values, one pair in a line. */
export function columns(facts: readonly [string, string][]): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length)) + 1;
  return facts.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`).join('\n');
}

/** Number of bytes for people. */
export function readableSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

/** Local time for people, to the second. */
export function readableTime(at: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** JSON escapes of what is not graphic; half a surrogate pair keeps its place, as JSON.stringify has escaped lone ones. */
function escapeUnlessGraphic(unit: string): string {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(unit) ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit;
}
