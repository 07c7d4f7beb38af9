import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../src/mail/feed.ts';
import { createId } from '../../src/mail/message.ts';
import { parseQuery, type Query } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { failedVerification, PENDING } from '../../src/mail/verification.ts';
import { sampleMessage } from '../store/support.ts';
import { verified } from '../support/verifications.ts';
import type { StoreVariant } from './store.ts';

/** What every store does with what is learnt about a message after it was taken. */
export function describeAnnotations({ name, open }: StoreVariant): void {
  describe(`store annotation contract: ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open({});
    });
    afterAll(() => store.close());
    beforeEach(async () => void (await store.remove({ all: true })));

    async function save(verification?: Parameters<Store['annotate']>[1]['verification']): Promise<string> {
      const message = { ...sampleMessage(), ...(verification && { verification }) };
      await store.save(message);
      return message.id;
    }
    async function found(text: string): Promise<string[]> {
      const query = parseQuery(text) as { ok: true; value: Query };
      return (await store.list({ query: query.value })).messages.map(({ id }) => id);
    }

    it('knows nothing of the sender until it is told', async () => {
      expect((await store.get(await save()))?.verification).toBeNull();
      const done = verified({ spf: 'pass', dmarc: 'pass' });
      expect((await store.get(await save(done)))?.verification).toEqual(done); // found out before it was saved
    });

    it('writes it down, tells the feed, and says nothing new twice', async () => {
      const id = await save(PENDING);
      const events: ChangeEvent[] = [];
      const stop = store.feed.subscribe((event) => events.push(event));
      const verification = verified({ spf: 'fail', dkim: ['pass', 'fail'], dmarc: 'pass' });
      expect(await store.annotate(id, { verification })).toBe(true);
      expect(await store.annotate(id, { verification })).toBe(true);
      expect(await store.annotate(id, {})).toBe(true);
      stop();
      expect((await store.get(id))?.verification).toEqual(verification);
      expect(events.map(({ type, message, inboxes }) => [type, message, inboxes])).toEqual([
        ['changed', id, ['anna@example.com']],
      ]);
      expect(events[0]?.summary?.verification).toEqual(verification);
    });

    it('knows of no message that is not there', async () => {
      expect(await store.annotate(createId(), { verification: PENDING })).toBe(false);
    });

    it('takes many at once', async () => {
      const ids = await Promise.all(Array.from({ length: 300 }, () => save(PENDING)));
      const verification = verified({ dmarc: 'pass' });
      const told = await Promise.all([...ids, createId()].map((id) => store.annotate(id, { verification })));
      expect(told).toEqual([...ids.map(() => true), false]);
      expect(await found('is:verified')).toHaveLength(300);
    });

    it('gives what is pending, oldest first and page by page', async () => {
      const ids = [await save(PENDING), await save(), await save(PENDING), await save(PENDING)];
      const { client } = sampleMessage();
      const ofIds = (...these: (string | undefined)[]) =>
        these.map((id) => ({ id, mailFrom: 'sender@example.org', client }));
      expect(await store.pending(10)).toEqual(ofIds(ids[0], ids[2], ids[3]));
      expect(await store.pending(1, ids[0])).toEqual(ofIds(ids[2]));
      await store.annotate(ids[2]!, { verification: failedVerification('too late') });
      expect(await store.pending(10)).toEqual(ofIds(ids[0], ids[3]));
      expect(await found('is:pending')).toEqual([ids[3], ids[0]]);
    });

    it('is found by its results', async () => {
      const nobody = await save();
      const signed = await save(verified({ spf: 'softfail', dkim: ['fail', 'pass'], dmarc: 'pass' }));
      const forged = await save(verified({ spf: 'fail', dmarc: 'fail' }));
      const waiting = await save(PENDING);
      expect(await found('is:verified')).toEqual([signed]);
      expect(await found('-is:verified')).toEqual([waiting, forged, nobody]);
      expect(await found('dkim:pass')).toEqual([signed]);
      expect(await found('dkim:FAIL')).toEqual([signed]);
      expect(await found('dkim:none')).toEqual([forged]);
      expect(await found('spf:fail OR spf:softfail')).toEqual([forged, signed]);
      expect(await found('dmarc:fail -dkim:pass')).toEqual([forged]);
      expect(await found('arc:none')).toEqual([forged, signed]);
    });
  });
}
