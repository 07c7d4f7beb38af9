/** What can be wrong with the way the system runs the daemon, by stable code. */
export const SYSTEM_ERRORS = Object.freeze({
  ROOT_REFUSED:
    'The daemon runs as root and nobody has said that it shall; give user, or allow-root to want just that.',
  USER_UNUSABLE: 'The user or group to become is unknown, is root, or the program may not change to it.',
  USER_KEEPS_RIGHTS: 'Rights of root were still there after they were given up; the daemon does not go on with them.',
  FOLDER_OF_ANOTHER: 'A folder belongs to somebody else than the user that the daemon runs as; the message says whom.',
  FILE_UNREADABLE:
    'The user that the daemon runs as may not read a file of the configuration; the message names file, user and remedy.',
  SOCKET_UNMATCHED: 'A socket that systemd passed on belongs to no listener; the message names it.',
  LOG_UNWRITABLE: 'The log file cannot be opened; the message names the path and the reason.',
  SYSLOG_UNAVAILABLE: 'The local syslog needs the program logger of util-linux, or the address cannot be read.',
  PID_FILE_TAKEN: 'The daemon of the pid file is running, or the file cannot be written; the message says which.',
  DAEMON_SILENT: 'The daemon that was sent to the background ended, or did not say in time that it is ready.',
});

export type SystemErrorCode = keyof typeof SYSTEM_ERRORS;

/** Something about user, sockets, files or services that has to be put right first; `message` says what. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: SystemErrorCode;

  constructor(code: SystemErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
