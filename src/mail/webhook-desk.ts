import type { AttemptFacts, DeadLetter, TargetCounts } from './deliveries.ts';

/** A webhook as its operator sees it. */
export interface WebhookFacts extends TargetCounts {
  /** Host and port; '' of one that is configured no longer. */
  readonly host: string;
  readonly inboxes: readonly string[];
  readonly query: string;
  readonly isSigned: boolean;
  /** `failing`: the last attempt failed; `stopped`: it answered 410 and is left alone; `removed`: configured no longer. */
  readonly state: 'working' | 'failing' | 'stopped' | 'removed';
}

/** Where webhooks are looked after. Undefined is the answer for a name that there is no webhook of. */
export interface WebhookDesk {
  list(): Promise<readonly WebhookFacts[]>;
  dead(name: string, limit: number): Promise<readonly DeadLetter[] | undefined>;
  /** Has dead letters delivered again: those of these ids, or all. Gives how many. */
  replay(name: string, ids?: readonly string[]): Promise<number | undefined>;
  /** Sends an event that is no message, at once, and tells how it went. */
  test(name: string): Promise<AttemptFacts | undefined>;
}
