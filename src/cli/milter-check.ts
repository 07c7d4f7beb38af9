import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { type Path, parseAddress } from '../mail/address.ts';
import { type Content, createSpool, type Spool } from '../mail/content.ts';
import { NO_PARAMS } from '../mail/envelope.ts';
import { scanSummary } from '../mail/headers.ts';
import type { Report } from '../mail/report.ts';
import { openMilters } from '../milters.ts';
import { EXIT } from './exit-codes.ts';
import { type TrialMail, type TrialResult, tryFilters } from './filter-trial.ts';
import { columns, complain, oneLine, print, printBytes, printJson } from './output.ts';

/** Who the mail is said to come from and go to; what is missing is read off its header. */
export interface MilterCheckOptions {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly client?: string;
  readonly helo?: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

type Told = Extract<Report, { type: 'milter' | 'milter-failure' | 'milter-oddity' }>;

const HEAD_BYTES = 256 * 1024;
const LISTENER = { protocol: 'smtp', host: '127.0.0.1', port: 25 } as const;

/**
 * `inboxd milter check FILE`: leads a mail past the milters of the configuration, and says what they make of it.
 * @param file '-' is standard input
 * @returns OK if its reader would see it, NOTHING if it is refused, thrown away or kept from him, DEFERRED for not now
 */
export async function milterCheck(config: Config, file: string, options: MilterCheckOptions): Promise<number> {
  if (config.milters.length === 0) {
    throw new StartError('CONFIG_CONFLICT', 'there is no milter to ask: say --milter inet:HOST:PORT or unix:PATH');
  }
  const folder = await mkdtemp(join(tmpdir(), 'inboxd-milter-'));
  try {
    const spool = createSpool({ directory: folder });
    const content = await readMail(file, spool);
    const told: Told[] = [];
    const report = (one: Report): void => {
      if (one.type === 'milter' || one.type === 'milter-failure' || one.type === 'milter-oddity') told.push(one);
    };
    const filters = (await openMilters(config, { spool, report, rules: undefined }))(LISTENER);
    const result = await tryFilters(filters, await mailOf(content, options, config.hostname));
    if (options.json) printJson(jsonOf(result, told));
    else if (options.raw) await printRaw(result);
    else tell(result, told);
    return exitCodeOf(result);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function exitCodeOf({ verdict }: TrialResult): number {
  if (verdict === 'accepted') return EXIT.OK;
  return verdict === 'deferred' ? EXIT.DEFERRED : EXIT.NOTHING;
}

/** The file as it would come over SMTP: each line ended by CR LF. */
async function readMail(file: string, spool: Spool): Promise<Content> {
  const writer = spool();
  const source = file === '-' ? process.stdin : createReadStream(file);
  let last = '';
  for await (const view of source.setEncoding('latin1') as AsyncIterable<string>) {
    // the LF of a CR LF that is cut in two has been written with the CR
    const text = last === '\r' && view.startsWith('\n') ? view.slice(1) : view;
    last = view.at(-1) ?? last;
    await writer.write(Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1'));
  }
  if (last !== '\n' && last !== '\r') await writer.write(Buffer.from('\r\n'));
  return writer.finish(false);
}

async function mailOf(content: Content, options: MilterCheckOptions, hostname: string): Promise<TrialMail> {
  const { client = '127.0.0.1', helo = hostname } = options;
  if (isIP(client) === 0)
    throw new StartError('CONFIG_BAD_VALUE', `--client is no IP address: ${JSON.stringify(client)}`);
  const summary = scanSummary(await headOf(content));
  const from = options.from ?? summary.from?.address ?? '';
  const named = options.to ?? [...summary.to, ...summary.cc].map(({ address }) => address);
  const to = named.length > 0 ? named : [`postmaster@${hostname}`];
  const path = from === '' || from === '<>' ? null : pathOf('--from', from);
  return {
    client: { address: client, port: 0, hello: helo },
    envelope: {
      from: { path, params: NO_PARAMS },
      to: to.map((one) => ({ path: pathOf('--to', one), params: NO_PARAMS })),
    },
    content,
  };
}

function pathOf(option: string, text: string): Path {
  const path = parseAddress(text);
  if (!path) throw new StartError('CONFIG_BAD_VALUE', `${option} is no address: ${JSON.stringify(text)}`);
  return path;
}

async function headOf(content: Content): Promise<Buffer> {
  const views: Buffer[] = [];
  let bytes = 0;
  for await (const view of content.stream()) {
    views.push(view);
    bytes += view.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(views);
}

async function printRaw({ message, verdict }: TrialResult): Promise<void> {
  if (verdict === 'accepted' || verdict === 'quarantined') await printBytes(message.content.stream());
  else complain(`the message is ${verdict}`);
}

function jsonOf({ verdict, refusal, refused, discardedBy, message }: TrialResult, told: readonly Told[]): object {
  const { envelope, quarantine } = message;
  return {
    verdict,
    ...(refusal && { refusal }),
    ...(discardedBy !== undefined && { discardedBy }),
    ...(quarantine !== undefined && { quarantine }),
    refusedRecipients: refused.map(({ by, to, reply }) => ({ to: to.path.text, by, reply })),
    envelope: { from: envelope.from.path?.text ?? '', to: envelope.to.map(({ path }) => path.text) },
    milters: told.map(({ session: _session, ...facts }) => facts),
  };
}

function tell(result: TrialResult, told: readonly Told[]): void {
  const { verdict, refusal, refused, discardedBy, message } = result;
  const { envelope, quarantine } = message;
  const said = (reply: { code: number; enhanced: string; text: string }): string =>
    oneLine(`${reply.code} ${reply.enhanced} ${reply.text}`);
  const facts: [string, string][] = [['verdict', verdict]];
  if (refusal) facts.push(['refused', `by ${refusal.by} at ${refusal.phase}: ${said(refusal.reply)}`]);
  if (discardedBy !== undefined) facts.push(['discarded', `by ${discardedBy}`]);
  if (quarantine !== undefined) facts.push(['quarantine', oneLine(quarantine)]);
  for (const { by, to, reply } of refused)
    facts.push(['recipient', oneLine(`${to.path.text} refused by ${by}: ${said(reply)}`)]);
  if (message.original?.envelope !== envelope && message.original) {
    facts.push(
      ['from', oneLine(envelope.from.path?.text ?? '<>')],
      ['to', oneLine(envelope.to.map(({ path }) => path.text).join(', '))],
    );
  }
  print(columns(facts));
  for (const one of told) {
    if (one.type === 'milter-failure')
      print(`${one.milter} failed at ${one.phase}: ${oneLine(one.text)}; what counts is ${one.action}`);
    else if (one.type === 'milter-oddity') print(`${one.milter} is odd: ${oneLine(one.text)}`);
    else for (const { edit, what } of one.edits ?? []) print(oneLine(`${one.milter} ${edit} ${what}`).trimEnd());
  }
}
