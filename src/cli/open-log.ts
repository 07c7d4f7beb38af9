import type { Config } from '../config/settings.ts';
import { parseSyslog } from '../config/syslog-url.ts';
import { createLogReporter, type LogReporter } from '../report/log.ts';
import { type LogFile, openLogFile } from '../system/log-file.ts';
import { openSyslog } from '../system/syslog.ts';

/** The log of the daemon where the configuration wants it, and the way to open it anew. */
export interface OpenLog {
  readonly log: LogReporter;
  /** Follows a rotation; does nothing for a log that is no file. */
  reopen(): void;
}

/**
 * Opens the log.
 * @throws SystemError LOG_UNWRITABLE, SYSLOG_UNAVAILABLE
 */
export function openLog(config: Config): OpenLog {
  const { logLevel: level, logFormat, logFile, syslogPrefix: prefix } = config;
  const target = parseSyslog(config.syslog);
  let log: LogReporter;
  const onLost = (lines: number): void => log.logger.warn({ lines }, 'log lines lost');
  if (target !== undefined) {
    log = createLogReporter({ level, format: 'json', destination: openSyslog({ target, prefix, onLost }) });
    return { log, reopen: () => {} };
  }
  if (logFile === '') {
    log = createLogReporter({ level, format: logFormat });
    return { log, reopen: () => {} };
  }
  const file: LogFile = openLogFile(logFile, { onLost });
  const format = logFormat === 'auto' ? 'json' : logFormat;
  log = createLogReporter({ level, format, destination: file });
  return { log, reopen: () => reopen(file, log) };
}

function reopen(file: LogFile, log: LogReporter): void {
  try {
    file.reopen();
    log.logger.info('log opened anew');
  } catch (error) {
    log.logger.error({ err: error }, 'cannot open the log anew, going on in the old file');
  }
}
