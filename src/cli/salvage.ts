import type { Config } from '../config.ts';
import { salvage as run, type SalvageFormat, type SalvageReport } from '../store/sqlite/salvage.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson } from './output.ts';

export interface SalvageArguments {
  readonly format: SalvageFormat;
  readonly json?: boolean;
}

/** Lines about single messages that are printed; --json has all. */
const LINES = 20;

/** `inboxd salvage <folder>`: what can be read of a damaged data folder, into a new place. */
export async function salvage(config: Config, to: string, { format, json }: SalvageArguments): Promise<number> {
  const { data: from, naming } = config;
  const report = await run({ from, to, format, naming });
  if (json) printJson(report);
  else tell(report, from, to);
  return report.messages === 0 ? EXIT.NOTHING : EXIT.OK;
}

function tell({ messages, incomplete, lost, troubles }: SalvageReport, from: string, to: string): void {
  print(`salvaged ${count(messages, 'message')} of ${from} into ${to}; the old folder is as it was`);
  for (const trouble of troubles) complain(`the database says: ${oneLine(trouble)}`);
  some(incomplete, ({ id, lacks }) => `not whole: ${id}: ${lacks}`);
  some(
    lost,
    ({ id, subject, why }) =>
      `lost: ${id === '' ? 'a message' : id}${subject === '' ? '' : ` "${oneLine(subject, 80)}"`}: ${why}`,
  );
  if (lost.length > 0) complain(`${count(lost.length, 'message')} lost`);
}

function some<T>(list: readonly T[], line: (one: T) => string): void {
  for (const one of list.slice(0, LINES)) complain(line(one));
  if (list.length > LINES) complain(`and ${list.length - LINES} more; --json lists all`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
