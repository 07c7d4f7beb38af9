import { type Command, Option as Flag } from 'commander';
import { CONFIG_FILE_KEY, defaultText, flagOf, OPTIONS, type Option } from '../config/options.ts';
import type { Flags } from '../config/sources.ts';

/** What of the table a command takes: it may have a flag of its own by the name of an option that it does not take. */
const taken = new WeakMap<Command, readonly string[]>();

/** Adds the options of the table to a command, all or those of some keys, and the one that names the file. */
export function addFlags(command: Command, keys?: readonly string[]): Command {
  const options = (OPTIONS as readonly Option[]).filter(({ key }) => keys === undefined || keys.includes(key));
  taken.set(command, [...options.map(({ key }) => key), CONFIG_FILE_KEY]);
  for (const option of options) for (const flag of flagsOf(option)) command.addOption(grouped(flag, option, keys));
  return command.addOption(
    new Flag(`${flagOf(CONFIG_FILE_KEY)} <file>`, 'Read this TOML file; its keys are the words of the flags'),
  );
}

/** Raw values that the command line gave, by key. */
export function givenFlags(command: Command): Flags {
  const keys = taken.get(command) ?? [];
  return Object.fromEntries(keys.map((key) => [key, command.getOptionValue(attributeOf(key))]));
}

/** A switch gets a flag for each side, so that either can overrule a file; the help shows the side that changes the default. */
function flagsOf(option: Option): Flag[] {
  const { key, kind, doc } = option;
  if (kind.placeholder === '') {
    const isOn = option.initial({}) === true;
    const on = new Flag(flagOf(key), doc);
    const off = new Flag(flagOf(`no-${key}`), `Switch off: ${doc.charAt(0).toLowerCase()}${doc.slice(1)}`);
    return isOn ? [on.hideHelp(), off] : [on, off.hideHelp()];
  }
  const flag = new Flag(`${flagOf(key)} <${kind.placeholder}>`, `${doc} (default: ${defaultText(option)})`);
  return [kind.isList ? flag.argParser((value, before?: string[]) => [...(before ?? []), value]) : flag];
}

function grouped(flag: Flag, { category }: Option, keys: readonly string[] | undefined): Flag {
  return keys === undefined ? flag.helpGroup(`${category}:`) : flag;
}

/** The name that commander keeps a flag's value under. */
function attributeOf(key: string): string {
  return new Flag(flagOf(key)).attributeName();
}
