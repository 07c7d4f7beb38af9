/**
 * Reads CSS as far as a check of it needs: rules with their declarations, at-rules, comments.
 *
 * The style sheets of mails are untrusted and often broken. Nothing here fails: what cannot be read is passed over as a
 * browser would, every character is looked at a fixed number of times, and nesting deeper than `MAX_DEPTH` is not
 * followed.
 */

export interface Declaration {
  /** Lower case. */
  readonly property: string;
  readonly value: string;
}

export interface StyleRule {
  /** As written, comments out. */
  readonly selector: string;
  readonly declarations: readonly Declaration[];
  /** True inside `@media` and the like: applies sometimes. */
  readonly isConditional: boolean;
  /** True if it stands inside another rule. */
  readonly isNested: boolean;
}

export interface AtRule {
  /** Lower case, without `@`. */
  readonly name: string;
  /** What stands between name and block. */
  readonly prelude: string;
}

export interface Stylesheet {
  readonly rules: readonly StyleRule[];
  readonly atRules: readonly AtRule[];
  readonly comments: number;
}

const MAX_DEPTH = 16;
/** At-rules whose block holds declarations and no rules. */
const DECLARING = new Set(['font-face', 'page', 'counter-style', 'property']);

/** Reads a style sheet. */
export function scanStylesheet(css: string): Stylesheet {
  const sheet = { rules: [] as StyleRule[], atRules: [] as AtRule[] };
  const { text, comments } = withoutComments(css);
  const waiting: Block[] = [{ at: 0, depth: 0, selector: undefined, isConditional: false }];
  let at = 0;
  for (let block = waiting.pop(); block !== undefined; block = waiting.pop()) {
    at = readBlock(text, Math.max(at, block.at), block, waiting, sheet);
  }
  return { ...sheet, comments };
}

/** Reads the value of a `style` attribute. */
export function scanDeclarations(style: string): Declaration[] {
  const { text } = withoutComments(style);
  const found: Declaration[] = [];
  for (let at = 0; at < text.length; ) {
    const end = findEnd(text, at);
    pushDeclaration(found, text.slice(at, end));
    at = end + 1;
  }
  return found;
}

/** A block that is open: where its contents go on, and what they belong to. */
interface Block {
  readonly at: number;
  readonly depth: number;
  /** Of the rule that the block belongs to; undefined where rules stand and no declarations. */
  readonly selector: string | undefined;
  readonly isConditional: boolean;
}

/**
 * Reads the contents of a block up to its end, or to the start of a block inside it, which then is read first.
 * @returns where reading goes on
 */
function readBlock(
  text: string,
  from: number,
  block: Block,
  waiting: Block[],
  sheet: { rules: StyleRule[]; atRules: AtRule[] },
): number {
  const declarations: Declaration[] = [];
  const finish = (at: number): number => {
    if (block.selector !== undefined && declarations.length > 0) {
      const isNested = block.depth > 1 && !block.isConditional;
      sheet.rules.push({ selector: block.selector, declarations, isConditional: block.isConditional, isNested });
    }
    return at;
  };
  for (let at = from; at < text.length; ) {
    const end = findEnd(text, at);
    const words = text.slice(at, end).trim();
    const delimiter = text[end];
    at = end + 1;
    if (delimiter === '{') {
      const inner = openBlock(words, block, at, sheet);
      if (inner === undefined || inner.depth > MAX_DEPTH) at = skipBlock(text, at);
      else {
        waiting.push({ ...block, at }, inner);
        return finish(at);
      }
    } else {
      if (words.startsWith('@')) addAtRule(words, sheet.atRules);
      else if (block.selector !== undefined) pushDeclaration(declarations, words);
      if (delimiter === '}' && block.depth > 0) return finish(at);
    }
  }
  return finish(text.length);
}

/** Tells what a block is by the words before it; undefined for one that holds nothing to check. */
function openBlock(words: string, outer: Block, at: number, sheet: { atRules: AtRule[] }): Block | undefined {
  const depth = outer.depth + 1;
  if (!words.startsWith('@')) {
    const isNested = outer.selector !== undefined;
    const selector = isNested ? `${outer.selector} ${words}`.slice(0, 1024) : words;
    return { at, depth: isNested ? Math.max(depth, 2) : 1, selector, isConditional: outer.isConditional };
  }
  const name = addAtRule(words, sheet.atRules);
  if (DECLARING.has(name) || name.endsWith('keyframes')) return undefined;
  return { at, depth, selector: outer.selector, isConditional: true };
}

function addAtRule(words: string, atRules: AtRule[]): string {
  const match = /^@([\w-]*)\s*/.exec(words);
  const name = (match?.[1] ?? '').toLowerCase();
  atRules.push({ name, prelude: words.slice(match?.[0].length ?? 1) });
  return name;
}

function pushDeclaration(declarations: Declaration[], words: string): void {
  const colon = words.indexOf(':');
  if (colon < 1) return;
  const property = words.slice(0, colon).trim().toLowerCase();
  const value = words.slice(colon + 1).trim();
  if (value !== '' && /^-{0,2}[\w-]+$/.test(property)) declarations.push({ property, value });
}

/** Finds the next `;`, `{` or `}` that is not in a string or in brackets; the end of the text if there is none. */
function findEnd(text: string, from: number): number {
  let brackets = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\') at++;
    else if (char === '"' || char === "'") at = endOfString(text, at);
    else if (char === '(' || char === '[') brackets++;
    else if (char === ')' || char === ']') brackets = Math.max(0, brackets - 1);
    else if (char === '{' || char === '}') return at;
    else if (char === ';' && brackets === 0) return at;
  }
  return text.length;
}

/** A string ends at its quote, or broken at the end of its line. */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[open] || text[at] === '\n') return at;
  }
  return text.length;
}

/** Passes over a block whose `{` has been read. */
function skipBlock(text: string, from: number): number {
  let depth = 1;
  let at = from;
  while (at < text.length && depth > 0) {
    const end = findEnd(text, at);
    if (text[end] === '{') depth++;
    else if (text[end] === '}') depth--;
    at = end + 1;
  }
  return at;
}

function withoutComments(css: string): { text: string; comments: number } {
  let comments = 0;
  let text = '';
  for (let at = 0; at < css.length; ) {
    const open = css.indexOf('/*', at);
    if (open < 0) return { text: text + css.slice(at).replace(/<!--|-->/g, ' '), comments };
    text += `${css.slice(at, open)} `;
    comments++;
    const close = css.indexOf('*/', open + 2);
    at = close < 0 ? css.length : close + 2;
  }
  return { text, comments };
}
