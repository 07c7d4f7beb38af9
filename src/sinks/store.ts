import type { Sink } from '../mail/sink.ts';
import type { Store } from '../mail/store.ts';

/** Keeps each message in the store; its 250 means that the message is on disk. */
export function createStoreSink(store: Store): Sink {
  return (message) => {
    const accepted = store.accept(message);
    if (!message.tags?.length) return accepted;
    // of a message that is safe already: what becomes of its tags is no reason to have it sent again
    return accepted.then(async () => {
      await store.change({ ids: [message.id] }, { addTags: message.tags! });
    });
  };
}
