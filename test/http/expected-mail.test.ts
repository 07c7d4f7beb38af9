import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { MimeParser } from '../../src/mail/mime-parser.ts';
import { openPlainly } from '../../src/mail/plain-mail.ts';
import { until } from '../support/until.ts';
import { EventClient } from './native/sse-client.ts';
import { deliver, mail, useServer } from './native/support.ts';

const server = useServer();

/** A parser that counts how often it was told to be ready. */
function countingParser(): MimeParser & { prepared: number } {
  return {
    prepared: 0,
    prepare() {
      this.prepared++;
    },
    parse: async (raw) => openPlainly(raw),
    close: async () => {},
  };
}

describe('the parser of mails', () => {
  it.each([
    '/api/inboxes/a@x.test/messages',
    '/api/search?q=hello',
    '/api/inboxes/a@x.test/wait?timeout=1',
    '/api/v1/messages',
    '/api/v1/search?query=hello',
  ])('is made ready by GET %s, as what it gives will be opened', async (url) => {
    const parser = countingParser();
    await server.serve({ parser }).inject(url);
    expect(parser.prepared).toBe(1);
  });

  it('is made ready for those who follow the events, and by each event that they are told', async () => {
    const parser = countingParser();
    const app = server.serve({ parser });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const client = await new EventClient((app.server.address() as AddressInfo).port, '/api/events').open();
    await until(() => parser.prepared === 1);
    await deliver(server.store, mail('Subject: s\n\ntext\n'));
    await until(() => parser.prepared === 2);
    client.close();
  });

  it.each(['/api/inboxes', '/api/v1/info', '/readyz'])('is left alone by GET %s', async (url) => {
    const parser = countingParser();
    await server.serve({ parser }).inject(url);
    expect(parser.prepared).toBe(0);
  });
});
