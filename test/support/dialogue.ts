import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { anybody } from '../../src/auth/anybody.ts';
import { lmtp } from '../../src/lmtp/table.ts';
import type { Credentials, Judgement } from '../../src/mail/authenticator.ts';
import { createMemorySpool } from '../../src/mail/content.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Sink } from '../../src/mail/sink.ts';
import { SMTP_LIMITS } from '../../src/smtp/limits.ts';
import { type Logins, prepare, Session } from '../../src/smtp/session.ts';
import { mailinator, smtp } from '../../src/smtp/table.ts';
import { Connection, type TlsAccess } from '../../src/wire/connection.ts';
import { Networks } from '../../src/wire/networks.ts';
import { EncryptedSocket, encryption } from './encrypted-socket.ts';
import { FakeSocket } from './fake-socket.ts';
import { scriptedFilters } from './scripted-filter.ts';

/** One conversation of a file; `test/dialogues/README.md` explains the form. */
export interface Dialogue {
  readonly name: string;
  readonly line: number;
  readonly settings: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
  /** What must be true afterwards, in order. */
  readonly checks: readonly Check[];
}

type Step =
  | { readonly kind: 'client'; readonly bytes: Buffer; readonly line: number }
  | { readonly kind: 'server'; readonly text: string; readonly times: number; readonly line: number }
  | { readonly kind: 'serverCloses'; readonly line: number }
  | { readonly kind: 'clientCloses'; readonly line: number }
  | { readonly kind: 'serverSilent'; readonly line: number };

interface Check {
  readonly what: string;
  readonly value: string;
  readonly line: number;
}

/** How the client's bytes are cut into segments. */
export type Cut = 'whole' | 'byte by byte' | 'in one burst' | 'encrypted';

export const CUTS: readonly Cut[] = ['whole', 'byte by byte', 'in one burst'];

/** How a dialogue can be played: in all ways, unless it names some; encrypted, unless clear text is what it is about. */
export function cutsOf({ settings }: Dialogue): Cut[] {
  const named = (settings.get('cuts')?.split(',') ?? CUTS) as Cut[];
  const canEncrypt = named.includes('whole') && !settings.has('clear') && !settings.has('tls');
  return canEncrypt ? [...named, 'encrypted'] : named;
}

/** @param lineEnd what ends a line of the client's */
export function parseDialogues(text: string, lineEnd: '\r\n' | '\n' = '\r\n'): Dialogue[] {
  const dialogues: { name: string; line: number; settings: Map<string, string>; steps: Step[]; checks: Check[] }[] = [];
  const shared = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    if (raw.startsWith('== ')) {
      dialogues.push({ name: raw.slice(3), line, settings: new Map(shared), steps: [], checks: [] });
      continue;
    }
    const current = dialogues.at(-1);
    if (raw.startsWith('@ ')) {
      const [key = '', ...value] = raw.slice(2).split(' ');
      (current?.settings ?? shared).set(key, value.join(' '));
      continue;
    }
    if (!current) throw new Error(`line ${line}: stands before the first dialogue`);
    const client = /^C(?:\*(\d+))?([:~])(?: (.*))?$/s.exec(raw);
    const server = /^S(?:\*(\d+))?: ?(.*)$/s.exec(raw);
    if (raw === 'C: (close)') current.steps.push({ kind: 'clientCloses', line });
    else if (raw === 'S: (close)') current.steps.push({ kind: 'serverCloses', line });
    else if (raw === 'S: (silent)') current.steps.push({ kind: 'serverSilent', line });
    else if (client) {
      const once = Buffer.concat([unescapeText(client[3] ?? ''), Buffer.from(client[2] === ':' ? lineEnd : '')]);
      const bytes = Buffer.concat(Array.from({ length: Number(client[1] ?? 1) }, () => once));
      const last = current.steps.at(-1);
      if (last?.kind === 'client') {
        current.steps[current.steps.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, bytes]) };
      } else current.steps.push({ kind: 'client', bytes, line });
    } else if (server) {
      current.steps.push({ kind: 'server', text: server[2] ?? '', times: Number(server[1] ?? 1), line });
    } else if (raw.startsWith('= ')) {
      const [what = '', ...value] = raw.slice(2).split(' ');
      current.checks.push({ what, value: value.join(' '), line });
    } else throw new Error(`line ${line}: not a line of a dialogue: ${raw}`);
  }
  return dialogues;
}

/** `\r \n \t \0 \\ \xHH`, and `\{65*998}` for 998 octets of 0x41 given in decimal. */
export function unescapeText(text: string): Buffer {
  const parts: Buffer[] = [];
  const pattern = /\\(?:x([0-9a-fA-F]{2})|\{(\d+)\*(\d+)\}|(.))/gs;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(Buffer.from(text.slice(at, match.index), 'utf8'));
    at = match.index + match[0].length;
    if (match[1]) parts.push(Buffer.from(match[1], 'hex'));
    else if (match[2]) parts.push(Buffer.alloc(Number(match[3]), Number(match[2])));
    else {
      const known: Record<string, string> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' };
      const octet = known[match[4] ?? ''];
      if (octet === undefined) throw new Error(`unknown escape ${match[0]}`);
      parts.push(Buffer.from(octet));
    }
  }
  parts.push(Buffer.from(text.slice(at), 'utf8'));
  return Buffer.concat(parts);
}

interface Kept {
  readonly message: Message;
  readonly bytes: Buffer;
}

/** Sinks that a dialogue can name with `@ sink NAME`. */
function chooseSink(name: string, kept: Kept[]): Sink {
  const keep: Sink = async (message) => {
    const views: Buffer[] = [];
    for await (const view of message.content.stream()) views.push(view);
    kept.push({ message, bytes: Buffer.concat(views) });
  };
  const refusal = /^refuse (\d+) (\S+) (.*)$/.exec(name);
  if (refusal) return () => ({ code: Number(refusal[1]), enhanced: refusal[2]!, text: refusal[3]! });
  switch (name) {
    case 'keep':
      return keep;
    case 'refuse-second':
      return async (message, signal) => {
        await keep(message, signal);
        return message.envelope.to.map((_, index) =>
          index === 1
            ? { code: 550, enhanced: '5.1.1', text: 'No such mailbox' }
            : { code: 250, enhanced: '2.0.0', text: 'OK' },
        );
      };
    case 'throw':
      return () => {
        throw new Error('sink is broken');
      };
    case 'full':
      return () => Promise.reject(Object.assign(new Error('disk is full'), { code: 'ENOSPC' }));
    case 'hang':
      return () => new Promise(() => {});
    case 'circular':
      return async () => {
        const verdict = { code: 550, enhanced: '5.0.0', text: 'no\ntext' };
        return Object.assign(verdict, { verdict });
      };
    case 'junk':
      return () => ({ code: 250, enhanced: '5.0.0', text: 'two\r\n250 lines' });
    default:
      throw new Error(`no sink "${name}"`);
  }
}

/** `@ auth any`, or `@ auth NAME SECRET`: the one user, whose secret is also a token; `busy` and `blocked` are names. */
function scriptedLogins(settings: ReadonlyMap<string, string>): Logins {
  const [name = '', password] = settings.get('auth')!.split(' ');
  const judge = async ({ user, secret }: Credentials): Promise<Judgement> => {
    await turn();
    if (user === 'busy' || user === 'blocked') return { ok: false, why: user };
    const isRight = (user === name || user === '') && secret === password;
    return isRight ? { ok: true, user: name } : { ok: false, why: 'wrong' };
  };
  return {
    authenticator: name === 'any' ? anybody : { judge },
    required: settings.has('authRequired'),
    plaintext: settings.has('authPlaintext'),
  };
}

/** Plays a dialogue; throws an Error that names the line where daemon and script part. */
export async function play(protocol: string, dialogue: Dialogue, cut: Cut): Promise<void> {
  const { settings } = dialogue;
  const limits: Record<string, number> = {
    ...SMTP_LIMITS,
    failureDelayMs: 1,
    loginFailureDelayMs: 1,
    lingerMs: 50,
    filterMs: 20,
  };
  for (const [key, value] of settings) if (key in limits) limits[key] = Number(value);
  const kept: Kept[] = [];
  const reports: Report[] = [];
  const services = prepare({
    protocol: protocol === 'lmtp' ? 'LMTP' : 'SMTP',
    hostname: 'mx.test',
    limits: limits as typeof SMTP_LIMITS,
    sink: chooseSink(settings.get('sink') ?? 'keep', kept),
    spool: createMemorySpool(),
    report: (report) => {
      reports.push(report);
      if (report.type === settings.get('reportThrows')) throw new Error('reporter is broken');
    },
    bareNewlines: settings.get('bareNewlines') === 'keep' ? 'keep' : 'reject',
    lenientSyntax: settings.has('lenientSyntax'),
    filters: scriptedFilters(settings.get('filters') ?? ''),
    ...(settings.has('trusted') && { trusted: new Networks(settings.get('trusted')!.split(' ')) }),
    ...(settings.has('auth') && { logins: scriptedLogins(settings) }),
    room: () => Number(settings.get('room') ?? Number.POSITIVE_INFINITY),
  });
  const session = new Session(services, settings.get('client') ?? '192.0.2.1', 54321);
  if (settings.has('tls')) session.tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const machine = protocol === 'lmtp' ? lmtp : protocol === 'mailinator' ? mailinator : smtp;
  const serve: Serve = (peer, tls) => new Connection(peer, machine as typeof smtp, session, tls).start();
  await converse(dialogue, cut, serve, (heard, text) => heard.expect(text));
  check(dialogue, kept, reports, failing(dialogue, cut), cut === 'encrypted');
}

/** Serves a connection, encrypted from the start where `tls` is given. */
export type Serve = (peer: Socket, tls: TlsAccess | undefined) => void;

/** How a dialogue's test fails at one of its lines. */
export function failing(dialogue: Dialogue, cut: Cut): (line: number, text: string) => never {
  return (line, text) => {
    throw new Error(`${dialogue.name} (${cut}), line ${line}: ${text}`);
  };
}

/**
 * Holds the conversation of a dialogue with whoever serves it.
 * @param expect says what is wrong with what the daemon said next, if anything
 */
export async function converse(
  dialogue: Dialogue,
  cut: Cut,
  serve: Serve,
  expect: (heard: Heard, text: string) => Promise<string | undefined>,
): Promise<void> {
  const isEncrypted = cut === 'encrypted';
  const socket = isEncrypted ? new EncryptedSocket() : new FakeSocket();
  const heard = new Heard(socket);
  serve(socket.asSocket, isEncrypted ? await encryption() : undefined);

  const fail = failing(dialogue, cut);
  const sayAll = cut === 'in one burst' ? burst(dialogue) : undefined;
  if (sayAll) socket.send(sayAll);

  for (const step of dialogue.steps) {
    if (step.kind === 'client') {
      if (cut === 'whole' || isEncrypted) socket.send(step.bytes);
      else if (cut === 'byte by byte') {
        for (let at = 0; at < step.bytes.length; at++) {
          socket.send(step.bytes.subarray(at, at + 1));
          if ((at & 255) === 0) await turn();
        }
      }
    } else if (step.kind === 'clientCloses') {
      socket.halfClose();
    } else if (step.kind === 'serverCloses') {
      if (!(await heard.closed())) fail(step.line, `the daemon should have closed; it said ${heard.rest()}`);
      if (heard.rest() !== '""') fail(step.line, `the daemon said more before it closed: ${heard.rest()}`);
    } else if (step.kind === 'serverSilent') {
      for (let i = 0; i < 5; i++) await turn();
      if (cut !== 'in one burst' && heard.rest() !== '""')
        fail(step.line, `the daemon should be silent; it said ${heard.rest()}`);
    } else {
      for (let time = 0; time < step.times; time++) {
        const wrong = await expect(heard, step.text);
        if (wrong) fail(step.line, wrong);
      }
    }
  }
  for (let i = 0; i < 3; i++) await turn();
  if (heard.rest() !== '""') fail(dialogue.line, `the daemon said more than the script: ${heard.rest()}`);
  socket.destroy();
  await turn();
}

function burst(dialogue: Dialogue): Buffer {
  return Buffer.concat(dialogue.steps.flatMap((step) => (step.kind === 'client' ? [step.bytes] : [])));
}

function check(
  dialogue: Dialogue,
  kept: Kept[],
  reports: Report[],
  fail: (line: number, text: string) => never,
  isEncrypted: boolean,
): void {
  let at = -1;
  const message = (line: number): Kept => kept[at] ?? fail(line, 'there is no such message');
  const same = (line: number, is: string, expected: string): void => {
    if (is !== expected) fail(line, `is ${JSON.stringify(is)}, not ${JSON.stringify(expected)}`);
  };
  for (const { what, value, line } of dialogue.checks) {
    switch (what) {
      case 'messages':
        same(line, String(kept.length), value);
        break;
      case 'message':
        at = Number(value) - 1;
        message(line);
        break;
      case 'content': {
        if (at < 0) at = 0;
        const expected = unescapeText(value);
        const { bytes } = message(line);
        if (!bytes.equals(expected)) fail(line, `content is ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`);
        break;
      }
      case 'from':
        if (at < 0) at = 0;
        same(line, `<${message(line).message.envelope.from.path?.text ?? ''}>`, value);
        break;
      case 'to':
        if (at < 0) at = 0;
        same(
          line,
          message(line)
            .message.envelope.to.map(({ path }) => `<${path.text}>`)
            .join(' '),
          value,
        );
        break;
      case 'protocol':
        if (at < 0) at = 0;
        // RFC 3848 has a letter for it, but none for HELO
        same(
          line,
          message(line).message.protocol,
          isEncrypted && value !== 'SMTP' ? value.replace(/A?$/, 'S$&') : value,
        );
        break;
      case 'client': {
        if (at < 0) at = 0;
        const { address, port, hello } = message(line).message.client;
        same(line, `${address} ${port} ${hello}`, value);
        break;
      }
      case 'login': {
        if (at < 0) at = 0;
        const { login } = message(line).message.client;
        same(line, login ? `${login.mechanism} ${login.user}`.trim() : 'none', value);
        break;
      }
      case 'bareNewlines':
        if (at < 0) at = 0;
        same(line, String(message(line).message.content.bareNewlines), value);
        break;
      case 'transcript': {
        if (at < 0) at = 0;
        const { transcript } = message(line).message;
        if (!transcript.some((said) => said.includes(value)))
          fail(line, `transcript lacks it: ${transcript.join(' | ')}`);
        break;
      }
      case 'transcript-lacks': {
        if (at < 0) at = 0;
        const { transcript } = message(line).message;
        if (transcript.some((said) => said.includes(value))) fail(line, 'transcript holds it');
        break;
      }
      case 'quarantine':
        if (at < 0) at = 0;
        same(line, String(message(line).message.quarantine), value);
        break;
      case 'refusals': {
        const refusals = reports.flatMap((one) =>
          one.type === 'refusal' && one.filter !== undefined ? [`${one.phase}/${one.reason}/${one.filter}`] : [],
        );
        same(line, refusals.join(' '), value);
        break;
      }
      case 'discarded':
        same(
          line,
          reports.flatMap((one) => (one.type === 'message' ? (one.discardedBy ?? 'no') : [])).join(' '),
          value,
        );
        break;
      case 'crashes':
        same(line, String(reports.filter(({ type }) => type === 'crash').length), value);
        break;
      default:
        fail(line, `unknown check "${what}"`);
    }
  }
}

/** Reads what the daemon says as reply lines. */
export class Heard {
  readonly #socket: FakeSocket | EncryptedSocket;
  #views = 0;
  #text = '';
  #closed = false;

  constructor(socket: FakeSocket | EncryptedSocket) {
    this.#socket = socket;
    socket.on('finish', () => {
      this.#closed = true;
    });
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  #take(): void {
    for (; this.#views < this.#socket.written.length; this.#views++) {
      this.#text += this.#socket.written[this.#views]!.toString('latin1');
    }
  }

  rest(): string {
    this.#take();
    return JSON.stringify(this.#text);
  }

  /** Waits until `test` gives something; at most some seconds. */
  async #until<T>(test: () => T | undefined): Promise<T | undefined> {
    const limit = performance.now() + 5_000;
    for (;;) {
      this.#take();
      const found = test();
      if (found !== undefined) return found;
      if (this.#closed || performance.now() > limit) return test();
      await turn();
    }
  }

  async closed(): Promise<boolean> {
    const limit = performance.now() + 5_000;
    while (!this.#closed && performance.now() < limit) await turn();
    this.#take();
    return this.#closed;
  }

  /** The next line without its end; undefined if none comes. */
  async line(lineEnd: '\r\n' | '\n' = '\r\n'): Promise<string | undefined> {
    const end = await this.#until(() => (this.#text.includes(lineEnd) ? this.#text.indexOf(lineEnd) : undefined));
    if (end === undefined) return undefined;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + lineEnd.length);
    return line;
  }

  /** The next so many octets, as far as they come. */
  async octets(count: number): Promise<string> {
    await this.#until(() => (this.#text.length >= count ? true : undefined));
    const octets = this.#text.slice(0, count);
    this.#text = this.#text.slice(count);
    return octets;
  }

  /** Undefined if the next reply is as expected, else what is wrong. `250-x` is one line, `250 x` the whole rest of a reply. */
  async expect(text: string): Promise<string | undefined> {
    for (;;) {
      const line = await this.line();
      if (line === undefined) {
        return `expected ${JSON.stringify(text)}, but the daemon ${this.#closed ? 'closed' : 'says nothing more'}`;
      }
      if (!/^[2-5]\d\d[ -][\x20-\x7e]*$/.test(line) || line.length > 510)
        return `not a reply line: ${JSON.stringify(line)}`;
      if (line.startsWith(text)) {
        if (text[3] === '-' || line[3] === ' ') return undefined;
        continue;
      }
      // the lines of a multi-line reply before its last one only need the code
      const goesOn = line[3] === '-' && text[3] !== '-' && line.slice(0, 3) === text.slice(0, 3);
      if (!goesOn) return `expected ${JSON.stringify(text)}, got ${JSON.stringify(line)}`;
    }
  }
}
