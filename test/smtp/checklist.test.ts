/**
 * The acceptance checklist for SMTP receivers has 272 numbered lines. Dialogues name the lines that they show
 * (`# checklist: 50, 51`). This test holds the rest to account: every line is shown by a dialogue, by a test below, by
 * a named test elsewhere, or stands among those that belong to later work, with the reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contentOf, countingSpool } from '../../src/mail/content.ts';
import { createId, idTime, type Message } from '../../src/mail/message.ts';
import { traceHeaders } from '../../src/mail/trace.ts';
import { discard } from '../../src/sinks/discard.ts';
import * as replies from '../../src/smtp/replies.ts';

const LINES = 272;
const ROOT = new URL('../../', import.meta.url);

/** Lines of the checklist shown by a test of another file: its path and words of its title. */
const ELSEWHERE: Readonly<Record<number, readonly [string, string]>> = {
  5: ['test/daemon.test.ts', 'tells one client too many so and closes'],
  6: ['test/guard/daemon.test.ts', 'connections over the cap are told 421 4.7.0 and closed'],
  7: ['test/guard/daemon.test.ts', 'connections per minute over the limit are refused'],
  9: ['test/config/load.test.ts', 'refuse the host name'],
  69: ['test/smtp/table.test.ts', 'every command in every state'],
  118: ['test/smtp/parse/params.test.ts', 'are unknown unless DSN is announced'],
  121: ['test/smtp/parse/params.test.ts', 'AUTH= (RFC 4954'],
  132: ['test/wire/readers.test.ts', 'agrees with the plain words on random bytes'],
  147: ['test/wire/connection.test.ts', 'reads nothing more while the session takes its time'],
  145: ['test/guard/content.test.ts', 'refuses one more with 554 5.4.6'],
  173: ['test/wire/connection.test.ts', 'lets other connections have their turn after a hundred commands'],
  174: ['test/wire/connection.test.ts', 'stops reading a client that does not read'],
  176: ['test/tls/starttls.test.ts', 'forgets EHLO, transaction and counters'],
  177: ['test/tls/starttls.test.ts', 'forgets EHLO, transaction and counters'],
  178: ['test/tls/starttls.test.ts', 'is refused when TLS is on (503)'],
  179: ['test/tls/starttls.test.ts', 'takes no argument, and goes on in clear text (501)'],
  180: ['test/tls/starttls.test.ts', 'is refused with 502 and missing from EHLO and HELP where it is off'],
  181: ['test/tls/starttls.test.ts', 'never reaches the encrypted session: %s behind STARTTLS'],
  182: ['test/tls/starttls.test.ts', 'never reaches the encrypted session: %s behind STARTTLS'],
  183: ['test/tls/starttls.test.ts', 'never reaches it either when it comes %i ms behind our 220'],
  184: ['test/tls/listeners.test.ts', 'that never ends is cut and leaks nothing'],
  185: ['test/tls/listeners.test.ts', 'refuses who wants to speak another protocol (ALPN)'],
  186: ['test/tls/listeners.test.ts', 'greets behind the handshake and takes mail'],
  187: ['test/tls/starttls.test.ts', 'answers 530 to all but what leads to it'],
  188: ['test/tls/certificates.test.ts', 'keeps the old ones and says why when the new cannot be used, until they can'],
  189: ['test/tls/starttls.test.ts', 'leaves facts with the message: version, cipher'],
  206: ['test/guard/daemon.test.ts', 'brings only so many messages'],
  210: ['test/wire/connection.test.ts', 'holds a reply back as the session says'],
  211: ['test/wire/connection.test.ts', 'bounds the wait for a whole command, not for the next octet'],
  212: ['test/guard/daemon.test.ts', 'clients get less time'],
  213: ['test/guard/load.test.ts', 'and by memory'],
  216: ['test/guard/load.test.ts', 'has new connections and new transactions refused'],
  217: ['test/guard/ageing-table.test.ts', 'is bounded: a million keys'],
  241: ['test/guard/daemon.test.ts', 'lasts only so long without a message'],
  234: ['test/wire/proxy-header.test.ts', 'is not one with %s, however it is cut'],
  235: ['test/proxy.test.ts', 'may vanish in the middle of its header'],
  236: ['test/proxy.test.ts', 'is the one of whom its header names, to everybody'],
  242: ['test/wire/connection.test.ts', 'cuts a client that never reads'],
  243: ['test/daemon.test.ts', 'stops gracefully: idle clients get 421'],
  257: ['test/contracts/store.ts', 'keeps all that is beside the content'],
  259: ['test/daemon.test.ts', 'refuses a second daemon on one folder'],
  263: ['test/wire/readers.test.ts', 'keeps UTF-8 whole over segments'],
  264: ['test/smtp/parse/params.test.ts', 'are unknown to MAIL: %s'],
  265: ['test/smtp/parse/path.test.ts', 'gives a path or a reason, never an exception'],
  266: ['test/smtp/segmentation.test.ts', 'answers and keeps the same however a session is cut'],
  268: ['test/report/log.test.ts', 'cannot be broken by what a client says'],
  269: ['test/architecture.test.ts', 'keeps the packages that parse mail and serve HTTP in one room each'],
  270: ['test/http/security.test.ts', 'carries the security fields'],
  245: ['test/interop/clients/tls.test.ts', 'is shown new certificates after SIGHUP'],
  271: ['test/config/load.test.ts', 'listen on loopback only'],
  272: ['test/system/identity.test.ts', 'becomes the user, every thread of it, with files that are his'],
};

/** Lines that single tests cannot show: a whole suite does. */
const BY_SUITE: readonly (readonly [folder: string, lines: readonly number[]])[] = [
  ['test/faults', [244, 248, 250, 252]],
  ['test/bench', [262]],
];

/** Lines that later work will show, and why not now. */
const LATER: readonly (readonly [reason: string, lines: readonly number[]])[] = [
  ['the load of thousands of connections belongs to the work on speed', [214, 215]],
  ['bare newlines are refused or kept; a third way that rewrites content is not offered', [161]],
  ['hours of machine time: power loss, soak, comparison with other servers', [249, 261, 267]],
];

const here = new Set<number>();

/** A test that shows lines of the checklist. */
function shows(lines: readonly number[], title: string, test: () => void | Promise<void>): void {
  for (const line of lines) here.add(line);
  it(title, test);
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

function filesUnder(folder: string, suffix: string): string[] {
  const names = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(suffix)).map((name) => `${folder}/${name}`);
}

describe('what no dialogue can say', () => {
  shows([8], 'nothing in the daemon asks the DNS about a client', () => {
    for (const room of ['wire', 'smtp', 'lmtp', 'sinks', 'store']) {
      for (const file of filesUnder(`src/${room}`, '.ts')) {
        if (file === 'src/wire/bind.ts') continue; // looks up where we listen ourselves
        expect(read(file), file).not.toMatch(/from 'node:dns/);
      }
    }
  });

  shows([49], 'every reply has an enhanced code of its own class, but for greeting, 3xx and the profile of old', () => {
    const { NO_SUCH_USER, QUEUED_AND_BYE, SILENCE } = replies;
    const bare: readonly unknown[] = [NO_SUCH_USER, QUEUED_AND_BYE, SILENCE];
    for (const [name, reply] of Object.entries(replies)) {
      if (typeof reply !== 'object' || bare.includes(reply) || reply.outcome === 'more') continue;
      expect(reply.enhanced, name).toMatch(new RegExp(`^${String(reply.code)[0]}\\.\\d\\.\\d+$`));
      for (const line of reply.lines) expect(line, name).toMatch(/^\d{3}[ -]\d\.\d\.\d+ [ -~]+$/);
    }
  });

  shows([146], 'Return-Path and Received are offered apart from the content, and forge nothing (RFC 5321 §4.4)', () => {
    const path = (text: string) => ({ local: text.slice(0, text.lastIndexOf('@')), domain: 'd.test', text });
    const message: Message = {
      id: createId(),
      envelope: {
        from: { path: path('"john doe"@d.test'), params: new Map() },
        to: [{ path: path('bob@d.test'), params: new Map() }],
      },
      content: contentOf([Buffer.from('content')]),
      receivedAt: new Date(0),
      client: { address: '2001:db8::1', port: 1, hello: 'x.test (forged\r\nX-Injected: yes)' },
      protocol: 'ESMTP',
      session: createId(),
      transcript: [],
    };
    const trace = traceHeaders(message, 'mx.test').toString();
    const lines = trace.split('\r\n');
    expect(lines[0]).toBe('Return-Path: <"john doe"@d.test>');
    expect(trace).toMatch(/^Received: from x\.test/m);
    expect(trace).toContain('([IPv6:2001:db8::1])');
    expect(trace).toContain(`by mx.test with ESMTP id ${message.id}`);
    expect(trace).toContain('for <bob@d.test>');
    expect(trace).toMatch(/Thu, 0?1 Jan 1970 00:00:00 \+0000\r\n$/);
    for (const line of lines.slice(2, -1)) expect(line).toMatch(/^\t[ -~]+$/);
    expect(trace).not.toContain('tls');
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
    const encrypted = traceHeaders({ ...message, protocol: 'ESMTPS', client: { ...message.client, tls } }, 'mx.test');
    expect(encrypted.toString()).toContain('with ESMTPS id');
    // RFC 8314 §4.3 has the clause after all others
    expect(encrypted.toString()).toContain('for <bob@d.test>\r\n\ttls TLS_AES_128_GCM_SHA256 (TLSv1.3);\r\n');
  });

  shows([256], 'the sink that discards says yes, and the content is counted, not kept', async () => {
    const writer = countingSpool();
    await writer.write(Buffer.from('12345'));
    const content = await writer.finish(false);
    expect(content).toMatchObject({ bytes: 5, at: { kind: 'counted' } });
    expect(discard({ content } as Message, new AbortController().signal)).toBeUndefined();
  });

  shows([258, 259], 'ids are ours: of time and chance, sorting as time does, fit for a file name', () => {
    const ids = Array.from({ length: 50_000 }, () => createId(1_700_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{26}$/);
    expect(createId(1_700_000_000_001) > ids[0]!).toBe(true);
    expect(idTime(ids[0]!)).toBe(1_700_000_000_000);
  });
});

describe('the checklist', () => {
  const dialogues = new Map<number, string>();
  for (const file of filesUnder('test/dialogues', '.txt')) {
    for (const [, lines] of read(file).matchAll(/^# checklist: (.+)$/gm)) {
      for (const line of lines!.split(',')) dialogues.set(Number(line), file);
    }
  }

  it('is named by its own numbers', () => {
    const named = [...dialogues.keys(), ...here, ...Object.keys(ELSEWHERE).map(Number)];
    for (const line of named) expect(Number.isInteger(line) && line >= 1 && line <= LINES, `${line}`).toBe(true);
  });

  it('is shown line by line, or the line has a reason to wait', () => {
    const suites = BY_SUITE.flatMap(([, lines]) => lines);
    const later = LATER.flatMap(([, lines]) => lines);
    const shown = new Set([...dialogues.keys(), ...here, ...Object.keys(ELSEWHERE).map(Number), ...suites, ...later]);
    expect(Array.from({ length: LINES }, (_, index) => index + 1).filter((line) => !shown.has(line))).toEqual([]);
    expect(later.filter((line) => dialogues.has(line) || here.has(line) || line in ELSEWHERE)).toEqual([]);
  });

  it.each(Object.entries(ELSEWHERE).map(([line, [file, title]]) => [line, file, title]))(
    'line %s is shown in %s: %s',
    (_line, file, title) => {
      expect(read(file)).toContain(title);
    },
  );

  it.each(BY_SUITE.map(([folder]) => folder))('has its suite %s', (folder) => {
    expect(existsSync(new URL(folder, ROOT))).toBe(true);
  });
});
