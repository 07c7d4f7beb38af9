import type { Naming } from '../mail/inbox.ts';
import type { Refusal, Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import type { WebhookDesk } from '../mail/webhook-desk.ts';
import type { Access } from './auth/access.ts';
import type { HttpLimits } from './limits.ts';
import type { MessageReader } from './message-reader.ts';

/** What the daemon counts since its start. */
export interface RuntimeCounters {
  readonly smtpAccepted: number;
  readonly smtpAcceptedBytes: number;
  readonly smtpRejected: number;
  readonly smtpIgnored: number;
}

/** What routes work with. */
export interface Context {
  readonly store: Store;
  readonly reader: MessageReader;
  readonly version: string;
  readonly report: Reporter;
  readonly counters: () => RuntimeCounters;
  /** Has a listener told of every refusal to a mail client; gives the way to stop. */
  readonly refusals: (listener: (refusal: Refusal) => void) => () => void;
  readonly startedAt: Date;
  /** Who may do what; routes find the grant of a request in `request.grant`. */
  readonly access: Access;
  readonly limits: HttpLimits;
  /** Our own name. */
  readonly hostname: string;
  /** Which part of an address names its inbox. */
  readonly naming: Naming;
  readonly webhooks: WebhookDesk;
  /** URLs that the daemon listens on. */
  readonly listeners: () => readonly string[];
}
