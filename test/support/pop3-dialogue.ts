import { setImmediate as turn } from 'node:timers/promises';
import type { Report } from '../../src/mail/report.ts';
import type { Store, StoredMessage, Summary } from '../../src/mail/store.ts';
import { POP3_LIMITS } from '../../src/pop3/limits.ts';
import { Sizes } from '../../src/pop3/maildrop.ts';
import { type Doorkeeper, Session } from '../../src/pop3/session.ts';
import { pop3 } from '../../src/pop3/table.ts';
import { Connection } from '../../src/wire/connection.ts';
import { type Cut, converse, type Dialogue, failing, unescapeText } from './dialogue.ts';

/** Octets of the trace that stands before each message of a dialogue. */
const TRACE_LINES = 5;

interface Lying {
  readonly message: StoredMessage;
  readonly bytes: Buffer;
  gone: boolean;
}

/** A store that holds the messages of a dialogue in one inbox and knows only what a maildrop asks for. */
class Drop {
  readonly lying: Lying[];
  readonly #settings: ReadonlyMap<string, string>;

  constructor(settings: ReadonlyMap<string, string>) {
    this.#settings = settings;
    const texts = [...settings].filter(([key]) => /^message\d+$/.test(key));
    this.lying = texts.map(([key, text]) => ({
      message: messageOf(key, settings.get(`quarantine${key.slice('message'.length)}`)),
      bytes: unescapeText(text),
      gone: false,
    }));
  }

  get store(): Store {
    const find = (id: string): Lying | undefined => this.lying.find((one) => one.message.id === id && !one.gone);
    const list: Store['list'] = async ({ inbox, limit = 1, cursor = '0' }) => {
      await turn();
      const all = inbox === 'ann@in.test' ? this.lying.filter(({ gone }) => !gone) : [];
      const end = Number(cursor) + Math.min(limit, 2); // more than one page
      const messages = all.slice(Number(cursor), end).map(({ message }): Summary => message);
      return { messages, ...(end < all.length && { next: String(end) }) };
    };
    const get: Store['get'] = async (id) => {
      await turn();
      return find(id)?.message;
    };
    const content: Store['content'] = async (id, form) => {
      if (form !== 'edited') throw new Error('a maildrop gives what filters left');
      const found = find(id);
      if (!found) return undefined;
      const { bytes } = found;
      const stream = async function* () {
        for (let at = 0; at < bytes.length; at += 7) {
          await turn();
          yield bytes.subarray(at, at + 7);
        }
      };
      return { bytes: bytes.length, stream };
    };
    const remove: Store['remove'] = async (selection) => {
      if (this.#settings.has('removeFails')) throw new Error('disk is broken');
      if (!('inbox' in selection) || selection.inbox !== 'ann@in.test') throw new Error('of the wrong inbox');
      for (const id of selection.ids ?? []) find(id)!.gone = true;
      return selection.ids ?? [];
    };
    return { list, get, content, remove } as Partial<Store> as Store;
  }
}

function messageOf(id: string, quarantine = null as string | null): StoredMessage {
  const facts: Partial<StoredMessage> = {
    id,
    protocol: 'ESMTP',
    receivedAt: new Date('2026-11-20T10:00:00Z'),
    client: { address: '192.0.2.9', port: 1, hello: 'out.test' },
    verification: null,
    quarantine,
    envelope: {
      from: 'bob@out.test',
      fromParams: {},
      to: [{ address: 'ann@in.test', params: {}, inbox: 'ann@in.test', tag: '' }],
    },
  };
  return facts as StoredMessage;
}

/** Plays a dialogue with the maildrop of ann@in.test; `test/dialogues/README.md` says what can be set. */
export async function playPop3(dialogue: Dialogue, cut: Cut): Promise<void> {
  const { settings } = dialogue;
  const limits: Record<string, number> = { ...POP3_LIMITS, loginFailureDelayMs: 1, lingerMs: 50 };
  for (const [key, value] of settings) if (key in limits) limits[key] = Number(value);
  const reports: Report[] = [];
  const drop = new Drop(settings);
  const services = {
    store: drop.store,
    hostname: 'mx.test',
    sizes: new Sizes(10),
    limits: limits as typeof POP3_LIMITS,
    doorkeeper: scriptedDoorkeeper(settings),
    report: (report: Report) => void reports.push(report),
    stls: (settings.get('stls') ?? 'off') as 'off',
    plaintext: false,
    sleepers: { take: () => true, give: () => {} },
    ...(settings.has('expire') && { expire: settings.get('expire')! }),
  };
  const session = new Session(services, settings.get('client') ?? '127.0.0.1');
  await converse(
    dialogue,
    cut,
    (peer, tls) => new Connection(peer, pop3, session, tls).start(),
    async (heard, text) => {
      if (text === '(trace)') {
        for (let line = 0; line < TRACE_LINES; line++) {
          const said = await heard.line();
          if (said === undefined || !/^(?:Return-Path: |Received: |\t)/.test(said)) return `no trace: ${said}`;
        }
        return undefined;
      }
      const said = await heard.line();
      const isIt = text.endsWith('*') ? said?.startsWith(text.slice(0, -1)) : said === text;
      return isIt ? undefined : `expected ${JSON.stringify(text)}, got ${JSON.stringify(said)}`;
    },
  );
  const fail = failing(dialogue, cut);
  for (const { what, value, line } of dialogue.checks) {
    const found: Record<string, () => string> = {
      left: () => drop.lying.flatMap(({ message, gone }) => (gone ? [] : [message.id])).join(' '),
      crashes: () => String(reports.filter(({ type }) => type === 'crash').length),
      refused: () => reports.flatMap((one) => (one.type === 'login-refused' ? [one.why] : [])).join(' '),
      retrieved: () => reports.flatMap((one) => (one.type === 'session-end' ? [one.messages] : [])).join(' '),
    };
    const is = (found[what] ?? (() => fail(line, `unknown check "${what}"`)))();
    if (is !== value) fail(line, `${what} is ${JSON.stringify(is)}, not ${JSON.stringify(value)}`);
  }
}

/** The token `secret` opens ann@in.test, `look` opens it to be read only; as tokens, `blocked` and `busy` are names. */
function scriptedDoorkeeper(settings: ReadonlyMap<string, string>): Doorkeeper {
  return {
    async admit(user, secret) {
      await turn();
      if (settings.has('loginThrows')) throw new Error('file is broken');
      if (secret === 'blocked' || secret === 'busy') return { ok: false, why: secret };
      const isRight = (secret === 'secret' || secret === 'look') && /^(?:ann|empty)@in\.test$/i.test(user);
      if (!isRight) return { ok: false, why: 'wrong' };
      const holds = (): boolean => !settings.has('tokenEnds');
      return { ok: true, pass: { inbox: user.toLowerCase(), mayDelete: secret === 'secret', holds } };
    },
  };
}
