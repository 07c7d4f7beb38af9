import { describe, expect, it } from 'vitest';
import { NO_PARAMS } from '../../src/mail/envelope.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import { createLogReporter } from '../../src/report/log.ts';

const HOSTILE = 'a\r\n{"level":"fatal"}\u001b[2J\u202e\u0000';
const SECRET = 'sesame';

function recipients(texts: readonly string[]): Message['envelope']['to'] {
  return texts.map((text) => ({ path: { local: text, domain: '', text }, params: NO_PARAMS }));
}

function message(from: string | null, to: readonly string[], hello = 'client.example'): Message {
  return {
    id: '01m7y8t3hn3bqpgc7ckfzm7e1m',
    envelope: {
      from: { path: from === null ? null : { local: '', domain: '', text: from }, params: NO_PARAMS },
      to: recipients(to),
    },
    content: {
      bytes: 4096,
      bareNewlines: false,
      at: { kind: 'counted' },
      stream: async function* () {},
      release: () => {},
    },
    receivedAt: new Date(),
    client: { address: '127.0.0.1', port: 4242, hello },
    protocol: 'ESMTP',
    session: 's1',
    transcript: [`C: AUTH PLAIN ${SECRET}`],
  };
}

const disposed = (about: Message, code = 250, text = 'OK queued'): Report => ({
  type: 'message',
  protocol: 'smtp',
  session: 's1',
  message: about,
  code,
  text,
  milliseconds: 1.2345,
});

const SESSION_END: Report = {
  type: 'session-end',
  protocol: 'smtp',
  session: 's1',
  address: '127.0.0.1',
  hello: HOSTILE,
  messages: 1,
  commands: 5,
  failures: 0,
  bytesIn: 5000,
  bytesOut: 400,
  milliseconds: 12.34,
  reason: 'quit',
};

function log(reports: readonly Report[], level = 'info', format: 'json' | 'pretty' = 'json'): string {
  let written = '';
  const reporter = createLogReporter({ level, format, destination: { write: (text) => (written += text) } });
  for (const report of reports) reporter(report);
  return written;
}

function lines(reports: readonly Report[], level?: string): Record<string, unknown>[] {
  const text = log(reports, level);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('log', () => {
  it('has one line per message: id, sender, recipients, size, verdict and time taken', () => {
    const [line, ...rest] = lines([disposed(message('me@here.example', ['you@there.example']))]);
    expect(rest).toEqual([]);
    expect(line).toMatchObject({
      level: 'info',
      msg: 'message',
      id: '01m7y8t3hn3bqpgc7ckfzm7e1m',
      session: 's1',
      from: 'me@here.example',
      to: ['you@there.example'],
      recipients: 1,
      bytes: 4096,
      code: 250,
      verdict: 'OK queued',
      ms: 1.2,
    });
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('tells what was agreed on about encryption, names that the client chose made safe', () => {
    const plain = message('a@b', ['c@d']);
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: HOSTILE, subject: HOSTILE };
    const encrypted = { ...plain, client: { ...plain.client, tls } };
    for (const line of lines([disposed(encrypted), { ...(SESSION_END as object), tls } as Report])) {
      expect(line).toMatchObject({ tls: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' });
      expect(`${line.serverName}${line.certificate}`).not.toMatch(/[\p{Cc}\u202e]/u);
    }
    for (const line of lines([disposed(plain), SESSION_END])) expect(line).not.toHaveProperty('tls');
  });

  it('tells that filters changed a message, and why it is in quarantine, made safe', () => {
    const plain = message('a@b', ['c@d']);
    const [changed, other] = lines([disposed({ ...plain, original: plain, quarantine: HOSTILE }), disposed(plain)]);
    expect(changed).toMatchObject({ changed: true, quarantine: expect.any(String) });
    expect(changed?.quarantine).not.toBe(HOSTILE);
    expect(other).not.toHaveProperty('changed');
    expect(other).not.toHaveProperty('quarantine');
  });

  it('names a bounded number of recipients, then counts', () => {
    const [line] = lines([
      disposed(
        message(
          null,
          Array.from({ length: 1000 }, (_, count) => `r${count}@x`),
        ),
      ),
    ]);
    expect(line).toMatchObject({ from: '<>', to: ['r0@x', 'r1@x', 'r2@x', 'r3@x', 'r4@x'], recipients: 1000 });
  });

  it('has one line per session end, and the start only at debug', () => {
    const start: Report = { type: 'session-start', protocol: 'smtp', session: 's1', address: '127.0.0.1' };
    expect(lines([start, SESSION_END])).toMatchObject([
      { msg: 'session end', client: '127.0.0.1', messages: 1, reason: 'quit', ms: 12.3 },
    ]);
    expect(lines([start, SESSION_END], 'debug').map(({ msg }) => msg)).toEqual(['session start', 'session end']);
  });

  it('warns of a message refused for the time being', () => {
    expect(lines([disposed(message('a@b', ['c@d']), 452, 'Disk full')], 'warn')).toMatchObject([
      { level: 'warn', code: 452 },
    ]);
    expect(lines([disposed(message('a@b', ['c@d']), 550, 'No')], 'warn')).toEqual([]);
  });

  it('cannot be broken by what a client says, in JSON or pretty', () => {
    const hostile = [disposed(message(HOSTILE, [HOSTILE], HOSTILE), 550, HOSTILE), SESSION_END];
    for (const format of ['json', 'pretty'] as const) {
      const text = log(hostile, 'info', format);
      expect(text.trimEnd().split('\n')).toHaveLength(2);
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
    expect(lines(hostile)[0]?.from).toBe('a\\x0d\\x0a{"level":"fatal"}\\x1b[2J\\u202e\\x00');
  });

  it('bounds what a client says', () => {
    const long = 'x'.repeat(1_000_000);
    expect(log([disposed(message(long, [long, long, long, long, long, long], long), 550, long)]).length).toBeLessThan(
      2500,
    );
  });

  it('holds neither transcript nor content', () => {
    expect(log([disposed(message('a@b', ['c@d'])), SESSION_END], 'trace')).not.toContain(SECRET);
  });

  it('tells of a crash with its causes, made safe', () => {
    const error = new Error(HOSTILE, { cause: Object.assign(new TypeError('inner'), { code: 'ENOSPC' }) });
    const [line] = lines([{ type: 'crash', where: 'rcpt', session: 's1', state: 'mail', error }]);
    expect(line).toMatchObject({
      level: 'error',
      where: 'rcpt',
      state: 'mail',
      err: { type: 'Error', cause: { type: 'TypeError', message: 'inner', code: 'ENOSPC' } },
    });
    expect(JSON.stringify(line)).toContain('log.test.ts');
    expect(log([{ type: 'crash', where: 'rcpt', error }], 'info', 'pretty').trimEnd()).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(lines([{ type: 'crash', where: 'sink', error: 'just text\n' }])[0]).toMatchObject({
      err: { message: 'just text\\x0a' },
    });
  });

  it('has a line for each attempt of a webhook that failed, and names no more of it than name and host', () => {
    const hook = { target: 'ci', host: HOSTILE, delivery: 'm.ci', milliseconds: 3.21 };
    const reports: Report[] = [
      { type: 'webhook', ...hook, outcome: 'delivered', attempt: 1, status: 200, why: '' },
      { type: 'webhook', ...hook, outcome: 'later', attempt: 1, status: 503, why: 'answered 503' },
      { type: 'webhook', ...hook, outcome: 'dead', attempt: 20, status: 0, why: HOSTILE },
      { type: 'webhook-state', target: 'ci', host: 'ci.example', state: 'stopped', why: 'answered 410' },
      { type: 'webhook-state', target: 'ci', host: 'ci.example', state: 'works', why: '' },
      { type: 'webhook-overflow', target: 'ci', buried: 3, forgotten: 1 },
      { type: 'webhook-secrets', error: new Error('cannot read it') },
    ];
    expect(lines(reports)).toMatchObject([
      { level: 'warn', webhook: 'ci', attempt: 1, status: 503, ms: 3.2, why: 'answered 503' },
      { level: 'error', webhook: 'ci', attempt: 20 },
      { level: 'error', why: 'answered 410' },
      { level: 'info', webhook: 'ci', host: 'ci.example' },
      { level: 'warn', buried: 3, forgotten: 1 },
      { level: 'error', reason: 'cannot read it' },
    ]);
    expect(lines(reports, 'debug')).toHaveLength(reports.length);
    expect(log(reports).trimEnd().split('\n')).toHaveLength(reports.length - 1);
  });

  it('logs deletions that somebody asked for, and what retention does only at debug', () => {
    const ids = Array.from({ length: 9 }, (_, count) => `id${count}`);
    expect(
      lines([
        { type: 'deleted', ids, why: 'asked' },
        { type: 'deleted', ids, why: 'retention' },
        { type: 'stored', ids, commitMs: 1 },
      ]),
    ).toMatchObject([{ msg: 'deleted', messages: 9, ids: ids.slice(0, 5), why: 'asked' }]);
    expect(
      lines(
        [
          { type: 'deleted', ids, why: 'retention' },
          { type: 'stored', ids, commitMs: 1 },
        ],
        'debug',
      ),
    ).toHaveLength(2);
  });

  it('tells who is bound to be told of mail, and of each notice only at debug', () => {
    const place = { address: '192.0.2.7', port: 5555 };
    const binding: Report = {
      type: 'binding',
      event: 'bound',
      user: HOSTILE,
      ...place,
      session: 's1',
      why: '',
      bound: 1,
    };
    const dropped: Report = { ...binding, event: 'dropped', session: '', why: 'no PONG', bound: 0 };
    const notice: Report = { type: 'notice', result: 'failed', message: 'id1', ...place, why: 'ECONNREFUSED' };
    expect(lines([binding, dropped, notice])).toMatchObject([
      { level: 'info', msg: 'endpoint bound', session: 's1', client: '192.0.2.7', port: 5555, bound: 1 },
      { level: 'info', msg: 'endpoint dropped', why: 'no PONG', bound: 0 },
    ]);
    expect(lines([notice], 'debug')).toMatchObject([{ msg: 'notice failed', id: 'id1', why: 'ECONNREFUSED' }]);
  });

  it('is silent when told so', () => {
    expect(log([disposed(message('a@b', ['c@d'])), SESSION_END], 'silent')).toBe('');
  });

  it('tells what milters say that matters, what they change, and when they fail', () => {
    const facts = { type: 'milter', milter: 'dkim', session: 's1', milliseconds: 1.26 } as const;
    const edits = [{ edit: 'add-header', what: `X: ${HOSTILE}` }] as const;
    const written = lines([
      { ...facts, phase: 'mail', verdict: 'continue' },
      { ...facts, phase: 'rcpt', verdict: 'tempfail', code: 451 },
      { ...facts, phase: 'message', verdict: 'accept', edits },
      { ...facts, type: 'milter-failure', phase: 'data', why: 'timeout', text: HOSTILE, action: 'accept' },
      { ...facts, type: 'milter-oddity', text: 'not done: x' },
    ]);
    expect(written).toMatchObject([
      { level: 'info', msg: 'milter', milter: 'dkim', phase: 'rcpt', verdict: 'tempfail', code: 451, ms: 1.3 },
      { level: 'info', msg: 'milter', phase: 'message', edits: 1, what: [expect.stringMatching(/^add-header X: /)] },
      { level: 'warn', msg: 'milter failed', phase: 'data', why: 'timeout', action: 'accept' },
      { level: 'warn', msg: 'milter is odd', text: 'not done: x' },
    ]);
    for (const line of written) expect(JSON.stringify(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});
