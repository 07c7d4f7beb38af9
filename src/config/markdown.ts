import { type Category, CONFIG_FILE_KEY, defaultText, flagOf, OPTIONS, type Option, variableOf } from './options.ts';

/** The table of options for the README: a row per option, one table per category. */
export function optionsMarkdown(): string {
  const sections = categories().map((category) => {
    const rows = OPTIONS.filter((option) => option.category === category).map((option) => row(option as Option));
    return [
      `**${category}**`,
      '',
      '| Flag | Variable | Default | What it does | Allowed |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${sections.join('\n\n')}\n\n${fileNote()}\n`;
}

/** Categories in the order of the table. */
export function categories(): Category[] {
  return [...new Set(OPTIONS.map(({ category }) => category))];
}

function row(option: Option): string {
  const { key, kind, doc } = option;
  const flag = option.initial({}) === true ? `--no-${key}` : flagOf(key);
  const placeholder = kind.placeholder === '' ? '' : ` <${kind.placeholder}>`;
  const cells = [`\`${flag}${placeholder}\``, `\`${variableOf(key)}\``, defaultText(option), doc, kind.allowed];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function fileNote(): string {
  return `\`${flagOf(CONFIG_FILE_KEY)} <file>\` or \`${variableOf(CONFIG_FILE_KEY)}\` names a TOML file; its keys are the words of the flags: \`keep-per-inbox = 500\`.`;
}
