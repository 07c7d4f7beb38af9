import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TargetCounts } from '../mail/deliveries.ts';
import type { Report, Reporter } from '../mail/report.ts';
import type { StoreStats } from '../mail/store.ts';
import { Distribution } from './distribution.ts';
import { Tally } from './tally.ts';

/** The counters of one daemon, as a listener of its reports and as text for Prometheus. */
export interface Metrics {
  readonly report: Reporter;
  readonly contentType: string;
  /** Everything as of now, in the text format of Prometheus. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly version: string;
  /** Asked when somebody reads the metrics. */
  readonly stats: () => Promise<StoreStats>;
  /** What waits for webhooks, asked likewise; there are none when absent. */
  readonly webhooks?: () => Promise<readonly TargetCounts[]>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const GROUP = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/** Labels have few values each: what is not of these is `other`. Session ids, addresses and texts are never labels. */
const LABEL = /^[a-z][\w .:/-]{0,40}$/i;
const DISTINCT = 100;

/** Of the process, not of a daemon: several in one share them. */
let processMetrics: Registry | undefined;

function metricsOfProcess(): Registry {
  if (!processMetrics) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
  }
  return processMetrics;
}

/** Makes the counters of a daemon. Counting costs an addition for each report; everything else is done when asked. */
export function createMetrics({ version, stats, webhooks = async () => [] }: MetricsOptions): Metrics {
  const register = new Registry();
  const ofProcess = metricsOfProcess();
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `inboxd_${name}`, help, labelNames: [...labelNames], registers: [register] });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `inboxd_${name}`, help, labelNames: [...labelNames], registers: [register] });
  const tallies: Tally<string, string>[] = [];
  const tally = (name: string, help: string, labels: readonly [string, string]): Tally<string, string> => {
    const made = new Tally(counter(name, help, labels), labels);
    tallies.push(made);
    return made;
  };
  const histogram = (name: string, help: string, bounds: readonly number[]): Distribution => {
    const made = new Distribution(`inboxd_${name}`, help, bounds);
    made.registerAt(register);
    return made;
  };

  gauge('info', 'What runs here; always 1', ['version']).set({ version }, 1);
  const open = gauge('connections_open', 'Mail connections open now', ['protocol']);
  const connections = counter('connections_total', 'Mail connections accepted', ['protocol']);
  const ended = tally('sessions_ended_total', 'Mail sessions by how they ended', ['protocol', 'reason']);
  const commands = tally('session_commands_total', 'Commands in mail sessions that have ended', ['protocol', 'result']);
  const fetched = counter('fetched_messages_total', 'Messages that sessions which have ended took with them', [
    'protocol',
  ]);
  const octets = tally('network_bytes_total', 'Octets of mail sessions that have ended', ['protocol', 'direction']);
  const tls = tally('tls_sessions_total', 'Sessions that ended encrypted', ['protocol', 'version']);
  const messages = tally('messages_total', 'Messages by what became of them once their content had come', ['protocol', 'result']); // biome-ignore format: a row
  const messageBytes = tally('message_bytes_total', 'Octets of messages taken', ['protocol', 'result']);
  const changed = counter('filtered_messages_total', 'Messages taken that filters changed, or put into quarantine', ['protocol', 'what']); // biome-ignore format: a row
  const refusals = counter('refusals_total', 'Replies that said no', ['protocol', 'phase', 'reason']);
  const filtered = counter('filter_refusals_total', 'Replies that said no on the word of a filter', ['filter']);
  const held = counter('tarpits_total', 'Replies that were held back', ['reason']);
  const heldSeconds = counter('tarpit_seconds_total', 'Time that replies were held back for', ['reason']);
  const bans = counter('bans_total', 'What was refused for a while, whoever came with it', ['kind']);
  const load = gauge('load_percent', 'Share of the limit met when the level of load last changed', ['cause']);
  const level = gauge('load_level', '0 calm, 1 strained: work waits, 2 overloaded: new work is refused');
  const lists = gauge('block_list_answers', 'Whether a DNS block list answers', ['zone']);
  const logins = counter('logins_total', 'Attempts to log in', ['mechanism', 'result']);
  const milters = counter('milter_verdicts_total', 'Answers of milters', ['milter', 'phase', 'verdict']);
  const milterSeconds = counter('milter_seconds_total', 'Time that milters were waited for', ['milter', 'phase']);
  const milterFailures = counter('milter_failures_total', 'Sessions in which a milter could not be asked', ['milter', 'why']); // biome-ignore format: a row
  const milterEdits = counter('milter_edits_total', 'Changes that milters made to messages', ['milter', 'edit']);
  const bound = gauge(
    'notice_endpoints_bound',
    'Endpoints bound now to be told of mail, one for each user bound there',
  );
  const bindings = counter('notice_bindings_total', 'Endpoints bound, refused, left and dropped', ['event']);
  const notices = counter('notices_total', 'Notices of new mail by what became of them', ['result']);
  const crashes = counter('crashes_total', 'Errors of our own', ['where']);
  const answers = counter('responder_mails_total', 'Mails that were to be answered or forwarded, by what came of it', ['kind', 'outcome']); // biome-ignore format: a row
  const outgoing = counter('outgoing_mails_total', 'Tries to send answers and forwarded mail', ['kind', 'result']);
  const answerSeconds = histogram('responder_seconds', 'Work on a mail that was to be answered or forwarded', SECONDS);
  const accept = histogram('accept_seconds', 'From the final dot to the reply', SECONDS);
  const commit = histogram('store_commit_seconds', 'Commit of a group of messages, fsync included', COMMIT_SECONDS);
  const intake = histogram(
    'store_intake_seconds',
    'Write of a group of messages to the intake log, to the disk',
    COMMIT_SECONDS,
  );
  const intakeGroup = histogram('store_intake_messages', 'Messages that shared a write to the intake log', GROUP);
  const group = histogram('store_commit_messages', 'Messages that shared a commit', GROUP);
  const runs = counter('delivery_commands_total', 'Runs of the command that messages are handed to', ['result']);
  const runSeconds = histogram('delivery_command_seconds', 'From the start of that command to its end', SECONDS);
  const deleted = counter('store_deleted_messages_total', 'Messages deleted', ['why']);
  const requests = counter('http_requests_total', 'HTTP requests answered', ['method', 'route', 'code']);
  const requestSeconds = histogram('http_request_seconds', 'From a request to the end of its answer', SECONDS);
  const hooked = counter('webhook_deliveries_total', 'Attempts to tell webhooks of mail, by how they ended', ['webhook', 'outcome']); // biome-ignore format: a row
  const hookSeconds = histogram('webhook_seconds', 'From an attempt to the end of its answer', SECONDS);
  const buried = counter('webhook_overflows_total', 'Deliveries that there was no room for', ['webhook', 'fate']);
  const hookWaiting = gauge('webhook_waiting', 'Deliveries that wait', ['webhook']);
  const hookDead = gauge('webhook_dead_letters', 'Deliveries given up that are kept', ['webhook']);
  const hookAge = gauge('webhook_oldest_seconds', 'Age of the oldest delivery that waits', ['webhook']);
  const stored = gauge('store_messages', 'Messages stored');
  const inboxes = gauge('store_inboxes', 'Inboxes that hold messages');
  const contentBytes = gauge('store_content_bytes', 'Octets of the messages stored');
  const diskBytes = gauge('store_disk_bytes', 'Octets of the files of the store');
  const unindexed = gauge('store_unindexed_messages', 'Messages that search does not find yet');

  const wheres = new Bounded();
  const filters = new Bounded();
  const reasons = new Bounded();
  const mechanisms = new Bounded();
  const zones = new Bounded();
  const hooks = new Bounded();
  const outcomes = new Bounded();

  function count(report: Report): void {
    switch (report.type) {
      case 'session-start':
        open.inc({ protocol: report.protocol });
        connections.inc({ protocol: report.protocol });
        return;
      case 'session-end': {
        const { protocol } = report;
        open.dec({ protocol });
        ended.add(protocol, report.reason);
        commands.add(protocol, 'failed', report.failures);
        commands.add(protocol, 'done', Math.max(0, report.commands - report.failures));
        if (protocol === 'POP3') fetched.inc({ protocol }, report.messages);
        octets.add(protocol, 'in', report.bytesIn);
        octets.add(protocol, 'out', report.bytesOut);
        if (report.tls) tls.add(protocol, report.tls.version);
        return;
      }
      case 'message': {
        const { protocol, code, message } = report;
        const result = code < 400 ? (report.discardedBy === undefined ? 'accepted' : 'discarded') : code < 500 ? 'deferred' : 'rejected'; // biome-ignore format: a row
        messages.add(protocol, result);
        if (code < 400) messageBytes.add(protocol, result, message.content.bytes);
        if (result === 'accepted' && message.original) changed.inc({ protocol, what: 'changed' });
        if (result === 'accepted' && message.quarantine !== undefined) changed.inc({ protocol, what: 'quarantined' });
        accept.observe(report.milliseconds / 1000);
        return;
      }
      case 'refusal':
        refusals.inc({ protocol: report.protocol, phase: report.phase, reason: reasons.label(report.reason) });
        if (report.filter !== undefined) filtered.inc({ filter: filters.label(report.filter) });
        return;
      case 'tarpit':
        held.inc({ reason: reasons.label(report.reason) });
        heldSeconds.inc({ reason: reasons.label(report.reason) }, report.milliseconds / 1000);
        return;
      case 'ban':
        bans.inc({ kind: report.kind });
        return;
      case 'load':
        load.set({ cause: report.cause }, report.percent);
        level.set(LOAD_LEVELS.indexOf(report.level));
        return;
      case 'block-list':
        lists.set({ zone: zones.label(report.zone) }, report.works ? 1 : 0);
        return;
      case 'login':
        logins.inc({ mechanism: mechanisms.label(report.mechanism), result: 'accepted' });
        return;
      case 'login-refused':
        logins.inc({ mechanism: mechanisms.label(report.mechanism), result: report.why });
        return;
      case 'milter': {
        const milter = filters.label(report.milter);
        const { phase, verdict } = report;
        milters.inc({ milter, phase, verdict });
        milterSeconds.inc({ milter, phase }, report.milliseconds / 1000);
        for (const { edit } of report.edits ?? []) milterEdits.inc({ milter, edit });
        return;
      }
      case 'milter-failure':
        milterFailures.inc({ milter: filters.label(report.milter), why: reasons.label(report.why) });
        return;
      case 'binding':
        bound.set(report.bound);
        bindings.inc({ event: report.event });
        return;
      case 'notice':
        notices.inc({ result: report.result });
        return;
      case 'responder':
        answers.inc({ kind: report.kind, outcome: outcomes.label(report.outcome) });
        answerSeconds.observe(report.milliseconds / 1000);
        return;
      case 'outgoing':
        outgoing.inc({ kind: report.kind, result: report.result });
        return;
      case 'crash':
        crashes.inc({ where: wheres.label(report.where) });
        return;
      case 'command':
        runs.inc({ result: resultOf(report.exitCode) });
        runSeconds.observe(report.milliseconds / 1000);
        return;
      case 'logged':
        intake.observe(report.milliseconds / 1000);
        intakeGroup.observe(report.messages);
        return;
      case 'stored':
        commit.observe(report.commitMs / 1000);
        group.observe(report.ids.length);
        return;
      case 'deleted':
        deleted.inc({ why: report.why }, report.ids.length);
        return;
      case 'request':
        requests.inc({ method: report.method, route: report.route || 'none', code: report.code });
        requestSeconds.observe(report.milliseconds / 1000);
        return;
      case 'webhook':
        hooked.inc({ webhook: hooks.label(report.target), outcome: report.outcome });
        if (report.attempt > 0) hookSeconds.observe(report.milliseconds / 1000);
        return;
      case 'webhook-overflow': {
        const webhook = hooks.label(report.target);
        buried.inc({ webhook, fate: 'dead' }, report.buried);
        buried.inc({ webhook, fate: 'forgotten' }, report.forgotten);
        return;
      }
      default: // told to the log alone
    }
  }

  return {
    report: count,
    contentType: register.contentType,
    async text() {
      const now = await stats();
      for (const one of tallies) one.handOn();
      stored.set(now.messages);
      inboxes.set(now.inboxes);
      contentBytes.set(now.contentBytes);
      diskBytes.set(now.diskBytes);
      unindexed.set(now.unindexed);
      for (const one of [hookWaiting, hookDead, hookAge]) one.reset();
      for (const { name, waiting, dead, oldest } of await webhooks()) {
        const webhook = hooks.label(name);
        hookWaiting.set({ webhook }, waiting);
        hookDead.set({ webhook }, dead);
        hookAge.set({ webhook }, oldest === null ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1000));
      }
      return `${await ofProcess.metrics()}\n${await register.metrics()}`;
    },
  };
}

/** What the exit code of a delivery command comes to, as the sink reads it. */
function resultOf(exitCode: number | null): string {
  if (exitCode === null) return 'killed';
  if (exitCode === 0) return 'taken';
  return exitCode === 75 ? 'deferred' : 'refused'; // EX_TEMPFAIL
}

const LOAD_LEVELS = ['calm', 'strained', 'overloaded'] as const;

/** Values of a label that programs name, kept few whatever they do. */
class Bounded {
  readonly #known = new Set<string>();

  label(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= DISTINCT || !LABEL.test(value)) return 'other';
    this.#known.add(value);
    return value;
  }
}
