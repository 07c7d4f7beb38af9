/**
 * Makes text of a mail safe to stand among our own words: control characters and the marks that turn the direction of
 * writing are shown as what they are. A file called `cod<RLO>fdp.exe` would else read as `codexe.pdf`.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, nameOf);
}

/** The same for text with lines: tabs and line ends stay. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN_IN_TEXT, nameOf);
}

const DIRECTIONS = '\\u061c\\u202a-\\u202e\\u2066-\\u2069';
const HIDDEN = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ufeff${DIRECTIONS}]`, 'g');
const HIDDEN_IN_TEXT = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f${DIRECTIONS}]`, 'g');

const NAMES: Readonly<Record<string, string>> = {
  '\u061c': 'ALM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
};

function nameOf(char: string): string {
  const code = char.charCodeAt(0);
  // Unicode has pictures of the oldest ones
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `\u27e8${NAMES[char] ?? code.toString(16).toUpperCase()}\u27e9`;
}

/** The last piece of a file name, without folders; '' for none. */
export function baseName(name: string): string {
  return name.split(/[/\\]/).at(-1) ?? '';
}
