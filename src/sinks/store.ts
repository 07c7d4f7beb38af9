import type { Sink } from '../mail/sink.ts';
import type { Store } from '../mail/store.ts';

/** Keeps each message in the store; its 250 means that the message is on disk. */
export function createStoreSink(store: Store): Sink {
  return (message) => store.save(message);
}
