import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TargetCounts } from '../../src/mail/deliveries.ts';
import type { Report } from '../../src/mail/report.ts';
import type { StoreStats } from '../../src/mail/store.ts';
import { createMetrics } from '../../src/report/metrics.ts';

const STATS: StoreStats = {
  messages: 3,
  unread: 1,
  inboxes: 2,
  contentBytes: 300,
  diskBytes: 4096,
  reusableBytes: 0,
  unindexed: 1,
  deleted: 0,
  location: ':memory:',
};
const WAITING: TargetCounts = {
  name: 'ci',
  isConfigured: true,
  waiting: 4,
  dead: 2,
  oldest: new Date(Date.now() - 60_000),
  last: null,
};
const create = () => createMetrics({ version: '1.2.3', stats: async () => STATS, webhooks: async () => [WAITING] });

const SESSION = { protocol: 'SMTP', session: 'S1', address: '203.0.113.5' };
const END = { hello: 'x', messages: 1, commands: 4, failures: 0, bytesIn: 70, bytesOut: 90, milliseconds: 5 };
const MESSAGE = { content: { bytes: 120 } } as Extract<Report, { type: 'message' }>['message'];
const FILTERED = { ...MESSAGE, original: MESSAGE, quarantine: 'looks odd' };

const HOOK = { target: 'ci', host: 'ci.example', delivery: 'm.ci', milliseconds: 30 };

/** One of each report, as a daemon makes them. */
const LIFE: readonly Report[] = [
  { type: 'session-start', ...SESSION },
  { type: 'session-start', ...SESSION },
  { type: 'login', ...SESSION, mechanism: 'PLAIN', user: 'ann' },
  { type: 'login-refused', ...SESSION, mechanism: 'LOGIN', why: 'wrong', user: '' },
  { type: 'refusal', ...SESSION, phase: 'rcpt', reason: 'syntax', code: 501, text: '501 5.1.3 no' },
  { type: 'refusal', ...SESSION, phase: 'connect', reason: 'policy', filter: 'rates', code: 421, text: '421 no' },
  { type: 'tarpit', ...SESSION, reason: 'messages', milliseconds: 2500 },
  { type: 'ban', kind: 'subject', what: 'Buy now', milliseconds: 3_600_000 },
  { type: 'load', level: 'strained', cause: 'lag', percent: 130 },
  { type: 'block-list', zone: 'bl.example.test', works: false, why: 'time-out' },
  { type: 'command', program: 'sh', session: 'S1', exitCode: 0, milliseconds: 20, errors: '' },
  { type: 'command', program: 'sh', session: 'S1', exitCode: 75, milliseconds: 20, errors: '' },
  { type: 'command', program: 'sh', session: 'S1', exitCode: 67, milliseconds: 20, errors: '' },
  { type: 'command', program: 'sh', session: 'S1', exitCode: null, milliseconds: 20, errors: '' },
  { type: 'milter', milter: 'dkim', session: 'S1', phase: 'rcpt', verdict: 'reject', code: 550, milliseconds: 500 },
  {
    type: 'milter',
    milter: 'dkim',
    session: 'S1',
    phase: 'message',
    verdict: 'continue',
    milliseconds: 1500,
    edits: [
      { edit: 'add-header', what: 'A: 1' },
      { edit: 'add-header', what: 'B: 2' },
    ],
  },
  { type: 'milter-oddity', milter: 'dkim', session: 'S1', text: 'not done' },
  {
    type: 'milter-failure',
    milter: 'av',
    session: 'S1',
    phase: 'mail',
    why: 'timeout',
    text: 'late',
    action: 'tempfail',
  },
  { type: 'logged', messages: 3, milliseconds: 1 },
  { type: 'stored', ids: ['a', 'b', 'c'], commitMs: 4 },
  { type: 'message', ...SESSION, message: FILTERED, code: 250, text: '250 OK', milliseconds: 12 },
  { type: 'message', ...SESSION, message: MESSAGE, code: 250, text: '250 OK', milliseconds: 1, discardedBy: 'rules' },
  { type: 'message', ...SESSION, message: FILTERED, code: 452, text: '452 no', milliseconds: 1 },
  { type: 'message', ...SESSION, message: MESSAGE, code: 550, text: '550 no', milliseconds: 1 },
  { type: 'deleted', ids: ['a', 'b'], why: 'retention' },
  {
    type: 'binding',
    event: 'bound',
    user: 'ann',
    address: '203.0.113.5',
    port: 5555,
    session: 'S1',
    why: '',
    bound: 2,
  },
  { type: 'notice', result: 'sent', message: 'a', address: '203.0.113.5', port: 5555, why: '' },
  { type: 'webhook', ...HOOK, outcome: 'later', attempt: 1, status: 503, why: 'answered 503' },
  { type: 'webhook', ...HOOK, outcome: 'delivered', attempt: 2, status: 200, why: '' },
  { type: 'webhook-overflow', target: 'ci', buried: 3, forgotten: 1 },
  { type: 'crash', where: 'sink', error: new Error('x') },
  { type: 'request', method: 'GET', route: '/api/messages/:id', code: 200, milliseconds: 3 },
  { type: 'request', method: 'GET', route: '', code: 404, milliseconds: 3 },
  {
    type: 'session-end',
    ...SESSION,
    ...END,
    protocol: 'POP3',
    commands: 7,
    failures: 2,
    messages: 3,
    reason: 'closed',
  },
  { type: 'session-end', ...SESSION, ...END, tls: { version: 'TLSv1.3', cipher: 'x' }, reason: 'quit' },
  {
    type: 'responder',
    kind: 'answer',
    message: '1',
    inbox: 'a@b',
    agent: 'x.ts',
    outcome: 'queued',
    why: '',
    milliseconds: 20,
  },
  {
    type: 'outgoing',
    kind: 'answer',
    message: '1',
    inbox: 'a@b',
    recipient: 'c@d',
    attempts: 1,
    result: 'sent',
    detail: '',
  },
];

describe('metrics', () => {
  it('count what is reported, and ask the store when they are read', async () => {
    const metrics = create();
    for (const report of LIFE) metrics.report(report);
    const lines = (await metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'inboxd_info{version="1.2.3"} 1',
        'inboxd_connections_open{protocol="SMTP"} 1',
        'inboxd_connections_total{protocol="SMTP"} 2',
        'inboxd_sessions_ended_total{protocol="SMTP",reason="quit"} 1',
        'inboxd_session_commands_total{protocol="SMTP",result="done"} 4',
        'inboxd_session_commands_total{protocol="POP3",result="done"} 5',
        'inboxd_session_commands_total{protocol="POP3",result="failed"} 2',
        'inboxd_fetched_messages_total{protocol="POP3"} 3',
        'inboxd_delivery_commands_total{result="taken"} 1',
        'inboxd_delivery_commands_total{result="deferred"} 1',
        'inboxd_delivery_commands_total{result="refused"} 1',
        'inboxd_delivery_commands_total{result="killed"} 1',
        'inboxd_delivery_command_seconds_count 4',
        'inboxd_network_bytes_total{protocol="SMTP",direction="in"} 70',
        'inboxd_network_bytes_total{protocol="SMTP",direction="out"} 90',
        'inboxd_tls_sessions_total{protocol="SMTP",version="TLSv1.3"} 1',
        'inboxd_tarpits_total{reason="messages"} 1',
        'inboxd_tarpit_seconds_total{reason="messages"} 2.5',
        'inboxd_bans_total{kind="subject"} 1',
        'inboxd_load_percent{cause="lag"} 130',
        'inboxd_load_level 1',
        'inboxd_responder_mails_total{kind="answer",outcome="queued"} 1',
        'inboxd_responder_seconds_count 1',
        'inboxd_outgoing_mails_total{kind="answer",result="sent"} 1',
        'inboxd_block_list_answers{zone="bl.example.test"} 0',
        'inboxd_store_intake_messages_sum 3',
        'inboxd_messages_total{protocol="SMTP",result="accepted"} 1',
        'inboxd_messages_total{protocol="SMTP",result="discarded"} 1',
        'inboxd_filtered_messages_total{protocol="SMTP",what="changed"} 1',
        'inboxd_filtered_messages_total{protocol="SMTP",what="quarantined"} 1',
        'inboxd_messages_total{protocol="SMTP",result="deferred"} 1',
        'inboxd_messages_total{protocol="SMTP",result="rejected"} 1',
        'inboxd_message_bytes_total{protocol="SMTP",result="accepted"} 120',
        'inboxd_message_bytes_total{protocol="SMTP",result="discarded"} 120',
        'inboxd_refusals_total{protocol="SMTP",phase="rcpt",reason="syntax"} 1',
        'inboxd_filter_refusals_total{filter="rates"} 1',
        'inboxd_milter_verdicts_total{milter="dkim",phase="rcpt",verdict="reject"} 1',
        'inboxd_milter_verdicts_total{milter="dkim",phase="message",verdict="continue"} 1',
        'inboxd_milter_seconds_total{milter="dkim",phase="message"} 1.5',
        'inboxd_milter_edits_total{milter="dkim",edit="add-header"} 2',
        'inboxd_milter_failures_total{milter="av",why="timeout"} 1',
        'inboxd_logins_total{mechanism="PLAIN",result="accepted"} 1',
        'inboxd_logins_total{mechanism="LOGIN",result="wrong"} 1',
        'inboxd_notice_endpoints_bound 2',
        'inboxd_notice_bindings_total{event="bound"} 1',
        'inboxd_notices_total{result="sent"} 1',
        'inboxd_webhook_deliveries_total{webhook="ci",outcome="later"} 1',
        'inboxd_webhook_deliveries_total{webhook="ci",outcome="delivered"} 1',
        'inboxd_webhook_overflows_total{webhook="ci",fate="dead"} 3',
        'inboxd_webhook_overflows_total{webhook="ci",fate="forgotten"} 1',
        'inboxd_webhook_seconds_count 2',
        'inboxd_webhook_waiting{webhook="ci"} 4',
        'inboxd_webhook_dead_letters{webhook="ci"} 2',
        'inboxd_crashes_total{where="sink"} 1',
        'inboxd_accept_seconds_count 4',
        'inboxd_accept_seconds_bucket{le="0.025"} 4',
        'inboxd_store_commit_seconds_sum 0.004',
        'inboxd_store_commit_messages_sum 3',
        'inboxd_store_deleted_messages_total{why="retention"} 2',
        'inboxd_http_requests_total{method="GET",route="/api/messages/:id",code="200"} 1',
        'inboxd_http_requests_total{method="GET",route="none",code="404"} 1',
        'inboxd_store_messages 3',
        'inboxd_store_inboxes 2',
        'inboxd_store_content_bytes 300',
        'inboxd_store_disk_bytes 4096',
        'inboxd_store_unindexed_messages 1',
      ]),
    );
    expect(lines.join('\n')).toMatch(/^inboxd_webhook_oldest_seconds\{webhook="ci"\} 6\d/m);
    expect(lines.join('\n')).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
    expect(lines.join('\n')).toMatch(/^process_open_fds [1-9]/m);
  });

  it('keep the values of a label few, and name no client', async () => {
    const metrics = create();
    for (let number = 0; number < 500; number++) {
      metrics.report({ type: 'crash', where: `thing ${number}`, error: new Error('x') });
      metrics.report({ type: 'crash', where: `évil\n"${number}`, error: new Error('x') });
      metrics.report({ type: 'login', ...SESSION, mechanism: `X-${number}`, user: 'ann' });
    }
    for (const report of LIFE) metrics.report(report);
    const text = await metrics.text();
    expect(text.match(/^inboxd_crashes_total\{/gm)?.length).toBe(101);
    expect(text).toContain('inboxd_crashes_total{where="other"} 901');
    expect(text.match(/^inboxd_logins_total\{/gm)!.length).toBeLessThanOrEqual(103);
    expect(text).not.toMatch(/203\.0\.113\.5|ann|S1"/);
  });

  it('of two daemons in one process are apart', async () => {
    const [one, two] = [create(), create()];
    one.report(LIFE[0]!);
    expect(await two.text()).not.toContain('inboxd_connections_total{');
    expect(await one.text()).toContain('inboxd_connections_total{protocol="SMTP"} 1');
  });
});

describe('the Grafana dashboard', () => {
  it('asks for metrics that exist, and for every one of them', async () => {
    const metrics = create();
    for (const report of LIFE) metrics.report(report);
    const text = await metrics.text();
    const exposed = new Set([...text.matchAll(/^([a-z_0-9]+)(?:\{| )/gm)].map(([, name]) => name!));
    const file = new URL('../../src/packaging/grafana.json', import.meta.url);
    const { panels, templating } = JSON.parse(readFileSync(file, 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[];
      templating: { list: { query: string }[] };
    };
    const texts = [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), templating.list[1]!.query];
    const asked = new Set(
      texts.flatMap((expr) => [...expr.matchAll(/\b(?:inboxd|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name)),
    );
    expect(asked.size).toBeGreaterThan(25);
    expect([...asked].filter((name) => !exposed.has(name))).toEqual([]);
    const families = [...text.matchAll(/^# TYPE (inboxd_\S+)/gm)].map(([, name]) => name!);
    const unshown = families.filter((family) => ![...asked].some((name) => name.startsWith(family)));
    expect(unshown).toEqual(['inboxd_network_bytes_total']);
  });
});
