/** What the exit code of every command says; the README lists them too. */
export const EXIT = Object.freeze({
  OK: 0,
  /** What was asked for is not there: no such message, inbox or protocol, or nothing matched. */
  NOTHING: 1,
  /** The command line, the configuration, or something else outside the program has to be put right first. */
  UNUSABLE: 2,
  /** A fault of inboxd itself (EX_SOFTWARE of sysexits.h); the stack is in the log. */
  INTERNAL: 70,
  /** Not now, perhaps later (EX_TEMPFAIL of sysexits.h). */
  DEFERRED: 75,
});

/** Exit code of a process that a signal ended, as shells report it. */
export const SIGNAL_EXIT = 128;

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    not found, or nothing matched
  2    usage, configuration or start-up error; the one line on standard error says what to do
  70   internal error
  75   a mail that inboxd milter check tried is to come again
  130, 143   ended at once by a second SIGINT or SIGTERM`;
