import type { Delivery } from '../mail/deliveries.ts';
import { toSummary } from '../mail/shapes.ts';
import type { Summary } from '../mail/store.ts';

/** What an attempt says of itself in the body, so that a log of bodies tells the whole story. */
interface AttemptHead {
  readonly id: string;
  /** Name of the target. */
  readonly webhook: string;
  /** From 1. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The body that tells of a message. */
export function bodyOfMessage(
  delivery: Delivery,
  { webhook, attempt, at }: Omit<AttemptHead, 'id'>,
  message: { readonly summary: Summary; readonly isGone: boolean },
): Buffer {
  const { id, queuedAt, inboxes } = delivery;
  const data = { message: toSummary({ ...message.summary, inboxes }), gone: message.isGone };
  return bodyOf('message.received', new Date(queuedAt), { id, webhook, attempt, at }, data);
}

/** The body of a request that only tries the way. */
export function bodyOfTest(head: AttemptHead): Buffer {
  return bodyOf('test', new Date(head.at), head, {});
}

function bodyOf(type: string, when: Date, { id, webhook, attempt, at }: AttemptHead, data: object): Buffer {
  const delivery = { id, webhook, attempt, at: new Date(at).toISOString() };
  return Buffer.from(JSON.stringify({ type, timestamp: when.toISOString(), delivery, data }));
}
