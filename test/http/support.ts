import type { Message } from '../../src/mail/message.ts';
import { createId } from '../../src/mail/message.ts';
import type { Store } from '../../src/mail/store.ts';

/** Text with LF line ends as a mail has it. */
export function mail(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'));
}

interface Delivery {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly at?: Date;
}

/** Saves a mail as if it had come by SMTP; gives its id. */
export async function deliver(store: Store, raw: Buffer, { from = 'sender@example.org', to, at }: Delivery = {}) {
  const message: Message = {
    id: createId(at?.getTime()),
    envelope: {
      from: { path: path(from), params: new Map() },
      to: (to ?? ['someone@example.org']).map((text) => ({ path: path(text), params: new Map() })),
    },
    content: {
      bytes: raw.length,
      bareNewlines: false,
      at: { kind: 'memory', views: [raw] },
      async *stream() {
        yield raw;
      },
      release() {},
    },
    receivedAt: at ?? new Date(),
    client: { address: '127.0.0.1', port: 40_000, hello: 'client.example.org' },
    protocol: 'ESMTP',
    session: 'session',
    transcript: [],
  };
  await store.save(message);
  return message.id;
}

function path(text: string) {
  const at = text.lastIndexOf('@');
  return { local: text.slice(0, at), domain: text.slice(at + 1), text };
}
