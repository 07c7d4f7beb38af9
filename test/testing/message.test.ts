import { expect, it } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { openMessage } from '../../src/testing/message.ts';
import { CAME, editedMessage, LEFT, sampleMessage } from '../store/support.ts';

it('a mail that filters changed is what they left; its raw bytes are what was sent', async () => {
  const bounds = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  const store = await createSqliteStore({ directory: ':memory:', ...bounds, report: () => {} });
  const open = async (id: string) => {
    const [sent, shown] = [(await store.content(id))!, (await store.content(id, 'edited'))!];
    return openMessage((await store.get(id))!, { sent: sent.stream(), shown: shown.stream() });
  };
  const [changed, plain] = [editedMessage(), sampleMessage({ raw: LEFT })];
  await store.save(changed);
  await store.save(plain);
  const mail = await open(changed.id);
  expect(mail.raw().toString()).toBe(CAME);
  expect(mail).toMatchObject({ subject: '[SPAM] Cheap pills', text: 'withheld\n', quarantine: 'looks odd' });
  expect(mail.headers[0]).toMatchObject({ name: 'X-Filter', value: 'seen' });
  expect((await open(plain.id)).quarantine).toBeNull();
  await store.close();
});
