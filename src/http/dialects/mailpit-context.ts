import type { Context } from '../context.ts';
import type { Senders } from './mailpit-senders.ts';

/** What the routes of the dialect work with. */
export interface MailpitContext extends Context {
  readonly senders: Senders;
}
