/** A command line in two: the verb in upper case, and what follows the space without trailing white space. */
export interface Command {
  readonly verb: string;
  readonly arg: string;
}

/** Splits at the first space; no other white space separates (RFC 5321 §4.1.1). A line that starts with one has an empty verb. */
export function splitVerb(line: string): Command {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  const space = line.indexOf(' ');
  if (space === -1 || space >= end) return { verb: upperCase(line.slice(0, end)), arg: '' };
  return { verb: upperCase(line.slice(0, space)), arg: line.slice(space + 1, end) };
}

/** A verb in upper case, ASCII only: `ı` and `ß` must not become letters of a verb. */
export function upperCase(verb: string): string {
  return /^[A-Z]*$/.test(verb) ? verb : verb.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
