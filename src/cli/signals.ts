import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import type { LogReporter } from '../report/log.ts';
import { SIGNAL_EXIT } from './exit-codes.ts';

/** A terminal sends SIGINT to a whole process group and npm passes on its own: one key press may arrive twice. */
const SAME_KEY_PRESS_MS = 100;

/** What signals ask for. */
export interface Signals {
  /** Resolves with the first signal that asks for an end; whatever comes after that ends the process at once. */
  readonly end: Promise<NodeJS.Signals>;
  /** Called on SIGHUP: take changed files up. */
  onReload: () => void;
  /** Called on SIGUSR1: open the log anew. */
  onRotate: () => void;
}

/**
 * Listens to signals. SIGHUP is the end where it means that the terminal is gone. A listener to SIGUSR1 also keeps
 * Node.js from opening its debugger on it.
 */
export function listenToSignals(log: LogReporter): Signals {
  const hasTerminal = isTerminalThere();
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const signals: Signals = { end: promise, onReload: () => {}, onRotate: () => {} };
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const end = (signal: NodeJS.Signals): void => {
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
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', (signal) => {
    if (hasTerminal && !isTerminalThere()) end(signal);
    else signals.onReload();
  });
  process.on('SIGUSR1', () => signals.onRotate());
  return signals;
}

function isTerminalThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false; // ENXIO: there is none, or it hung up
  }
}
