import { USERS_ERRORS } from './auth/errors.ts';
import { ConfigError, type ConfigErrorCode } from './config/error.ts';
import { HTTP_ERRORS } from './http/auth/errors.ts';
import { RESPONDER_ERRORS } from './responders/errors.ts';
import { STORE_ERRORS } from './store/errors.ts';
import { SYSTEM_ERRORS } from './system/errors.ts';
import { TLS_ERRORS } from './tls/errors.ts';
import { WEBHOOK_ERRORS } from './webhooks/errors.ts';

/** Stable codes of everything that keeps the daemon from starting or a command from running, with what each means. */
export const START_ERRORS = Object.freeze({
  CONFIG_UNREADABLE: 'The configuration file that was named cannot be read.',
  CONFIG_SYNTAX: 'The configuration file is not valid TOML; the message gives line and column.',
  CONFIG_UNKNOWN_KEY: 'A key of the file, an INBOXD_ variable or a property is not an option.',
  CONFIG_BAD_VALUE: 'The value of an option is not allowed; the message says what is.',
  CONFIG_CONFLICT: 'Options that were given contradict each other, or nothing is left to listen on.',
  ADDRESS_IN_USE: 'Something else listens on that address and port already.',
  ADDRESS_FORBIDDEN: 'The system does not let this user listen there; ports below 1024 need a privilege.',
  ADDRESS_UNAVAILABLE: 'The host to listen on is no address of this machine, or its name is unknown.',
  ...HTTP_ERRORS,
  POP3_OPEN: 'POP3 would be open to other machines, and there are no tokens to ask for; give http-auth.',
  ...USERS_ERRORS,
  ...TLS_ERRORS,
  ...STORE_ERRORS,
  STORE_MISSING: 'The data folder holds no store yet.',
  STORE_IN_MEMORY: 'The command works on a data folder, and :memory: is none.',
  ...WEBHOOK_ERRORS,
  SINK_UNUSABLE: 'The module of a sink cannot be loaded or exports no process function, or its command cannot be run.',
  EURECHAT_OPEN: 'eurechat would take passwords of other machines; that wants eurechats and http-auth.',
  ...RESPONDER_ERRORS,
  FINGER_OPEN: 'Other machines could ask by finger whose mail is here; say finger-open if they may.',
  FINGER_UNUSABLE: 'The command of finger-source cannot be run.',
  DAEMON_UNREACHABLE: 'The daemon that a command asks has no HTTP listener or does not answer.',
  DAEMON_REFUSED: 'The daemon wants credentials, or cannot do what a command asks of it; the message says why.',
  ...SYSTEM_ERRORS,
  NODE_TOO_OLD: 'inboxd needs Node.js 24.6 or later.',
} satisfies Record<ConfigErrorCode | (string & {}), string>);

export type StartErrorCode = keyof typeof START_ERRORS;

/** Something outside this program keeps it from starting; `message` is for people and says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True for errors that are told in their own words, without a stack: their cause lies outside the program. */
export function isStartError(error: unknown): error is Error & { readonly code: StartErrorCode } {
  if (error instanceof ConfigError || error instanceof StartError) return true;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && Object.hasOwn(START_ERRORS, code);
}
