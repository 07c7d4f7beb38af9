import type { LoadedConfig } from '../config.ts';
import { createDaemon, type Daemon } from '../daemon.ts';
import { StartError } from '../errors.ts';
import type { LogReporter } from '../report/log.ts';
import { runInBackground, tellReady } from '../system/background.ts';
import { keepHeapsSmall } from '../system/heaps.ts';
import { findServiceManager, type ServiceManager } from '../system/notify.ts';
import { takePassedSockets } from '../system/passed-sockets.ts';
import { type PidFile, takePidFile } from '../system/pid-file.ts';
import { VERSION } from '../version.ts';
import { EXIT } from './exit-codes.ts';
import { onInternalError, tellFailure } from './failure.ts';
import { openLog } from './open-log.ts';
import { settleIdentity } from './own-identity.ts';
import { listenToSignals } from './signals.ts';
import { welcome } from './welcome.ts';

/** What stopping may take beyond the grace period: the last commit, and closing files. */
const STOP_SLACK_MS = 15_000;
/** The longest a timer of Node.js can wait; beyond, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long a stalled reader of the log may hold up the end. */
const LOG_FLUSH_MS = 1000;

/**
 * `inboxd serve`: runs the daemon until a signal ends it, then exits.
 * The first SIGTERM or SIGINT stops it gracefully, exit code 0; a second one ends it at once. SIGUSR1 opens the log anew, SIGHUP
 * has changed files read again.
 * What keeps the daemon from starting is told in a line, and ends the process too, whatever a sink may have left running.
 */
export async function serve(loaded: LoadedConfig): Promise<never> {
  const { config } = loaded;
  if (config.daemon) return goToBackground(loaded);
  keepHeapsSmall();
  const rights = settleIdentity(loaded);
  const { log, reopen } = openLog(config);
  const pidFile = config.pidFile === '' ? undefined : takePidFile(config.pidFile);
  if (pidFile) process.once('exit', () => release(pidFile, log));
  if (config.workDir !== '') process.chdir(config.workDir);
  onInternalError((error) => {
    log.logger.fatal({ err: error }, 'internal error, ending');
    log.flushSync();
  });
  const signals = listenToSignals(log);
  signals.onRotate = reopen;
  const manager = findServiceManager({
    onError: (error) => log.logger.warn({ err: error }, 'the service manager was not told'),
  });
  const signalled = signals.end.then((signal) => {
    log.logger.info({ signal, graceMs: config.graceMs }, 'stopping');
    endLate(config.graceMs + STOP_SLACK_MS, log); // from now on, so that a start that hangs is covered too
    void manager?.stopping();
  });
  const parts = { report: log, sockets: takePassedSockets(), ...(rights && { rights }) };
  const daemon = await createDaemon(config, parts).catch(async (error: unknown) => {
    await flushed(log);
    process.exit(tellFailure(error));
  });
  await announce(daemon, log);
  signals.onReload = () => void reload(daemon, log, manager);
  tellReady();
  void manager?.ready(`listening on ${daemon.listeners.map(({ url }) => url).join(' ')}`);
  manager?.keepAlive(() => daemon.store.isAlive);
  await signalled;
  await daemon.stop({ graceMs: config.graceMs });
  log.logger.info('stopped');
  await flushed(log);
  process.exit(EXIT.OK);
}

/** Runs the same command line in the background, where the last word is that it shall not go there again. */
async function goToBackground({ config }: LoadedConfig): Promise<never> {
  if (config.logFile === '' && config.syslog === '') {
    throw new StartError('CONFIG_CONFLICT', 'daemon needs log-file or syslog: nobody sees its standard output');
  }
  const workDir = config.workDir === '' ? ['--work-dir', '/'] : [];
  process.exit(await runInBackground([...process.argv.slice(1), ...workDir, '--no-daemon']));
}

function release(pidFile: PidFile, log: LogReporter): void {
  try {
    pidFile.release();
  } catch (error) {
    log.logger.warn({ err: error }, 'the pid file could not be removed');
    log.flushSync();
  }
}

async function reload(daemon: Daemon, log: LogReporter, manager: ServiceManager | undefined): Promise<void> {
  log.logger.info('reloading');
  await manager?.reloading();
  await daemon.reload();
  log.logger.info('reloaded');
  await manager?.ready('reloaded');
}

async function announce({ config, listeners, fingerprint }: Daemon, log: LogReporter): Promise<void> {
  const { data, sink, hostname, naming } = config;
  log.logger.info({ version: VERSION, pid: process.pid, data, sink, hostname, naming }, 'started');
  const { logFormat, logFile, syslog } = config;
  if (!process.stdout.isTTY || logFormat === 'json' || logFile !== '' || syslog !== '') return;
  await flushed(log);
  process.stdout.write(`\n${welcome(config, listeners, fingerprint)}\n`);
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

async function flushed(log: LogReporter): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOG_FLUSH_MS);
  });
  await Promise.race([log.flush(), late]);
  clearTimeout(timer);
}
