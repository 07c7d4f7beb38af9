/** Stable codes of what can be wrong with a configuration; `src/errors.ts` explains each. */
export type ConfigErrorCode =
  | 'CONFIG_UNREADABLE'
  | 'CONFIG_SYNTAX'
  | 'CONFIG_UNKNOWN_KEY'
  | 'CONFIG_BAD_VALUE'
  | 'CONFIG_CONFLICT';

/** One thing that is wrong, in words for whoever wrote the configuration. */
export interface ConfigProblem {
  readonly code: ConfigErrorCode;
  readonly text: string;
  /** Where in a TOML file, both from 1; only for CONFIG_SYNTAX. */
  readonly line?: number;
  readonly column?: number;
}

/** The configuration cannot be used; `problems` holds all that was found, `code` is that of the first, `message` has a line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]], options?: ErrorOptions) {
    super(problems.map(({ text }) => text).join('\n'), options);
    this.problems = problems;
    this.code = problems[0].code;
  }
}
