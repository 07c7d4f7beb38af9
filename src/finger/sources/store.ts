import { inboxNameFromText, type Naming } from '../../mail/inbox.ts';
import type { InboxSummary, Store } from '../../mail/store.ts';
import { senderOf, sizeOf } from '../../mail/terminal-text.ts';
import { SOURCE_LIMITS } from '../limits.ts';
import type { UserSource } from '../source.ts';

/** The inboxes of a store: a user is what stands before the `@` of one, since a query with an `@` asks for other hosts. */
export function createStoreSource(store: Pick<Store, 'inboxes' | 'list'>, naming: Naming): UserSource {
  return {
    async find(user, { verbose }) {
      const name = inboxNameFromText(user, naming);
      if (name === undefined || name.includes('*')) return undefined; // a star would stand for others
      const scope = naming === 'full' ? [name, `${name}@*`] : [name];
      const { inboxes } = await store.inboxes({ scope, limit: SOURCE_LIMITS.inboxes });
      if (inboxes.length === 0) return undefined;
      const lines: string[] = [];
      for (const inbox of inboxes) {
        lines.push(`Inbox: ${inbox.inbox}`, summaryOf(inbox));
        if (verbose) lines.push(...(await messagesOf(store, inbox.inbox)));
      }
      return lines;
    },
    async list() {
      const { inboxes, next } = await store.inboxes({ limit: SOURCE_LIMITS.list });
      if (inboxes.length === 0) return ['No inboxes'];
      const lines = inboxes.map((inbox) => `${inbox.inbox}: ${summaryOf(inbox)}`);
      return next === undefined ? lines : [...lines, '...'];
    },
  };
}

function summaryOf({ messages, bytes, newest }: InboxSummary): string {
  return `${messages} ${messages === 1 ? 'message' : 'messages'}, ${sizeOf(bytes)}, newest ${timeOf(newest)}`;
}

async function messagesOf(store: Pick<Store, 'list'>, inbox: string): Promise<string[]> {
  const { messages } = await store.list({ inbox, limit: SOURCE_LIMITS.messages });
  return messages.map((message, index) => {
    const { receivedAt, bytes, subject } = message;
    return `${String(index + 1).padStart(3)}  ${timeOf(receivedAt)}  ${sizeOf(bytes).padStart(8)}  ${senderOf(message)}  ${subject}`;
  });
}

function timeOf(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
