import { constants } from 'node:os';
import type { Config } from '../config/settings.ts';
import { createDaemon, type Daemon } from '../daemon.ts';
import { createLogReporter, type LogReporter } from '../report/log.ts';
import { VERSION } from '../version.ts';
import { EXIT, SIGNAL_EXIT } from './exit-codes.ts';
import { onInternalError, tellFailure } from './failure.ts';
import { welcome } from './welcome.ts';

/** A terminal sends SIGINT to a whole process group and npm passes on its own: one key press may arrive twice. */
const SAME_KEY_PRESS_MS = 100;
/** What stopping may take beyond the grace period: the last commit, and closing files. */
const STOP_SLACK_MS = 15_000;
/** The longest a timer of Node.js can wait; beyond, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long a stalled reader of the log may hold up the end. */
const LOG_FLUSH_MS = 1000;

/**
 * `inboxd serve`: runs the daemon until a signal ends it, then exits.
 * The first SIGTERM or SIGINT stops it gracefully, exit code 0; a second one ends it at once.
 * What keeps the daemon from starting is told in a line, and ends the process too, whatever a sink may have left running.
 */
export async function serve(config: Config): Promise<never> {
  const log = createLogReporter({ level: config.logLevel, format: config.logFormat });
  onInternalError((error) => {
    log.logger.fatal({ err: error }, 'internal error, ending');
    log.flushSync();
  });
  const signalled = firstSignal(log).then((signal) => {
    log.logger.info({ signal, graceMs: config.graceMs }, 'stopping');
    endLate(config.graceMs + STOP_SLACK_MS, log); // from now on, so that a start that hangs is covered too
  });
  const daemon = await createDaemon(config, { report: log }).catch(async (error: unknown) => {
    await flushed(log);
    process.exit(tellFailure(error));
  });
  await announce(daemon, log);
  await signalled;
  await daemon.stop({ graceMs: config.graceMs });
  log.logger.info('stopped');
  await flushed(log);
  process.exit(EXIT.OK);
}

async function announce({ config, listeners }: Daemon, log: LogReporter): Promise<void> {
  const { data, sink, hostname, naming } = config;
  log.logger.info({ version: VERSION, pid: process.pid, data, sink, hostname, naming }, 'started');
  if (!process.stdout.isTTY || config.logFormat === 'json') return;
  await flushed(log);
  process.stdout.write(`\n${welcome(config, listeners)}\n`);
}

/** Ends the process if stopping takes longer than it may. */
function endLate(milliseconds: number, log: LogReporter): void {
  const end = (): void => {
    log.logger.fatal({ milliseconds }, 'did not stop in time, ending');
    log.flushSync();
    process.exit(EXIT.INTERNAL);
  };
  setTimeout(end, Math.min(milliseconds, LONGEST_TIMER_MS));
}

/** Resolves with the first signal that asks for an end; whatever comes after that ends the process at once. */
function firstSignal(log: LogReporter): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: { signal: NodeJS.Signals; at: number } | undefined;
    const receive = (signal: NodeJS.Signals): void => {
      if (first === undefined) {
        first = { signal, at: performance.now() };
        resolve(signal);
        return;
      }
      const isSameKeyPress = signal === 'SIGINT' && first.signal === 'SIGINT' && process.stdin.isTTY === true;
      if (isSameKeyPress && performance.now() - first.at < SAME_KEY_PRESS_MS) return;
      log.logger.warn({ signal }, 'second signal, ending at once');
      log.flushSync();
      process.exit(SIGNAL_EXIT + constants.signals[signal]);
    };
    process.on('SIGINT', receive);
    process.on('SIGTERM', receive);
  });
}

async function flushed(log: LogReporter): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOG_FLUSH_MS);
  });
  await Promise.race([log.flush(), late]);
  clearTimeout(timer);
}
