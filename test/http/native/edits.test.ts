import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createFileAccess } from '../../../src/http/auth/file-access.ts';
import { amend, type Message } from '../../../src/mail/message.ts';
import { CAME, editedMessage, LEFT, sampleMessage } from '../../store/support.ts';
import { AuthFile, bearer } from '../auth/support.ts';
import { expectSchema, useServer } from './support.ts';

const server = useServer();
const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });
const keep = async (message: Message): Promise<string> => {
  await server.store.save(message);
  return message.id;
};
const patch = (id: string, body: object) =>
  server.app.inject({
    method: 'PATCH',
    url: `/api/messages/${id}`,
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  });

describe('a message that filters changed', () => {
  it('is shown as they left it, with what they changed', async () => {
    const id = await keep(editedMessage());
    const message = (await get(`/api/messages/${id}`)).json();
    await expectSchema('Message', message);
    expect(message).toMatchObject({
      subject: '[SPAM] Cheap pills',
      text: 'withheld\n',
      bytes: LEFT.length,
      quarantine: 'looks odd',
      inboxes: ['anna@example.com', 'bob@example.com'],
    });
    expect(message.edits).toEqual({
      headers: {
        added: [{ name: 'X-Filter', value: 'seen' }],
        removed: [],
        changed: [{ name: 'Subject', before: 'Cheap pills', after: '[SPAM] Cheap pills' }],
        isRearranged: false,
      },
      body: true,
      sender: null,
      recipients: { added: ['bob@example.com'], removed: [] },
      bytes: { received: CAME.length, edited: LEFT.length },
    });
    const { headers } = (await get(`/api/messages/${id}/headers`)).json();
    expect(headers[0]).toEqual({ name: 'X-Filter', value: 'seen' });
    expect((await get(`/api/messages/${id}/text`)).body).toBe('withheld\n');
  });

  it('has two sources: raw is what was sent, a file to save is what filters left, and each may be asked for', async () => {
    const id = await keep(editedMessage());
    const source = async (rest: string) => (await get(`/api/messages/${id}/${rest}`)).body;
    expect(await source('raw')).toBe(CAME);
    expect(await source('raw?form=received')).toBe(CAME);
    expect(await source('raw?form=edited')).toBe(LEFT);
    expect(await source('eml')).toBe(LEFT);
    expect(await source('eml?form=received')).toBe(CAME);
    expect((await get(`/api/messages/${id}/raw?form=other`)).statusCode).toBe(400);
    const part = await get(`/api/messages/${id}/raw?form=edited`, { range: 'bytes=0-7' });
    expect([part.statusCode, part.body]).toEqual([206, 'X-Filter']);
  });

  it('has an ETag for each', async () => {
    const id = await keep(editedMessage());
    const [came, left] = [await get(`/api/messages/${id}/raw`), await get(`/api/messages/${id}/eml`)];
    expect(came.headers.etag).not.toBe(left.headers.etag);
    const known = { 'if-none-match': String(left.headers.etag) };
    expect((await get(`/api/messages/${id}/raw?form=edited`, known)).statusCode).toBe(304);
    expect((await get(`/api/messages/${id}/raw`, known)).statusCode).toBe(200);
  });

  it('is the same in both forms when nobody changed it', async () => {
    const id = await keep(sampleMessage({ raw: CAME }));
    const message = (await get(`/api/messages/${id}`)).json();
    expect(message).toMatchObject({ edits: null, quarantine: null });
    const [came, left] = [await get(`/api/messages/${id}/raw`), await get(`/api/messages/${id}/raw?form=edited`)];
    expect([came.body, came.headers.etag]).toEqual([left.body, left.headers.etag]);
  });

  it('is what a client that waits is given', async () => {
    const id = await keep(editedMessage());
    const { edits } = (await get('/api/inboxes/anna@example.com/wait?since=0&timeout=0')).json();
    expect(edits).toEqual((await get(`/api/messages/${id}`)).json().edits);
  });
});

describe('a message in quarantine', () => {
  it('is listed with its reason and found by it', async () => {
    const id = await keep(editedMessage());
    await keep(sampleMessage());
    const { messages } = (await get('/api/search?q=is:quarantined')).json();
    expect(messages).toMatchObject([{ id, quarantine: 'looks odd' }]);
    expect((await get('/api/search?q=-is:quarantined')).json().messages).toMatchObject([{ quarantine: null }]);
  });

  it('is released, and may be put back', async () => {
    const id = await keep(editedMessage());
    const released = await patch(id, { quarantine: null });
    await expectSchema('Summary', released.json());
    expect(released.json()).toMatchObject({ id, quarantine: null });
    expect((await patch(id, { quarantine: 'looks odd' })).json()).toMatchObject({ quarantine: 'looks odd' });
    for (const quarantine of [true, 5, 'x'.repeat(501), ['a']]) {
      expect((await patch(id, { quarantine })).statusCode, JSON.stringify(quarantine).slice(0, 20)).toBe(400);
    }
  });

  it('is released with others at once', async () => {
    const ids = [await keep(editedMessage()), await keep(editedMessage())];
    const reply = await server.app.inject({
      method: 'POST',
      url: '/api/messages/change',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify({ query: 'is:quarantined', quarantine: null }),
    });
    expect(reply.json()).toEqual({ changed: 2, ids });
    expect((await get('/api/search?q=is:quarantined')).json().messages).toEqual([]);
  });
});

describe('credentials for some inboxes', () => {
  it('are told of no recipient of another, neither that it came for nor that a filter added', async () => {
    using file = new AuthFile();
    const token = await file.addToken({ rights: ['read'], scope: ['anna@example.com'] });
    const app: FastifyInstance = server.serve({
      access: await createFileAccess({ file: file.path, report: () => {} }),
    });
    const ask = async (url: string) => await app.inject({ url, headers: bearer(token) });
    const came = sampleMessage({ to: ['anna@example.com', 'secret@example.com'] });
    const { envelope } = sampleMessage({ to: ['anna@example.com', 'added@example.com'] });
    const id = await keep(amend(came, { envelope }));
    const reply = await ask(`/api/messages/${id}`);
    expect(reply.statusCode).toBe(200);
    expect(reply.body).not.toMatch(/secret|added@/);
    expect(reply.json().edits).toBeNull(); // of what they see nothing changed
    const moved = sampleMessage({ to: ['added@example.com'] });
    const other = await keep(amend(sampleMessage(), { envelope: moved.envelope }));
    for (const rest of ['', '/raw', '/raw?form=edited', '/eml?form=received']) {
      expect((await ask(`/api/messages/${other}${rest}`)).statusCode, rest).toBe(404);
    }
  });
});
