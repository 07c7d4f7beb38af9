/** Limits of the sink that hands messages to a command; nothing reads a default from anywhere else. */
export const PIPE_LIMITS = Object.freeze({
  /** How long a command may take for one message. */
  runMs: 60_000,
  /** Commands that run at once. */
  processes: 4,
  /** Messages that wait for one of these to end; with more, senders are told to come again. */
  waiting: 100,
  /** Octets read of what a command says. */
  outputBytes: 4096,
  /** Octets of the list of recipients: Linux lets no variable have more than 131072. */
  recipientsBytes: 128 * 1024 - 64,
});
