/** What one check found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `bad` keeps the daemon from doing its work; `doubtful` may be meant so. */
  readonly level: 'good' | 'doubtful' | 'bad';
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export function good(check: string, text: string): Finding {
  return { check, level: 'good', text };
}

export function doubtful(check: string, text: string, remedy: string): Finding {
  return { check, level: 'doubtful', text, remedy };
}

export function bad(check: string, text: string, remedy: string): Finding {
  return { check, level: 'bad', text, remedy };
}
