import type { Content } from '../../src/mail/content.ts';
import { contentOf } from '../../src/mail/content.ts';
import { NO_PARAMS, type Params } from '../../src/mail/envelope.ts';
import { amend, createId, type Message } from '../../src/mail/message.ts';
import { pathOf } from '../../src/store/sqlite/facts.ts';

export interface Sample {
  readonly id?: string;
  readonly raw?: string | Buffer;
  readonly content?: Content;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly toParams?: Params;
  readonly receivedAt?: Date;
}

/** A message as the SMTP server would hand it to a sink. */
export function sampleMessage(sample: Sample = {}): Message {
  const { raw = mail('A subject'), from = 'sender@example.org', to = ['anna@example.com'] } = sample;
  const receivedAt = sample.receivedAt ?? new Date();
  return {
    id: sample.id ?? createId(receivedAt.getTime()),
    envelope: {
      from: { path: from === '' ? null : pathOf(from), params: NO_PARAMS },
      to: to.map((address) => ({ path: pathOf(address), params: sample.toParams ?? NO_PARAMS })),
    },
    content: sample.content ?? contentOf([typeof raw === 'string' ? Buffer.from(raw) : raw]),
    receivedAt,
    client: { address: '192.0.2.1', port: 4711, hello: 'client.example.org' },
    protocol: 'ESMTP',
    session: 'session-1',
    transcript: ['S: 220 ready', 'C: EHLO client.example.org', 'S: 250 OK'],
  };
}

export const CAME = mail('Cheap pills', 'visit cheapword');
export const LEFT = `X-Filter: seen\r\n${mail('[SPAM] Cheap pills', 'withheld')}`;

/** A message that came as `CAME`, of which a filter made `LEFT`, for bob too, and which it put into quarantine. */
export function editedMessage(sample: Sample = {}): Message {
  const came = sampleMessage({ raw: CAME, ...sample });
  const { envelope } = sampleMessage({ to: ['anna@example.com', 'bob@example.com'] });
  return amend(came, { content: contentOf([Buffer.from(LEFT)]), envelope, quarantine: 'looks odd' });
}

/** A small mail; further header lines go in front of the empty line. */
export function mail(subject: string, body = 'Hello', headers: readonly string[] = []): string {
  const lines = ['From: Sender <sender@example.org>', 'To: Anna <anna@example.com>', `Subject: ${subject}`, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n${body}\r\n`;
}

/** Everything a stream gives, in one piece. */
export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const views: Buffer[] = [];
  for await (const view of stream) views.push(view);
  return Buffer.concat(views);
}
