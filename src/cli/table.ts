/** A column of a table for people. */
export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => string;
  readonly align?: 'right';
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const graphemes = new Intl.Segmenter();

/** Columns that text takes on a terminal: two for what East Asian and emoji fonts draw wide, one for a base with its marks. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/**
 * Lays rows out in aligned columns with a head.
 * @param width columns of the terminal: the last column is cut to fit; absent: nothing is cut
 */
export function table<R>(columns: readonly Column<R>[], rows: readonly R[], width?: number): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => lines.reduce((most, line) => Math.max(most, displayWidth(line[index]!)), 0));
  return lines.map((line) => layLine(columns, line, widths, width)).join('\n');
}

/** One more line for columns of given widths; a cell that is wider takes the room it needs. */
export function tableLine<R>(columns: readonly Column<R>[], row: R, widths: readonly number[], width?: number): string {
  return layLine(columns, columns.map(({ cell }) => cell(row)), widths, width); // biome-ignore format: a line
}

function layLine(
  columns: readonly { align?: 'right' }[],
  cells: readonly string[],
  widths: readonly number[],
  width?: number,
): string {
  let line = '';
  cells.forEach((cell, index) => {
    const isLast = index === cells.length - 1;
    const space = ' '.repeat(Math.max(0, widths[index]! - displayWidth(cell)));
    if (columns[index]?.align === 'right') line += `${space}${cell}`;
    else line += isLast ? cell : `${cell}${space}`;
    if (!isLast) line += '  ';
  });
  return width === undefined ? line : cutTo(line, width);
}

function cutTo(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  let cut = '';
  let used = 0;
  for (const { segment } of graphemes.segment(line)) {
    used += displayWidth(segment);
    if (used > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}
