import type { UserSource } from '../source.ts';

/** What is known of users, by name in any case; a text may have many lines. */
export function createMapSource(users: ReadonlyMap<string, string>): UserSource {
  const known = new Map([...users].map(([name, text]) => [name.toLowerCase(), { name, text }]));
  return {
    async find(user) {
      const one = known.get(user.toLowerCase());
      return one && [`${one.name}: ${one.text.split(/\r?\n/, 1)[0]}`, ...one.text.split(/\r?\n/).slice(1)];
    },
    async list() {
      return [...known.values()].map(({ name }) => name).sort();
    },
  };
}

/**
 * Reads lines such as `alice: in the garden`; further lines of a user begin with a blank. Empty lines and those that begin
 * with # say nothing.
 */
export function parseUsers(text: string): Map<string, string> {
  const users = new Map<string, string>();
  let last = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (/^[ \t]/.test(line) && last !== '') {
      users.set(last, `${users.get(last)}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(':');
    last = (colon < 0 ? line : line.slice(0, colon)).trim();
    users.set(last, colon < 0 ? '' : line.slice(colon + 1).trim());
  }
  return users;
}
