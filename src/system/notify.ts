import { spawn } from 'node:child_process';

type Environment = Record<string, string | undefined>;

/** What systemd, or another manager of services, wants to hear. */
export interface ServiceManager {
  ready(status: string): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /**
   * Says often enough that the event loop turns; ends with the process.
   * @param isAlive asked each time; nothing is said while it is not so, and the manager starts the service anew
   */
  keepAlive(isAlive: () => boolean): void;
}

export interface ServiceManagerOptions {
  readonly environment?: Environment;
  /** Told why a notice did not get through. */
  readonly onError: (error: Error) => void;
}

/**
 * Finds the manager that started us, by sd_notify(3); undefined if nobody wants notices.
 *
 * The notices are datagrams on a UNIX socket, and Node.js has no such sockets. Each is sent by `systemd-notify`, a program
 * that is wherever systemd is: the unit must say `NotifyAccess=all`, since that is another process than ours.
 */
export function findServiceManager(options: ServiceManagerOptions): ServiceManager | undefined {
  const { environment = process.env, onError } = options;
  if (!environment.NOTIFY_SOCKET) return undefined;
  const tell = (...words: readonly string[]): Promise<void> => notify(words, environment).catch(onError);
  return {
    ready: (status) => tell('READY=1', `STATUS=${status}`),
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reloading'),
    stopping: () => tell('STOPPING=1', 'STATUS=stopping'),
    keepAlive(isAlive) {
      const everyMs = watchdogMs(environment);
      if (everyMs === undefined) return;
      setInterval(() => {
        if (isAlive()) void tell('WATCHDOG=1');
      }, everyMs).unref();
    },
  };
}

/** Half of the time after which systemd takes us for dead; undefined if it does not watch us. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment): number | undefined {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined;
  const microseconds = Number(WATCHDOG_USEC);
  return microseconds > 0 ? Math.max(microseconds / 2000, 100) : undefined;
}

function notify(words: readonly string[], environment: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.on('error', (cause) => reject(new Error('cannot run systemd-notify', { cause })));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ${words[0]} ended with ${code}: ${complaint.trim()}`));
    });
  });
}
