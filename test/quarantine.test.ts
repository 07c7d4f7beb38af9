import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../src/daemon.ts';
import { contentOf } from '../src/mail/content.ts';
import type { Filter } from '../src/mail/filter.ts';
import { amend } from '../src/mail/message.ts';
import { EventClient } from './http/native/sse-client.ts';
import { collect } from './store/support.ts';
import { deliver, SmtpClient } from './support/smtp-client.ts';
import { WireClient } from './support/wire-client.ts';

const SENT = Buffer.from('Subject: Cheap pills\r\nTo: ann@in.test\r\n\r\nbuy\r\n');
const MARK = Buffer.from('X-Spam: yes\r\n');

/** Marks what has "pills" in it and puts it into quarantine; what goes to ann goes to the archive too. */
const spamFilter: Filter = {
  name: 'spam',
  async message(_visit, message) {
    const bytes = await collect(message.content.stream());
    if (!bytes.includes('pills')) return undefined;
    const { from, to } = message.envelope;
    const archive = { path: { local: 'archive', domain: 'in.test', text: 'archive@in.test' }, params: new Map() };
    const content = contentOf([MARK, bytes]);
    const changed = amend(message, { content, envelope: { from, to: [...to, archive] } });
    return { message: changed, quarantine: 'pills' };
  },
};

describe('what a filter does to a message', () => {
  let data: string;
  let daemon: Daemon;
  let id: string;
  const portOf = (at: number): number => Number(new URL(daemon.listeners[at]!.url).port);
  const api = (path: string, init?: RequestInit) => fetch(`${daemon.listeners[1]!.url}/api/${path}`, init);
  const source = async (path: string) => Buffer.from(await (await api(path)).arrayBuffer());
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'inboxd-quarantine-'));
    const listen = ['smtp://127.0.0.1:0', 'http://127.0.0.1:0', 'pop3://127.0.0.1:0'];
    daemon = await createDaemon({ listen, data }, { filters: [spamFilter] });
    const client = await SmtpClient.open(portOf(0));
    [id = ''] = await deliver(client, { from: 'bob@out.test', to: ['ann@in.test'], content: SENT });
    await client.quit();
  });
  afterAll(async () => {
    await daemon.stop();
    rmSync(data, { recursive: true });
  });

  /** The numbers and sizes that a maildrop lists, and its first message. */
  async function fetchMail(user: string): Promise<{ list: string; first: string }> {
    const client = await WireClient.open(portOf(2));
    const say = (command: string, until: RegExp): Promise<string> => {
      client.send(`${command}\r\n`);
      return client.hear(until);
    };
    await client.hear(/^\+OK .*\r\n/);
    await say(`USER ${user}`, /^\+OK .*\r\n/);
    await say('PASS x', /^\+OK .*\r\n/);
    const list = await say('LIST', /^\+OK[\s\S]*\r\n\.\r\n$/);
    const first = await say('RETR 1', /^-ERR .*\r\n|^\+OK[\s\S]*\r\n\.\r\n$/);
    client.destroy();
    return { list, first };
  }

  it('is kept beside what came, and told', async () => {
    const message = await (await api(`messages/${id}`)).json();
    expect(message).toMatchObject({
      quarantine: 'pills',
      inboxes: ['ann@in.test', 'archive@in.test'],
      edits: {
        headers: { added: [{ name: 'X-Spam', value: 'yes' }] },
        body: false,
        recipients: { added: ['archive@in.test'], removed: [] },
      },
    });
    expect((await source(`messages/${id}/raw`)).equals(SENT)).toBe(true);
    expect((await source(`messages/${id}/eml`)).equals(Buffer.concat([MARK, SENT]))).toBe(true);
  });

  it('keeps it from mail clients until somebody releases it, which is an event; then they get it as the filter left it', async () => {
    expect(await fetchMail('ann@in.test')).toEqual({
      list: expect.stringMatching(/^\+OK 0 messages.*\r\n\.\r\n$/),
      first: expect.stringMatching(/^-ERR /),
    });
    const events = await new EventClient(portOf(1), '/api/events').open();
    const released = await api(`messages/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ quarantine: null }),
    });
    expect(released.status).toBe(200);
    const [event] = await events.take(1);
    events.close();
    expect(event).toMatchObject({ event: 'changed', data: { id, message: { quarantine: null } } });
    const { list, first } = await fetchMail('archive@in.test');
    expect(list).toMatch(/^\+OK 1 message/);
    expect(first).toMatch(/\r\nX-Spam: yes\r\nSubject: Cheap pills\r\n/);
  });

  it('is nothing for a message that it leaves alone', async () => {
    const client = await SmtpClient.open(portOf(0));
    const content = Buffer.from('Subject: hello\r\n\r\nhi\r\n');
    const [plain] = await deliver(client, { from: 'bob@out.test', to: ['eve@in.test'], content });
    await client.quit();
    expect(await (await api(`messages/${plain}`)).json()).toMatchObject({ quarantine: null, edits: null });
    expect((await fetchMail('eve@in.test')).first).toContain('Subject: hello');
  });
});
