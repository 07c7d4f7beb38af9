/**
 * True if a name fits a glob, in which `*` stands for any characters, also none, and everything else
 * for itself. Goes back only to the last `*`, so the time is bounded by the product of both lengths, whatever they hold.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let retry = 0;
  while (at < name.length) {
    if (glob[place] === '*') {
      star = place++;
      retry = at;
    } else if (glob[place] === name[at]) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++retry;
    } else return false;
  }
  while (glob[place] === '*') place++;
  return place === glob.length;
}
