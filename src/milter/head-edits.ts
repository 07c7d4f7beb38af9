import type { HeaderLine } from './head.ts';

/**
 * Changes to a header section, by the rules of those who wrote the protocol.
 *
 * Fields are numbered as the milter saw them: what it deletes keeps its number until all its changes are made
 * (sendmail counts so; Postfix counts anew after each, and differs for who deletes from the lowest up). The position
 * of an inserted field counts what will be delivered, our own Received line among it, which is no part of the
 * content: it stands in the list as a gap.
 */

/** One change, value as the milter gave it. */
export type HeaderEdit =
  | { readonly kind: 'addHeader'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'insertHeader' | 'changeHeader';
      readonly index: number;
      readonly name: string;
      readonly value: string;
    };

/** A header section on its way through milters. */
export interface EditedHead {
  readonly lines: readonly HeaderLine[];
  /** Fields in front of the place that our own Received line will take. */
  readonly above: number;
}

interface Entry {
  /** Undefined for the gap. */
  line: HeaderLine | undefined;
  isDeleted: boolean;
}

/** @param leadingSpace values begin right behind the colon; else one space goes between */
export function editHead(head: EditedHead, edits: readonly HeaderEdit[], leadingSpace: boolean): EditedHead {
  const entries: Entry[] = head.lines.map((line) => ({ line, isDeleted: false }));
  entries.splice(head.above, 0, { line: undefined, isDeleted: false });
  for (const edit of edits) {
    const line = newLine(edit.name, edit.value, leadingSpace);
    if (edit.kind === 'addHeader') entries.push({ line, isDeleted: false });
    else if (edit.kind === 'insertHeader') insert(entries, edit.index, line);
    else change(entries, edit, line);
  }
  const delivered = entries.filter(({ isDeleted }) => !isDeleted);
  const above = delivered.findIndex(({ line }) => line === undefined);
  return { lines: delivered.flatMap(({ line }) => line ?? []), above };
}

function insert(entries: Entry[], index: number, line: HeaderLine): void {
  let place = 0;
  for (let before = 0; place < entries.length; place++) {
    if (entries[place]!.isDeleted) continue;
    if (before === index) break;
    before++;
  }
  entries.splice(place, 0, { line, isDeleted: false });
}

function change(entries: Entry[], { index, name, value }: HeaderEdit & { index: number }, line: HeaderLine): void {
  const key = name.toLowerCase();
  const same = entries.filter((entry) => entry.line?.name.toLowerCase() === key);
  const entry = same[Math.max(index, 1) - 1];
  if (value === '') {
    if (entry) entry.isDeleted = true;
  } else if (entry) {
    const spelled = entry.line!.name;
    entry.line = { ...line, name: spelled, octets: octetsOfField(spelled, line.value) };
    entry.isDeleted = false;
  } else entries.push({ line, isDeleted: false });
}

function newLine(name: string, value: string, leadingSpace: boolean): HeaderLine {
  const clean = cleanValue(value);
  const whole = leadingSpace ? clean : ` ${clean}`;
  return { name, value: whole, octets: octetsOfField(name, whole) };
}

function octetsOfField(name: string, value: string): Buffer {
  return Buffer.from(`${name}:${value.replaceAll('\n', '\r\n')}\r\n`, 'latin1');
}

/** A value that stays one field whatever is in it: no CR, and behind each LF white space (Postfix puts a TAB there). */
export function cleanValue(value: string): string {
  const lines = withoutLastFolds(value.replaceAll('\r', ''));
  return lines.replace(/\n[ \t]*(?=\n)/g, '').replace(/\n(?![ \t])/g, '\n\t');
}

/** Folds that nothing follows would leave lines of white space alone. */
function withoutLastFolds(value: string): string {
  let end = value.length;
  while (end > 0 && '\n\t '.includes(value[end - 1]!)) end--;
  const fold = value.indexOf('\n', end);
  return fold < 0 ? value : value.slice(0, fold);
}

/** A name that no field may have could end the header section. */
export function isFieldName(name: string): boolean {
  return /^[!-9;-~]+$/.test(name) && name.length <= 998;
}
