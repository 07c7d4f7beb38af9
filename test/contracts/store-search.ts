import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { summarise } from '../../src/mail/mime.ts';
import { type Matchable, matches, parseQuery, type Query } from '../../src/mail/query.ts';
import type { ListQuery, Store } from '../../src/mail/store.ts';
import { AUTH_METHODS, PENDING } from '../../src/mail/verification.ts';
import { searchedHeaders } from '../../src/store/sqlite/header-text.ts';
import { mail, type Sample, sampleMessage } from '../store/support.ts';
import { createRandom } from '../support/random.ts';
import { until } from '../support/until.ts';
import { verified } from '../support/verifications.ts';
import type { StoreVariant } from './store.ts';

function read(text: string): Query {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(`${text}, column ${parsed.at}: ${parsed.why}`);
  return parsed.value;
}

const RESULTS = ['pass', 'fail', 'none'] as const;

/** What every store finds, and in which pages. */
export function describeStoreSearch({ name, open }: StoreVariant): void {
  describe(`store search contract: ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open({});
    });
    afterAll(() => store.close());
    beforeEach(async () => {
      await store.remove({ all: true });
    });

    async function save(...samples: Sample[]): Promise<string[]> {
      const ids: string[] = [];
      for (const sample of samples) {
        const message = sampleMessage(sample);
        await store.save(message);
        ids.push(message.id);
      }
      return ids;
    }
    const find = async (text: string, query: ListQuery = {}): Promise<string[]> =>
      (await store.list({ query: read(text), ...query })).messages.map(({ id }) => id);
    const indexed = (): Promise<void> => until(async () => (await store.stats()).unindexed === 0);

    describe('counts', () => {
      it('are of all that match, however often they are asked for while messages come, change and go', async () => {
        const query = read('alpha');
        const count = async (): Promise<unknown> => {
          const { matches, unreadMatches } = await store.list({ query, limit: 1, counts: true });
          return [matches, unreadMatches];
        };
        const subject = (text: string): Sample => ({ raw: mail(text, 'text') });
        const ids = await save(subject('alpha one'), subject('alpha two'), subject('beta'));
        expect(await count()).toEqual([2, 2]);
        await indexed();
        expect(await count()).toEqual([2, 2]);
        ids.push(...(await save(subject('alpha three'))));
        expect(await count()).toEqual([3, 3]);
        await indexed();
        expect(await count()).toEqual([3, 3]);
        await store.change({ ids: [ids[0]!] }, { read: true });
        expect(await count()).toEqual([3, 2]);
        await store.remove({ ids: [ids[1]!] });
        expect(await count()).toEqual([2, 1]);
        await store.remove({ inbox: 'someone@example.com' });
        ids.push(...(await save(subject('alpha four'))));
        expect(await count()).toEqual([(await find('alpha')).length, (await find('alpha is:unread')).length]);
      });

      it('end where they are told to', async () => {
        await save(...Array.from({ length: 5 }, () => ({ raw: mail('alpha', 'text') })));
        const { inboxes } = await store.inboxes();
        await indexed();
        // sooner where each message has to be looked at
        for (const [text, most] of [
          ['alpha', 3],
          ['is:unread', 15],
        ] as const) {
          const query = read(text);
          expect(await store.list({ query, limit: 1, countTo: most })).toMatchObject({ matches: 3, isMore: true });
          const whole = await store.list({ query, limit: 1, countTo: 1000 });
          expect([whole.matches, whole.isMore]).toEqual([5, undefined]);
        }
        // what is counted as it comes needs no end
        expect(await store.list({ limit: 1, countTo: 1 })).toMatchObject({ matches: 5 });
        expect(await store.list({ inbox: inboxes[0]!.inbox, limit: 1, countTo: 1 })).toMatchObject({ matches: 5 });
      });
    });

    describe('the oldest first', () => {
      it('is the same list from its other end, in pages too, indexed or not', async () => {
        const ids = await save(...Array.from({ length: 7 }, (_, n) => ({ raw: mail(`alpha ${n}`, 'text') })));
        await indexed();
        ids.push(...(await save({ raw: mail('alpha 7', 'text') }, { raw: mail('alpha 8', 'text') })));
        for (const query of [read('alpha'), read('is:unread'), undefined]) {
          const found: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await store.list({
              oldestFirst: true,
              limit: 2,
              ...(query && { query }),
              ...(cursor !== undefined && { cursor }),
            });
            found.push(...page.messages.map(({ id }) => id));
            cursor = page.next;
          } while (cursor !== undefined);
          expect(found).toEqual(ids);
        }
        expect((await store.list({ oldestFirst: true, limit: 2, start: 6 })).messages.map(({ id }) => id)).toEqual(
          ids.slice(6, 8),
        );
      });
    });

    describe('words', () => {
      it('are found in header fields, texts, HTML and names of attachments, at once and once they are indexed', async () => {
        const raw = [
          'From: Anna <anna@example.org>',
          'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
          'X-Campaign: =?utf-8?q?Fr=C3=BChling?= sale',
          'Content-Type: multipart/mixed; boundary=b',
          '',
          '--b',
          'Content-Type: text/html',
          '',
          '<p>quick <b>brown</b> fox</p>',
          '--b',
          'Content-Type: application/pdf',
          'Content-Disposition: attachment; filename="Bill of March.pdf"',
          '',
          'PDF',
          '--b--',
          '',
        ].join('\r\n');
        const [id] = await save({ raw, to: ['hidden@example.com'] }, {});
        for (const text of [
          'grüße',
          'frühling',
          'brown',
          '"brown fox"',
          'bro*',
          'march',
          'filename:bill',
          'filename:"of march"',
          'from:anna',
          'bcc:hidden',
          'addressed:hidden',
          'subject:GRÜSSE OR subject:grüße',
          'has:attachment',
          'has:attachment fox',
          'header:X-Campaign=frühling',
          'header:x-campaign',
          'header:X-Campaign="frühling sale" fox',
          'fox -cat',
          '(cat OR fox) -dog',
          'inbox:hidden@example.com fox',
          'inbox:hidden@* fox',
          '-has:inline fox',
        ]) {
          // biome-ignore format: a list of searches
          expect([text, await find(text)]).toEqual([text, [id]]);
        }
        await indexed();
        for (const text of [
          'brow',
          'x-campaign',
          'filename:fox',
          'subject:fox',
          'header:X-Campaign=fox',
          '"fox brown"',
          'fox -brown',
        ]) {
          expect([text, await find(text)]).toEqual([text, []]);
        }
        expect(await find('header:X-Campaign=frühling -cat')).toEqual([id]);
      });

      it('need no spaces', async () => {
        const [zh, th, ko] = await save(
          { raw: mail('x', '邮件全文检索') },
          { raw: mail('x', 'ภาษาไทยไม่มีช่องว่าง') },
          { raw: mail('x', '메일을 보냈습니다') },
        );
        for (let round = 0; round < 2; round++) {
          expect(await find('检索')).toEqual([zh]);
          expect(await find('subject:检索')).toEqual([]);
          expect(await find('索检')).toEqual([]);
          expect(await find('ไทย')).toEqual([th]);
          expect(await find('메일')).toEqual([ko]);
          await indexed();
        }
      });

      it('count as found when all messages were looked at before the index came to them', async () => {
        await save({}, {}, {});
        expect((await store.list({})).messages.map(({ snippet }) => snippet)).toEqual(['Hello', 'Hello', 'Hello']);
        await indexed();
        expect(await find('hello')).toHaveLength(3);
      });

      it('go with their message and change with nothing else', async () => {
        const [gone, stays] = await save({ raw: mail('x', 'needle') }, { raw: mail('x', 'needle') });
        await indexed();
        await store.change({ ids: [stays!] }, { read: true, pinned: true, tags: ['needle'] });
        await store.remove({ ids: [gone!] });
        expect(await find('needle')).toEqual([stays]);
        expect(await store.list({ query: read('needle'), counts: true })).toMatchObject({
          matches: 1,
          unreadMatches: 0,
        });
      });

      it('are no longer found in an inbox that the message has left', async () => {
        const [id] = await save({ raw: mail('x', 'needle'), to: ['a@example.com', 'b@example.com'] });
        await indexed();
        await store.remove({ inbox: 'a@example.com' });
        expect(await find('needle', { inbox: 'a@example.com' })).toEqual([]);
        expect(await find('needle inbox:a@example.com')).toEqual([]);
        expect(await find('needle', { inbox: 'b@example.com' })).toEqual([id]);
        expect(await find('needle', { scope: ['a*'] })).toEqual([]);
      });
    });

    describe('pages', () => {
      it('follow each other while messages come and go', async () => {
        const ids = (await save(...Array.from({ length: 10 }, () => ({})))).toReversed();
        for (const query of [{}, { inbox: 'anna@example.com' }, { query: read('hello') }, { scope: ['anna*', 'x*'] }]) {
          const first = await store.list({ ...query, limit: 4 });
          expect(first.messages.map(({ id }) => id)).toEqual(ids.slice(0, 4));
          const [late] = await save({});
          await store.remove({ ids: [ids[2]!] });
          const second = await store.list({ ...query, limit: 4, cursor: first.next! });
          expect(second.messages.map(({ id }) => id)).toEqual(ids.slice(4, 8));
          const last = await store.list({ ...query, limit: 4, cursor: second.next!, counts: true });
          expect(last.messages.map(({ id }) => id)).toEqual(ids.slice(8));
          expect(last).not.toHaveProperty('next');
          expect(last.matches).toBe(10); // all of them, not only those behind the cursor
          await store.remove({ ids: [late!] });
          ids.splice(2, 1);
          ids.unshift(...(await save({})));
        }
      });

      it('refuse a cursor that was never given out', async () => {
        for (const cursor of ['', 'x y', '1-2', '../..', '9'.repeat(30)]) {
          await expect(store.list({ cursor })).rejects.toMatchObject({ code: 'STORE_BAD_CURSOR' });
        }
        await expect(store.inboxes({ cursor: '1' })).rejects.toMatchObject({ code: 'STORE_BAD_CURSOR' });
      });

      it('of inboxes follow each other, the latest first', async () => {
        await save(...Array.from({ length: 7 }, (_, n) => ({ to: [`box${n}@example.com`] })));
        await save({ to: ['one@example.com', 'two@example.com'] }); // these two have the same newest message
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.inboxes({ limit: 2, ...(cursor !== undefined && { cursor }) });
          seen.push(...page.inboxes.map(({ inbox }) => inbox));
          cursor = page.next;
        } while (cursor !== undefined);
        const boxes = [6, 5, 4, 3, 2, 1, 0].map((n) => `box${n}@example.com`);
        expect(seen).toEqual(['one@example.com', 'two@example.com', ...boxes]);
      });
    });

    describe('scopes', () => {
      it('show their inboxes only, in every list', async () => {
        const [a, both, b] = await save(
          { to: ['ci-1@example.com'] },
          { to: ['ci-2@example.com', 'prod@example.com'] },
          { to: ['prod@example.com'] },
        );
        const scope = ['ci-*@example.com'];
        for (let round = 0; round < 2; round++) {
          expect(await find('', { scope })).toEqual([both, a]);
          expect(await find('hello', { scope })).toEqual([both, a]);
          expect(await find('inbox:prod*', { scope })).toEqual([]);
          expect(await find('inbox:prod@example.com', { scope })).toEqual([]);
          expect(await find('', { scope, inbox: 'prod@example.com' })).toEqual([]);
          expect(await find('', { scope: [] })).toEqual([]);
          expect(await find('', { scope: ['*'] })).toEqual([b, both, a]);
          expect(await store.list({ scope, counts: true, limit: 1 })).toMatchObject({ matches: 2, unreadMatches: 2 });
          await indexed();
        }
        expect((await store.inboxes({ scope })).inboxes.map(({ inbox }) => inbox)).toEqual([
          'ci-2@example.com',
          'ci-1@example.com',
        ]);
        expect((await store.inboxes({ scope: [] })).inboxes).toEqual([]);
      });

      it('take only * for more than itself', async () => {
        await save({ to: ['a?c@example.com'] }, { to: ['abc@example.com'] }, { to: ['a[b]c@example.com'] });
        const seen = async (glob: string) => (await store.inboxes({ scope: [glob] })).inboxes.map(({ inbox }) => inbox);
        expect(await seen('a?c*')).toEqual(['a?c@example.com']);
        expect(await seen('a[b]c*')).toEqual(['a[b]c@example.com']);
        expect(await seen('%')).toEqual([]);
        expect(await seen('a*c@*')).toHaveLength(3);
      });

      it('hold for changes and removals', async () => {
        const [a, both, b] = await save(
          { to: ['a@example.com'] },
          { to: ['a@example.com', 'b@example.com'] },
          { to: ['b@example.com'] },
        );
        const scope = ['a@*'];
        expect(await store.change({ ids: [a!, both!, b!], scope }, { read: true })).toEqual([a, both]);
        expect(await store.change({ query: { kind: 'all' }, scope: ['x*'] }, { read: false })).toEqual([]);
        expect(await store.remove({ ids: [b!], scope })).toEqual([]);
        expect(await store.remove({ query: read('subject:subject'), scope })).toEqual([a, both]);
        expect((await store.get(both!))?.inboxes).toEqual(['b@example.com']);
        expect(await store.get(b!)).toBeDefined();
      });
    });

    describe('changes', () => {
      it('set, add and take tags away, whatever their case', async () => {
        const [a, b] = await save({}, {});
        expect(await store.change({ all: true }, { tags: ['To do', 'x', 'X', '  ', 'spa\tce  d'] })).toEqual([a, b]);
        expect((await store.get(a!))?.tags).toEqual(['spa ce d', 'To do', 'x']);
        expect(await store.change({ ids: [a!] }, { addTags: ['TO DO'] })).toEqual([]);
        expect(await store.change({ ids: [a!] }, { addTags: ['new'], removeTags: ['SPA CE D', 'x'] })).toEqual([a]);
        expect((await store.get(a!))?.tags).toEqual(['new', 'To do']);
        expect(await store.tags()).toEqual(
          new Map([
            ['new', 1],
            ['spa ce d', 1],
            ['To do', 2],
            ['x', 1],
          ]),
        );
        expect(await find('tag:"to do"')).toEqual([b, a]);
        expect(await find('tag:to')).toEqual([]);
        expect(await find('tag:to*')).toEqual([b, a]);
        expect(await find('is:tagged -tag:NEW')).toEqual([b]);
        await store.change({ ids: [b!] }, { tags: [] });
        await store.remove({ ids: [a!] });
        expect(await store.tags()).toEqual(new Map());
      });

      it('bound the tags of a message', async () => {
        const [id] = await save({});
        await store.change(
          { ids: [id!] },
          { tags: ['x'.repeat(1000), ...Array.from({ length: 200 }, (_, n) => `t${n}`)] },
        );
        const { tags } = (await store.get(id!))!;
        expect(tags).toHaveLength(100);
        expect(Math.max(...tags.map((tag) => tag.length))).toBeLessThanOrEqual(100);
      });

      it('pin', async () => {
        const [a, b] = await save({}, {});
        expect(await store.change({ ids: [a!] }, { pinned: true, read: true })).toEqual([a]);
        expect(await store.change({ ids: [a!] }, { pinned: true })).toEqual([]);
        expect((await store.list({})).messages.map(({ pinned }) => pinned)).toEqual([false, true]);
        expect(await find('is:pinned')).toEqual([a]);
        expect(await find('-is:pinned')).toEqual([b]);
        expect((await store.stats()).unread).toBe(1);
      });
    });

    describe('bounds', () => {
      const pin = (of: Store, id: string) => of.change({ ids: [id] }, { pinned: true });
      const kept = async (of: Store) => (await of.list({})).messages.map(({ id }) => id);
      async function fill(of: Store, count: number, raw?: Buffer): Promise<string[]> {
        const messages = Array.from({ length: count }, () => sampleMessage(raw ? { raw } : {}));
        for (const message of messages) await of.save(message);
        return messages.map(({ id }) => id);
      }

      it('on messages per inbox leave pinned ones out', async () => {
        const own = await open({ keepPerInbox: 2 });
        const [first, second] = await fill(own, 2);
        await pin(own, first!);
        const more = await fill(own, 2);
        expect(await kept(own)).toEqual([...more.toReversed(), first]);
        expect(await own.get(second!)).toBeUndefined();
        await own.change({ ids: [first!] }, { pinned: false });
        const [last] = await fill(own, 1);
        expect(await kept(own)).toEqual([last, more[1]]);
        await own.close();
      });

      it('on age leave pinned ones out', async () => {
        let now = 1_000_000;
        const own = await open({ keepAgeMs: 10_000, now: () => now });
        const messages = [0, 0, 20_000].map((later) => sampleMessage({ receivedAt: new Date(now + later) }));
        await own.save(messages[0]!);
        await pin(own, messages[0]!.id);
        await own.save(messages[1]!);
        now += 20_000;
        await own.save(messages[2]!);
        expect(await kept(own)).toEqual([messages[2]!.id, messages[0]!.id]);
        await own.close();
      });

      it('on octets take pinned ones last, and take them', async () => {
        const own = await open({ keepBytes: 3000 });
        const raw = Buffer.alloc(1000, 'x');
        const [a, b, c] = await fill(own, 3, raw);
        await pin(own, a!);
        await pin(own, b!);
        const [d] = await fill(own, 1, raw);
        expect(await kept(own)).toEqual([d, b, a]);
        expect(await own.get(c!)).toBeUndefined();
        await pin(own, d!);
        const [e] = await fill(own, 1, raw);
        expect(await kept(own)).toEqual([e, d, b]);
        await own.close();
      });
    });

    it('finds what `matches` says, whatever is asked, before and after it is indexed', async () => {
      const random = createRandom(7);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
      const vocabulary = ['alpha', 'beta', 'gamma', 'alphabet', 'Über', '检索', '检', 'ΟΔΟΣ', '100%', 'a-b', 'x_y'];
      const phrase = (most: number) =>
        Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(vocabulary)).join(' ');
      const samples = Array.from({ length: 60 }, (_, n): Sample => {
        const headers = [
          `X-Kind: ${phrase(2)}`,
          ...(random() < 0.3 ? [`Cc: ${pick(['beta', 'carol'])}@example.net`] : []),
        ];
        const at = new Date(Date.parse('2026-01-01T00:00:00Z') + Math.floor(random() * 5) * 86_400_000);
        const to =
          random() < 0.3
            ? ['alpha@example.com', 'beta@example.org']
            : [pick(['alpha@example.com', 'gamma@example.net'])];
        const raw =
          n % 5 === 0 ? withAttachment(phrase(2), phrase(5), 'alpha report.pdf') : mail(phrase(3), phrase(8), headers);
        return { raw, to, from: pick(['sender@example.org', '']), receivedAt: at };
      });
      const ids = await save(...samples);
      await store.change({ ids: ids.filter((_, n) => n % 3 === 0) }, { read: true });
      await store.change({ ids: ids.filter((_, n) => n % 7 === 0) }, { pinned: true, tags: ['alpha', 'Zwei Wörter'] });
      for (const [n, id] of ids.entries()) {
        const verification = verified({ spf: pick(RESULTS), dkim: n % 4 ? [pick(RESULTS)] : [], dmarc: pick(RESULTS) });
        if (n % 3 > 0) await store.annotate(id, { verification: n % 3 === 1 ? verification : PENDING });
      }
      const mails = await Promise.all(
        ids.map(async (id, n) => [id, await matchable(id, Buffer.from(samples[n]!.raw!))] as const),
      );

      async function matchable(id: string, raw: Buffer): Promise<Matchable> {
        const stored = (await store.get(id))!;
        const { text, fileNames, attachments, inline } = await summarise(raw);
        const envelope = [stored.envelope.from, ...stored.envelope.to.map(({ address }) => address)];
        return { ...stored, envelope, headers: searchedHeaders(raw), text, fileNames, attachments, inline };
      }

      function query(depth: number): Query {
        const kind = random();
        if (depth > 0 && kind < 0.3) {
          const parts = Array.from({ length: 2 + Math.floor(random() * 2) }, () => query(depth - 1));
          return { kind: pick(['and', 'or'] as const), parts };
        }
        if (depth > 0 && kind < 0.45) return { kind: 'not', part: query(depth - 1) };
        const needle = { text: phrase(2), prefix: random() < 0.3, infix: random() < 0.2 };
        if (kind < 0.65) return { kind: 'text', phrase: false, ...needle };
        if (kind < 0.8) {
          const fields = [
            'from',
            'to',
            'cc',
            'bcc',
            'addressed',
            'subject',
            'message-id',
            'filename',
            'tag',
            'reply-to',
          ] as const;
          return {
            kind: 'field',
            field: pick(fields),
            ...needle,
            text: pick(['alpha', 'Beta', 'example', 'sender@example.org', '检', '%']),
          };
        }
        return pick<() => Query>([
          () => ({ kind: 'is', what: pick(['read', 'unread', 'pinned', 'tagged', 'verified', 'pending'] as const) }),
          () => ({ kind: 'result', method: pick(AUTH_METHODS), result: pick(RESULTS) }),
          () => ({ kind: 'has', what: pick(['attachment', 'inline'] as const) }),
          () => ({ kind: pick(['before', 'after'] as const), at: new Date('2026-01-03T00:00:00Z') }),
          () => ({ kind: pick(['larger', 'smaller'] as const), bytes: 200 }),
          () => ({
            kind: 'header',
            name: pick(['x-kind', 'Subject', 'nothing']),
            text: pick(['', 'alpha', '检索', '%']),
          }),
          () => ({
            kind: 'field',
            field: 'inbox',
            text: pick(['alpha@example.com', '*@example.org', 'gam']),
            prefix: random() < 0.5,
          }),
        ])();
      }

      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < 60; n++) {
          const asked = query(3);
          const expected = mails
            .filter(([, message]) => matches(asked, message))
            .map(([id]) => id)
            .toReversed();
          const page = await store.list({ query: asked, counts: true });
          expect({ asked, ids: page.messages.map(({ id }) => id) }).toEqual({ asked, ids: expected });
          expect(page.matches).toBe(expected.length);
          const middle = await store.list({ query: asked, start: 2, limit: 3 });
          expect(middle.messages.map(({ id }) => id)).toEqual(expected.slice(2, 5));
        }
        await indexed();
      }
    }, 120_000);
  });
}

function withAttachment(subject: string, text: string, fileName: string): string {
  return [
    'From: Sender <sender@example.org>',
    `Subject: ${subject}`,
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '--b',
    'Content-Type: application/pdf',
    `Content-Disposition: attachment; filename="${fileName}"`,
    '',
    'PDF',
    '--b--',
    '',
  ].join('\r\n');
}
