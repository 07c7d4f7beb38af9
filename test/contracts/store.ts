import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemorySpool, SPOOL_MEMORY_BYTES } from '../../src/mail/content.ts';
import { createId, type Message } from '../../src/mail/message.ts';
import type { Query, TextField } from '../../src/mail/query.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { collect, mail, sampleMessage } from '../store/support.ts';

/** What the suite sets; everything else is the variant's own. */
export interface StoreSettings {
  readonly naming?: 'full' | 'local' | 'domain';
  readonly keepPerInbox?: number;
  readonly keepBytesPerInbox?: number;
  readonly keepBytes?: number;
  readonly keepAgeMs?: number;
  readonly keptEvents?: number;
  readonly report?: (report: Report) => void;
  readonly now?: () => number;
}

/** One way to have a store; `open` gives an empty one, removed after the test. */
export interface StoreVariant {
  readonly name: string;
  open(settings: StoreSettings): Promise<Store>;
}

/** What every store does, whatever it is made of. */
export function describeStore({ name, open }: StoreVariant): void {
  describe(`store contract: ${name}`, () => {
    let shared: Store; // opening one takes longer than most tests
    let store: Store;
    let reports: Report[];
    let deletedBefore: number;

    beforeAll(async () => {
      shared = await open({ report: (report) => reports.push(report) });
    });
    afterAll(() => shared.close());
    beforeEach(async () => {
      store = shared;
      reports = [];
      await store.remove({ all: true });
      deletedBefore = (await store.stats()).deleted;
      reports = [];
    });
    afterEach(async () => {
      if (store !== shared) await store.close();
    });

    async function openOwn(settings: StoreSettings = {}): Promise<void> {
      if (store !== shared) await store.close();
      store = await open({ report: (report) => reports.push(report), ...settings });
    }

    /** Saves one after the other, so that the last is the newest. */
    async function save(...samples: Parameters<typeof sampleMessage>[0][]): Promise<string[]> {
      const ids: string[] = [];
      for (const sample of samples) {
        const message = sampleMessage(sample);
        await store.save(message);
        ids.push(message.id);
      }
      return ids;
    }

    const read = async (id: string): Promise<Buffer | undefined> => {
      const content = await store.content(id);
      return content && collect(content.stream());
    };
    const list = async (...parts: Query[]): Promise<string[]> =>
      (await store.list({ query: { kind: 'and', parts } })).messages.map(({ id }) => id);
    /** As Mailpit's dialect asks: a part of the text, wherever it stands. */
    const term = (field: TextField | 'any' | 'is', text: string, isNegated = false): Query => {
      const part: Query =
        field === 'is'
          ? { kind: 'is', what: text === 'read' ? 'read' : 'unread' }
          : field === 'any'
            ? { kind: 'text', text, prefix: false, phrase: false, infix: true }
            : { kind: 'field', field, text, prefix: false, infix: true };
      return isNegated ? { kind: 'not', part } : part;
    };

    describe('content', () => {
      const contents: readonly (readonly [string, Buffer])[] = [
        ['nothing', Buffer.alloc(0)],
        ['one octet', Buffer.from('x')],
        ['NUL and 8-bit octets', Buffer.from([0, 13, 10, 255, 128, 0, 46, 10, 13, 0])],
        ['every octet', Buffer.from(Array.from({ length: 256 }, (_, octet) => octet))],
        ['one octet below the limit of the database', randomBytes(SPOOL_MEMORY_BYTES - 1)],
        ['the limit of the database', randomBytes(SPOOL_MEMORY_BYTES)],
        ['one octet above the limit of the database', randomBytes(SPOOL_MEMORY_BYTES + 1)],
        ['5 MiB', randomBytes(5 * 1024 * 1024)],
      ];
      it.each(contents)('comes back byte for byte: %s', async (_, raw) => {
        const [id] = await save({ raw });
        expect((await store.content(id!))?.bytes).toBe(raw.length);
        expect(raw.equals((await read(id!))!)).toBe(true);
        expect((await store.get(id!))?.bytes).toBe(raw.length);
      });

      it('can be read again, and by two at once', async () => {
        const [id] = await save({ raw: mail('twice') });
        const content = (await store.content(id!))!;
        const [first, second] = await Promise.all([collect(content.stream()), collect(content.stream())]);
        expect(first).toEqual(second);
        expect(await collect(content.stream())).toEqual(first);
      });

      it('is joined from its views', async () => {
        const writer = createMemorySpool()();
        for (const part of ['Subject: in ', 'many ', 'parts\r\n', '\r\n', 'x'.repeat(2000), 'end']) {
          await writer.write(Buffer.from(part));
        }
        const [id] = await save({ content: await writer.finish(false) });
        expect((await read(id!))?.toString()).toBe(`Subject: in many parts\r\n\r\n${'x'.repeat(2000)}end`);
      });

      it('is undefined for an unknown id', async () => {
        expect(await store.content(createId())).toBeUndefined();
        expect(await store.get(createId())).toBeUndefined();
      });
    });

    describe('save', () => {
      it('keeps all that is beside the content', async () => {
        const params = new Map<string, string | true>([
          ['NOTIFY', 'SUCCESS,FAILURE'],
          ['__proto__', 'a name like any other'],
          ['FLAG', true],
        ]);
        const message = sampleMessage({ to: ['Anna+News@EXAMPLE.com', 'bob@example.net'], toParams: params });
        await store.save(message);
        const stored = (await store.get(message.id))!;
        expect(stored).toMatchObject({
          id: message.id,
          read: false,
          receivedAt: message.receivedAt,
          bareNewlines: false,
          client: message.client,
          protocol: 'ESMTP',
          session: 'session-1',
          transcript: message.transcript,
          inboxes: ['anna@example.com', 'bob@example.net'],
        });
        expect(stored.envelope.from).toBe('sender@example.org');
        expect(stored.envelope.to.map(({ address, inbox, tag }) => [address, inbox, tag])).toEqual([
          ['Anna+News@EXAMPLE.com', 'anna@example.com', 'News'],
          ['bob@example.net', 'bob@example.net', ''],
        ]);
        expect(new Map(Object.entries(stored.envelope.to[0]!.params))).toEqual(params);
        expect(Object.getPrototypeOf(stored.envelope.to[0]!.params)).toBe(Object.prototype);
      });

      it('keeps what is known of the encryption', async () => {
        const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'mx.example' };
        const plain = sampleMessage();
        const message: Message = { ...plain, protocol: 'UTF8SMTPSA', client: { ...plain.client, tls } };
        await store.save(message);
        expect(await store.get(message.id)).toMatchObject({ client: message.client, protocol: 'UTF8SMTPSA' });
      });

      it('keeps the null reverse-path as an empty text', async () => {
        const [id] = await save({ from: '' });
        expect((await store.get(id!))?.envelope.from).toBe('');
      });

      it('keeps the flag of bare newlines', async () => {
        const writer = createMemorySpool()();
        await writer.write(Buffer.from('a\nb'));
        const [id] = await save({ content: await writer.finish(true) });
        expect((await store.get(id!))?.bareNewlines).toBe(true);
      });

      it('keeps one of two with the same id, also when they come at once', async () => {
        for (const raw of [mail('same'), randomBytes(SPOOL_MEMORY_BYTES + 100)]) {
          const message = sampleMessage({ raw });
          await Promise.all([store.save(message), store.save(message)]);
          await store.save(message);
          expect((await read(message.id))?.equals(Buffer.from(raw))).toBe(true);
        }
        expect((await store.list({ counts: true })).matches).toBe(2);
        expect((await store.stats()).messages).toBe(2);
        expect(reports.filter(({ type }) => type === 'stored')).toHaveLength(2);
      });

      it('puts a message for two recipients of one inbox there once', async () => {
        const [id] = await save({ to: ['anna+a@example.com', 'ANNA@example.com'] });
        expect((await store.inboxes()).inboxes.map(({ inbox, messages }) => [inbox, messages])).toEqual([
          ['anna@example.com', 1],
        ]);
        expect((await store.get(id!))?.envelope.to).toHaveLength(2);
      });

      it('takes 500 at once', async () => {
        const messages = Array.from({ length: 500 }, (_, n) => sampleMessage({ to: [`box${n % 7}@example.com`] }));
        await Promise.all(messages.map((message) => store.save(message)));
        expect((await store.list({ limit: 1, counts: true })).matches).toBe(500);
        expect((await store.inboxes()).inboxes.reduce((sum, { messages }) => sum + messages, 0)).toBe(500);
      });

      it('is seen by every read once it has resolved', async () => {
        for (let n = 0; n < 20; n++) {
          const [id] = await save({});
          const [page, message, content] = await Promise.all([
            store.list({ limit: 1 }),
            store.get(id!),
            store.content(id!),
          ]);
          expect(page.messages[0]?.id).toBe(id);
          expect(message?.id).toBe(id);
          expect(content).toBeDefined();
        }
      });

      it('reports the ids that it took in', async () => {
        const ids = await save({}, {});
        expect(reports.flatMap((report) => (report.type === 'stored' ? report.ids : []))).toEqual(ids);
      });
    });

    describe('summary', () => {
      it('shows the fields of the header', async () => {
        const raw = mail('=?utf-8?q?Gr=C3=BC=C3=9Fe?=', 'The   text\r\nof it', [
          'Cc: carol@example.com',
          'Bcc: dave@example.com',
          'Reply-To: "Eve E." <eve@example.com>',
          'Message-ID: <m1@example.org>',
        ]);
        const [id] = await save({ raw, to: ['anna@example.com', 'zoe@example.com', 'Carol@EXAMPLE.com'] });
        const expected = {
          subject: 'Grüße',
          from: { name: 'Sender', address: 'sender@example.org' },
          to: [{ name: 'Anna', address: 'anna@example.com' }],
          cc: [{ name: '', address: 'carol@example.com' }],
          replyTo: [{ name: 'Eve E.', address: 'eve@example.com' }],
          messageId: 'm1@example.org',
          tags: [],
          attachments: 0,
          snippet: 'The text of it',
        };
        const [summary] = (await store.list({})).messages;
        expect(summary).toMatchObject(expected);
        expect(summary?.bcc.map(({ address }) => address)).toEqual(['dave@example.com', 'zoe@example.com']);
        expect(await store.get(id!)).toMatchObject(expected);
      });

      it('counts attachments right after the save', async () => {
        const raw = [
          'Content-Type: multipart/mixed; boundary=b',
          '',
          '--b',
          'Content-Type: text/plain',
          '',
          'see attached',
          '--b',
          'Content-Type: application/pdf; name=invoice.pdf',
          'Content-Disposition: attachment; filename=invoice.pdf',
          '',
          'PDF',
          '--b--',
          '',
        ].join('\r\n');
        const [id] = await save({ raw });
        expect((await store.list({})).messages[0]).toMatchObject({ attachments: 1, snippet: 'see attached' });
        expect(await list(term('any', 'INVOICE.pdf'))).toEqual([id]);
      });

      it('is empty, not absent, for bytes that are no mail', async () => {
        await save({ raw: Buffer.from([0, 255, 1, 254]) });
        expect((await store.list({})).messages[0]).toMatchObject({ subject: '', from: null, to: [], messageId: '' });
      });
    });

    describe('list', () => {
      it('is newest first, in the order of arrival', async () => {
        const at = new Date(1_700_000_000_000);
        const ids = await save({ receivedAt: at }, { receivedAt: at }, { receivedAt: at });
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual(ids.toReversed());
      });

      it('skips and limits, and counts what is on no page', async () => {
        const ids = (await save({}, {}, {}, {}, {})).toReversed();
        const page = await store.list({ start: 1, limit: 2, counts: true });
        expect(page.messages.map(({ id }) => id)).toEqual(ids.slice(1, 3));
        expect(page).toMatchObject({ matches: 5, unreadMatches: 5 });
        expect((await store.list({ start: 9 })).messages).toEqual([]);
        expect((await store.list({ limit: 0 })).messages).toEqual([]);
        const searched = await store.list({ query: term('subject', 'subject'), start: 1, limit: 2, counts: true });
        expect(searched.messages.map(({ id }) => id)).toEqual(ids.slice(1, 3));
        expect(searched.matches).toBe(5);
      });

      it('gives what came before a time', async () => {
        const [first, second] = await save(
          { receivedAt: new Date(1000) },
          { receivedAt: new Date(2000) },
          { receivedAt: new Date(3000) },
        );
        const page = await store.list({ before: new Date(3000), counts: true });
        expect(page.messages.map(({ id }) => id)).toEqual([second, first]);
        expect(page.matches).toBe(2);
      });

      it('is of one inbox when asked', async () => {
        const [a, both] = await save(
          { to: ['a@example.com'] },
          { to: ['a@example.com', 'b@example.com'] },
          { to: ['b@example.com'] },
        );
        expect((await store.list({ inbox: 'a@example.com' })).messages.map(({ id }) => id)).toEqual([both, a]);
        expect(await store.list({ inbox: 'a@example.com', limit: 1, counts: true })).toMatchObject({
          matches: 2,
          unreadMatches: 2,
        });
        expect((await store.list({ inbox: 'a@example.com', query: term('is', 'unread'), counts: true })).matches).toBe(
          2,
        );
        expect(await store.list({ inbox: 'nobody@example.com', counts: true })).toMatchObject({
          messages: [],
          matches: 0,
        });
      });

      it('changes nothing', async () => {
        const [id] = await save({});
        await store.list({});
        await store.get(id!);
        await read(id!);
        await store.inboxes();
        expect((await store.list({ counts: true })).unreadMatches).toBe(1);
        expect((await store.get(id!))?.read).toBe(false);
      });
    });

    describe('search', () => {
      let first: string;
      let second: string;

      beforeEach(async () => {
        const headers = ['Cc: carol@example.com', 'Reply-To: desk@example.net', 'Message-ID: <Unique-1@example.org>'];
        [first, second] = (await save(
          {
            raw: mail('=?utf-8?q?=C3=84rger_100%_sicher?=', 'Der Körper des Briefs', headers),
            to: ['anna@example.com', 'hidden+tag@blind.example'],
          },
          {
            raw: 'From: "Ünal" <other@sender.example>\r\nTo: team_a@example.com\r\nSubject: plain\r\n\r\nODOS ΟΔΟΣ\r\n',
            from: 'bounce@relay.example',
            to: ['team_a@example.com'],
          },
        )) as [string, string];
      });

      it.each([
        ['any', 'ärger'],
        ['any', 'KÖRPER DES'],
        ['any', 'carol@'],
        ['from', 'Sender@Example.ORG'],
        ['to', 'ANNA'],
        ['cc', 'carol'],
        ['bcc', 'hidden'],
        ['reply-to', 'desk@'],
        ['addressed', 'hidden+tag@BLIND'],
        ['addressed', 'carol'],
        ['addressed', 'desk'],
        ['subject', 'ÄRGER'],
        ['subject', '100%'],
        ['message-id', 'unique-1'],
        ['inbox', 'hidden@blind.example'],
      ] as const)('finds by %s: %s', async (field, text) => {
        expect(await list(term(field, text))).toEqual([first]);
        expect(await list(term(field, text, true))).toEqual([second]);
      });

      it('folds beyond ASCII', async () => {
        expect(await list(term('from', 'üNAL'))).toEqual([second]);
        expect(await list(term('any', 'οδοσ'))).toEqual([second]);
        expect(await list(term('any', 'u\u0308nal'))).toEqual([second]);
      });

      it('takes % and _ as they are', async () => {
        expect(await list(term('subject', '%'))).toEqual([first]);
        expect(await list(term('to', 'm_a'))).toEqual([second]);
        expect(await list(term('to', '_'))).toEqual([second]);
      });

      it('looks at the envelope under addressed only', async () => {
        expect(await list(term('addressed', 'bounce@relay'))).toEqual([second]);
        expect(await list(term('from', 'bounce@relay'))).toEqual([]);
      });

      it('wants all terms', async () => {
        expect(await list(term('from', 'sender'), term('subject', 'plain'))).toEqual([second]);
        expect(await list(term('from', 'sender'), term('subject', 'plain', true))).toEqual([first]);
        expect(await list(term('subject', 'plain'), term('cc', 'carol'))).toEqual([]);
      });

      it('tells read from unread', async () => {
        await store.change({ ids: [first] }, { read: true });
        expect(await list(term('is', 'read'))).toEqual([first]);
        expect(await list(term('is', 'unread'))).toEqual([second]);
        expect(await list(term('is', 'read', true))).toEqual([second]);
        expect(await store.list({ query: term('any', 'example'), counts: true })).toMatchObject({
          matches: 2,
          unreadMatches: 1,
        });
      });

      it('finds no separator of ours', async () => {
        for (const text of ['","', '\x1f', 'name', 'null']) expect(await list(term('from', text))).toEqual([]);
      });

      it('knows the tag that an address gave, and none that nobody gave', async () => {
        const [tagged] = await list(term('addressed', 'hidden+tag@BLIND'));
        expect(await list(term('tag', 'tag'))).toEqual([tagged]);
        expect(await list(term('tag', 'ta'))).toEqual([]);
        expect(await list(term('tag', 'blind'))).toEqual([]);
      });

      it('finds every word of a burst at once', async () => {
        const messages = Array.from({ length: 60 }, (_, n) => sampleMessage({ raw: mail('burst', `needle${n}x`) }));
        await Promise.all(messages.map((message) => store.save(message)));
        expect(await list(term('any', 'NEEDLE59x'))).toEqual([messages[59]?.id]);
        expect((await store.list({ query: term('any', 'needle'), limit: 1, counts: true })).matches).toBe(60);
      });
    });

    describe('inboxes', () => {
      it('are named as asked', async () => {
        for (const [naming, names] of [
          ['full', ['anna@example.com', 'bob@other.example']],
          ['local', ['anna', 'bob']],
          ['domain', ['example.com', 'other.example']],
        ] as const) {
          await openOwn({ naming });
          await save({ to: ['Anna+tag@Example.com'] }, { to: ['bob@OTHER.example'] });
          expect((await store.inboxes()).inboxes.map(({ inbox }) => inbox)).toEqual(names.toReversed());
        }
      });

      it('count messages, unread ones and octets, latest first', async () => {
        const raw = mail('x');
        const at = new Date(1_700_000_000_000);
        const [first] = await save(
          { raw, to: ['a@example.com', 'b@example.com'] },
          { raw, to: ['a@example.com'], receivedAt: at },
        );
        await store.change({ ids: [first!] }, { read: true });
        const bytes = Buffer.byteLength(raw);
        const [a, b] = (await store.inboxes()).inboxes;
        expect(a).toEqual({ inbox: 'a@example.com', messages: 2, unread: 1, bytes: 2 * bytes, newest: at });
        expect(b).toMatchObject({ inbox: 'b@example.com', messages: 1, unread: 0, bytes });
      });

      it('are found by a part of their name, at most so many', async () => {
        await save({ to: ['anna@example.com'] }, { to: ['hanna@example.com'] }, { to: ['bob@example.com'] });
        expect((await store.inboxes({ contains: 'ANNA' })).inboxes.map(({ inbox }) => inbox)).toEqual([
          'hanna@example.com',
          'anna@example.com',
        ]);
        expect((await store.inboxes({ limit: 1 })).inboxes).toHaveLength(1);
        expect((await store.inboxes({ contains: '%' })).inboxes).toEqual([]);
      });
    });

    describe('change', () => {
      it('resolves with what really changed and moves the counters', async () => {
        const [a, b] = await save({}, {});
        expect(await store.change({ ids: [a!, 'unknown'] }, { read: true })).toEqual([a]);
        expect(await store.change({ all: true }, { read: true })).toEqual([b]);
        expect(await store.stats()).toMatchObject({ messages: 2, unread: 0 });
        expect((await store.inboxes()).inboxes[0]?.unread).toBe(0);
        expect((await store.get(a!))?.read).toBe(true);
        expect(await store.change({ inbox: 'anna@example.com' }, { read: false })).toEqual([a, b]);
        expect((await store.list({ counts: true })).unreadMatches).toBe(2);
        expect(await store.change({ query: term('subject', 'nothing') }, { read: true })).toEqual([]);
      });
    });

    describe('remove', () => {
      it('takes messages away by id, with their content', async () => {
        const [a, b] = await save({ raw: randomBytes(SPOOL_MEMORY_BYTES + 1) }, {});
        expect(await store.remove({ ids: [a!, a!, 'unknown'] })).toEqual([a]);
        expect(await store.get(a!)).toBeUndefined();
        expect(await store.content(a!)).toBeUndefined();
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([b]);
        expect(await store.stats()).toMatchObject({ messages: 1, unread: 1, deleted: deletedBefore + 1 });
        expect(reports.at(-1)).toEqual({ type: 'deleted', ids: [a], why: 'asked' });
      });

      it('takes out of one inbox only what lies in others too', async () => {
        const [both, only] = await save({ to: ['a@example.com', 'b@example.com'] }, { to: ['a@example.com'] });
        expect(await store.remove({ inbox: 'a@example.com' })).toEqual([both, only]);
        expect((await store.list({})).messages.map(({ id, inboxes }) => [id, inboxes])).toEqual([
          [both, ['b@example.com']],
        ]);
        expect((await store.inboxes()).inboxes.map(({ inbox }) => inbox)).toEqual(['b@example.com']);
        expect(reports.at(-1)).toEqual({ type: 'deleted', ids: [only], why: 'asked' });
        expect(await store.remove({ inbox: 'b@example.com' })).toEqual([both]);
        expect(await store.stats()).toMatchObject({ messages: 0, unread: 0, inboxes: 0, contentBytes: 0 });
      });

      it('takes some out of one inbox, and none out of another that a star in its name would fit', async () => {
        const [both, starred, plain] = await save(
          { to: ['a*@example.com', 'ab@example.com'] },
          { to: ['a*@example.com'] },
          { to: ['ab@example.com'] },
        );
        expect(await store.remove({ inbox: 'a*@example.com', ids: [both!, plain!, 'unknown'] })).toEqual([both]);
        expect((await store.list({ oldestFirst: true })).messages.map(({ id, inboxes }) => [id, inboxes])).toEqual([
          [both, ['ab@example.com']],
          [starred, ['a*@example.com']],
          [plain, ['ab@example.com']],
        ]);
        expect(await store.remove({ inbox: 'a*@example.com', ids: [] })).toEqual([]);
      });

      it('takes what matches, and everything', async () => {
        const [a] = await save(
          { raw: mail('go', 'body with a wanted word') },
          { raw: mail('stay') },
          { raw: mail('stay') },
        );
        expect(await store.remove({ query: term('any', 'wanted') })).toEqual([a]);
        expect(await store.remove({ all: true })).toHaveLength(2);
        expect(await store.list({ counts: true })).toEqual({ messages: [], matches: 0, unreadMatches: 0 });
        expect(await store.remove({ all: true })).toEqual([]);
      });

      it('knows the newest that is left', async () => {
        const [, b] = await save({ receivedAt: new Date(1000) }, { receivedAt: new Date(2000) });
        await store.remove({ ids: [b!] });
        expect((await store.inboxes()).inboxes[0]?.newest).toEqual(new Date(1000));
      });

      it('goes on while messages arrive', async () => {
        await Promise.all(Array.from({ length: 1200 }, () => store.save(sampleMessage())));
        const removing = store.remove({ all: true });
        const [late] = await save({});
        expect(await removing).toHaveLength(1200);
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([late]);
      });
    });

    describe('retention', () => {
      it('keeps so many per inbox, the newest', async () => {
        await openOwn({ keepPerInbox: 3 });
        const ids = await save(...Array.from({ length: 5 }, () => ({ to: ['a@example.com'] })));
        const [other] = await save({ to: ['b@example.com'] });
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([other, ...ids.slice(2).toReversed()]);
        expect(reports.filter(({ type }) => type === 'deleted')).toEqual([
          { type: 'deleted', ids: [ids[0]], why: 'retention' },
          { type: 'deleted', ids: [ids[1]], why: 'retention' },
        ]);
        expect((await store.stats()).deleted).toBe(2);
      });

      it('keeps so many octets per inbox, the newest, and what is pinned', async () => {
        await openOwn({ keepPerInbox: 0, keepBytesPerInbox: 2500 });
        const raw = Buffer.alloc(1000, 'x');
        const [pinned] = await save({ raw, to: ['a@example.com'] });
        await store.change({ ids: [pinned!] }, { pinned: true });
        const ids = await save(...Array.from({ length: 4 }, () => ({ raw, to: ['a@example.com'] })));
        const [alone] = await save({ raw: Buffer.alloc(9000, 'x'), to: ['b@example.com'] });
        const [large] = await save({ raw: Buffer.alloc(9000, 'x'), to: ['a@example.com', 'b@example.com'] });
        const listed = async (inbox: string) => (await store.list({ inbox })).messages.map(({ id }) => id);
        expect(await listed('a@example.com')).toEqual([large, pinned]);
        expect(await listed('b@example.com')).toEqual([large]);
        for (const id of [...ids, alone!]) expect(await store.get(id)).toBeUndefined();
      });

      it('keeps a message that another inbox still holds', async () => {
        await openOwn({ keepPerInbox: 1 });
        const [both] = await save({ to: ['a@example.com', 'b@example.com'] });
        const [second] = await save({ to: ['a@example.com'] });
        expect((await store.get(both!))?.inboxes).toEqual(['b@example.com']);
        expect((await store.list({ inbox: 'a@example.com' })).messages.map(({ id }) => id)).toEqual([second]);
      });

      it('holds its bounds at every moment of a burst', async () => {
        const raw = Buffer.alloc(1000, 'x');
        await openOwn({ keepPerInbox: 20, keepBytes: 50_000 });
        let isOver = false;
        let looks = 0;
        const look = async (): Promise<void> => {
          while (!isOver) {
            const [{ contentBytes, messages }, inboxes] = await Promise.all([store.stats(), store.inboxes()]);
            expect(contentBytes).toBeLessThanOrEqual(50_000);
            expect(messages).toBeLessThanOrEqual(50);
            for (const inbox of inboxes.inboxes) expect(inbox.messages).toBeLessThanOrEqual(20);
            looks++;
          }
        };
        const looking = look();
        const messages = Array.from({ length: 1500 }, (_, n) =>
          sampleMessage({ raw, to: [`box${n % 5}@example.com`] }),
        );
        await Promise.all(messages.map((message) => store.save(message)));
        isOver = true;
        await looking;
        expect(looks).toBeGreaterThan(0);
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual(
          messages
            .slice(-50)
            .map(({ id }) => id)
            .toReversed(),
        );
      });

      it('keeps a message that is too large alone until the next comes', async () => {
        await openOwn({ keepBytes: 1000 });
        await save({});
        const [large] = await save({ raw: Buffer.alloc(5000, 'x') });
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([large]);
        const [next] = await save({});
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([next]);
      });

      it('drops what is too old when another comes', async () => {
        let now = 1_000_000;
        await openOwn({ keepAgeMs: 10_000, now: () => now });
        await save({ receivedAt: new Date(now) });
        now += 5000;
        const [second] = await save({ receivedAt: new Date(now) });
        now += 6000;
        const [third] = await save({ receivedAt: new Date(now) });
        expect((await store.list({})).messages.map(({ id }) => id)).toEqual([third, second]);
      });

      it('drops what is too old while none comes', async () => {
        let now = 1_000_000;
        let told: (ids: readonly string[]) => void;
        const deleted = new Promise<readonly string[]>((resolve) => {
          told = resolve;
        });
        await openOwn({
          keepAgeMs: 10_000,
          now: () => now,
          report: (report) => report.type === 'deleted' && told(report.ids),
        });
        const [id] = await save({ receivedAt: new Date(now) });
        now += 20_000;
        expect(await deleted).toEqual([id]);
        expect((await store.stats()).messages).toBe(0);
      });

      it('is off at 0', async () => {
        await openOwn({ keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0, now: () => Date.now() + 1e12 });
        await save(...Array.from({ length: 30 }, () => ({ raw: Buffer.alloc(10_000) })));
        expect((await store.stats()).messages).toBe(30);
      });
    });

    describe('stats and life', () => {
      it('count', async () => {
        const raw = mail('x');
        await save({ raw, to: ['a@example.com', 'b@example.com'] }, { raw: randomBytes(SPOOL_MEMORY_BYTES * 2) });
        expect(await store.stats()).toMatchObject({
          messages: 2,
          unread: 2,
          inboxes: 3,
          contentBytes: Buffer.byteLength(raw) + SPOOL_MEMORY_BYTES * 2,
          deleted: deletedBefore,
        });
        expect((await store.stats()).diskBytes).toBeGreaterThan(SPOOL_MEMORY_BYTES * 2);
      });

      it('is ready while open', async () => {
        await openOwn();
        expect(await store.ready()).toBe(true);
        await store.close();
        expect(await store.ready()).toBe(false);
      });

      it('writes what waits before it closes, and takes nothing afterwards', async () => {
        await openOwn();
        const saving = Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            store.save(sampleMessage({ raw: n % 10 ? mail('x') : randomBytes(200_000) })),
          ),
        );
        await store.close();
        await expect(saving).resolves.toHaveLength(50);
        await expect(store.save(sampleMessage())).rejects.toMatchObject({ code: 'STORE_CLOSED' });
        await expect(store.list({})).rejects.toMatchObject({ code: 'STORE_CLOSED' });
        await store.close();
      });
    });
  });
}
