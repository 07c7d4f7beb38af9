import { setImmediate as turn } from 'node:timers/promises';
import { Directory } from '../../src/eurechat/directory.ts';
import { DIRECTORY_LIMITS, EURECHAT_LIMITS } from '../../src/eurechat/limits.ts';
import { parseUser } from '../../src/eurechat/names.ts';
import { type Doorkeeper, Session } from '../../src/eurechat/session.ts';
import { eurechat } from '../../src/eurechat/table.ts';
import type { Naming } from '../../src/mail/inbox.ts';
import type { Report } from '../../src/mail/report.ts';
import { Connection } from '../../src/wire/connection.ts';
import { type Cut, converse, type Dialogue, failing, type Heard } from './dialogue.ts';
import { passOf, ScriptedCaller, ScriptedFeed } from './scripted-directory.ts';

/** Plays a dialogue with a directory; `test/dialogues/README.md` says what can be set. */
export async function playEurechat(dialogue: Dialogue, cut: Cut): Promise<void> {
  const { settings } = dialogue;
  const limits = { ...limitsOf(EURECHAT_LIMITS, settings), ...(!settings.has('loginFailureDelayMs') && FAST) };
  const naming = (settings.get('naming') ?? 'full') as Naming;
  const reports: Report[] = [];
  const report = (one: Report): void => void reports.push(one);
  const words = (key: string): string[] => settings.get(key)?.split(' ') ?? [];
  const caller = new ScriptedCaller(words('listens').map(Number));
  const directory = new Directory({
    caller,
    limits: limitsOf(DIRECTORY_LIMITS, settings),
    feed: new ScriptedFeed(),
    naming,
    report,
  });
  for (const [user = '', address = '', port] of words('bound').map((line) => line.split(','))) {
    caller.listening.add(Number(port));
    await directory.bind(passOf(user), { address, port: Number(port), source: address }, '');
  }
  caller.calls.length = 0;
  const doorkeeper = scriptedDoorkeeper(settings, naming);
  const services = { directory, limits, doorkeeper, report, sleepers: { take: () => true, give: () => {} } };
  const session = new Session(services, settings.get('client') ?? '127.0.0.1');
  const serve: Parameters<typeof converse>[2] = (peer, tls) => new Connection(peer, eurechat, session, tls).start();
  await converse(dialogue, cut, serve, expectFrames());
  const bound = directory.list(passOf('')).join(' ');
  directory.close();
  const fail = failing(dialogue, cut);
  for (const { what, value, line } of dialogue.checks) {
    const found: Record<string, () => string> = {
      bound: () => bound,
      called: () => caller.calls.map((call) => call.replace('reach ', '')).join(' '),
      crashes: () => String(reports.filter(({ type }) => type === 'crash').length),
      refused: () => reports.flatMap((one) => (one.type === 'login-refused' ? [one.why] : [])).join(' '),
    };
    const is = (found[what] ?? (() => fail(line, `unknown check "${what}"`)))();
    if (is !== value) fail(line, `${what} is ${JSON.stringify(is)}, not ${JSON.stringify(value)}`);
  }
}

const FAST = { loginFailureDelayMs: 1, lingerMs: 50 };

function limitsOf<T extends Record<string, number>>(all: Readonly<T>, settings: ReadonlyMap<string, string>): T {
  const own = Object.keys(all).filter((name) => settings.has(name));
  return { ...all, ...Object.fromEntries(own.map((name) => [name, Number(settings.get(name))])) };
}

/** Hears headers of frames as lines, and below each its payload, line by line, to the last octet. */
function expectFrames(): (heard: Heard, text: string) => Promise<string | undefined> {
  let due = 0;
  return async (heard, text) => {
    if (due === 0) {
      const header = await heard.line('\n');
      due = Number(/^[A-Z]+ (\d+)$/.exec(header ?? '')?.[1] ?? 0);
      return header === text ? undefined : `expected ${JSON.stringify(text)}, got ${JSON.stringify(header)}`;
    }
    const end = due > text.length ? '\n' : '';
    const said = await heard.octets(text.length + end.length);
    due -= said.length;
    return said === text + end ? undefined : `expected ${JSON.stringify(text + end)}, got ${JSON.stringify(said)}`;
  };
}

function scriptedDoorkeeper(settings: ReadonlyMap<string, string>, naming: Naming): Doorkeeper {
  return {
    nameOf: (text) => parseUser(text, naming),
    async admit(user, secret) {
      await turn();
      if (settings.has('loginThrows')) throw new Error('file is broken');
      if (secret === 'secret') return { ok: true, pass: passOf(user) };
      if (secret === 'own') return { ok: true, pass: passOf(user, { knows: (other) => other.user === user }) };
      const known = ['blocked', 'busy', 'elsewhere'] as const;
      return { ok: false, why: known.find((why) => why === secret) ?? 'wrong' };
    },
  };
}
