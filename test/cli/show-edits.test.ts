import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amend } from '../../src/mail/message.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { CAME, editedMessage, LEFT, sampleMessage } from '../store/support.ts';
import { Folder, inboxd } from './support.ts';

describe('inboxd show of a message that filters changed', () => {
  const folder = new Folder();
  const data = folder.at('data');
  const message = amend(editedMessage(), { quarantine: 'looks\u001b[31m odd' });
  const plain = sampleMessage();
  const show = async (...args: string[]): Promise<string> => (await inboxd(['show', ...args, '--data', data])).stdout;

  beforeAll(async () => {
    const bounds = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
    const store = await createSqliteStore({ directory: data, ...bounds, report: () => {} });
    await store.save(message);
    await store.save(plain);
    await store.close();
  });
  afterAll(() => folder[Symbol.dispose]());

  it('shows what they left, what they changed, and why it is in quarantine', async () => {
    const page = await show(message.id);
    expect(page).toMatch(/^Subject: +\[SPAM\] Cheap pills$/m);
    expect(page).toContain('withheld');
    expect(page).toMatch(/^Quarantine: +looks.*odd$/m);
    expect(page).not.toContain('\u001b');
    expect(page).toMatch(
      /^Changed: +added X-Filter; changed Subject; body changed; added recipients <bob@example\.com>$/m,
    );
    expect(await show(plain.id)).not.toMatch(/^(Quarantine|Changed):/m);
  });

  it('gives the same as JSON', async () => {
    expect(JSON.parse(await show(message.id, '--json'))).toMatchObject({
      subject: '[SPAM] Cheap pills',
      edits: { headers: { added: [{ name: 'X-Filter', value: 'seen' }] }, body: true },
      received: { bytes: CAME.length },
    });
  });

  it('writes the bytes that were received, or those that filters left', async () => {
    expect(await show(message.id, '--raw')).toBe(CAME);
    expect(await show(message.id, '--raw', '--form', 'received')).toBe(CAME);
    expect(await show(message.id, '--raw', '--form', 'edited')).toBe(LEFT);
    expect((await inboxd(['show', message.id, '--raw', '--form', 'other', '--data', data])).code).toBe(2);
  });
});
