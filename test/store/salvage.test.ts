import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentOf } from '../../src/mail/content.ts';
import type { Message } from '../../src/mail/message.ts';
import { amend } from '../../src/mail/message.ts';
import type { Store } from '../../src/mail/store.ts';
import { salvage } from '../../src/store/sqlite/salvage.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createRandom } from '../support/random.ts';
import { CAME, collect, editedMessage, LEFT, mail, sampleMessage } from './support.ts';

const PAGE_BYTES = 16 * 1024;
const LARGE_BYTES = 200_000;
const MESSAGES = 60;

const top = mkdtempSync(join(tmpdir(), 'inboxd-salvage-'));
const sound = join(top, 'sound');
const from = join(top, 'damaged');
const sent: { message: Message; raw: Buffer }[] = [];

const open = (directory: string): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    isPacking: false,
    report: () => {},
  });

beforeAll(async () => {
  const store = await open(sound);
  for (let number = 0; number < MESSAGES; number++) {
    const body = number % 20 === 7 ? 'x'.repeat(LARGE_BYTES) : `body ${number} ${'lorem '.repeat(1_000)}`;
    const raw = Buffer.from(mail(`number ${number}`, body));
    const message = sampleMessage({ raw, to: [`"box ${number % 5}"@example.com`, 'all@example.com'] });
    sent.push({ message, raw });
    await store.save(message);
  }
  await store.change({ ids: [sent[3]!.message.id] }, { pinned: true, read: true, tags: ['kept'] });
  await store.close();
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** What parsing gives, which a busy machine may be late with. */
const UNPARSED = { snippet: '', attachments: 0 };

let round = 0;
let to: string;
beforeEach(() => {
  rmSync(from, { recursive: true, force: true });
  cpSync(sound, from, { recursive: true });
  to = join(top, `salvaged-${round++}`);
});

const database = join(from, 'inboxd.db');
const run = (format: 'store' | 'eml' | 'mbox' = 'store') => salvage({ from, to, format, naming: 'full' });

/** Every file of the damaged folder, so that a test can say that none has changed. */
function fingerprint(): Record<string, string> {
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

/** Overwrites the pages that hold a text. @returns how many */
function damagePagesWith(text: string): number {
  const bytes = readFileSync(database);
  let pages = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at)) {
    const page = Math.floor(at / PAGE_BYTES);
    bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    pages++;
  }
  writeFileSync(database, bytes);
  return pages;
}

/** Overwrites the first page with rows of a table. */
function damagePageOf(table: string): void {
  const reader = new DatabaseSync(database, { readOnly: true });
  const row = reader.prepare("SELECT min(pgoffset) AS at FROM dbstat WHERE name = ? AND pagetype = 'leaf'").get(table);
  reader.close();
  const bytes = readFileSync(database);
  bytes.fill(0xa5, Number(row?.at), Number(row?.at) + PAGE_BYTES);
  writeFileSync(database, bytes);
}

async function idsIn(directory: string): Promise<string[]> {
  const store = await open(directory);
  const { messages } = await store.list({});
  await store.close();
  return messages.map(({ id }) => id).reverse();
}

describe('a store that is not damaged at all', () => {
  it('has lost nothing by messages that were removed, though their places are still there', async () => {
    const writer = new DatabaseSync(database);
    writer.exec('DELETE FROM messages WHERE seq = 1; INSERT INTO gone VALUES (1)');
    for (const table of ['texts', 'contents', 'received_contents', 'search_texts', 'packed'])
      writer.exec(`DELETE FROM ${table} WHERE seq = 1`);
    writer.close();
    expect(await run()).toEqual({ messages: MESSAGES - 1, incomplete: [], lost: [], troubles: [] });
  });

  it('is salvaged whole: envelope, content, state, order, inboxes', async () => {
    const before = fingerprint();
    expect(await run()).toEqual({ messages: MESSAGES, incomplete: [], lost: [], troubles: [] });
    expect(fingerprint()).toEqual(before);
    const [was, is] = [await open(sound), await open(to)];
    for (const { message, raw } of sent) {
      expect({ ...(await is.get(message.id)), ...UNPARSED }).toEqual({ ...(await was.get(message.id)), ...UNPARSED });
      expect((await collect((await is.content(message.id))!.stream())).equals(raw)).toBe(true);
    }
    expect((await is.inboxes()).inboxes.map(({ inbox }) => inbox).sort()).toEqual(
      (await was.inboxes()).inboxes.map(({ inbox }) => inbox).sort(),
    );
    await was.close();
    await is.close();
  });

  it('is written as a file for each message, octet for octet', async () => {
    await run('eml');
    expect(readdirSync(to).sort()).toEqual(sent.map(({ message }) => `${message.id}.eml`).sort());
    for (const { message, raw } of sent) expect(readFileSync(join(to, `${message.id}.eml`)).equals(raw)).toBe(true);
  });

  it('is written as a mailbox that other programs read', async () => {
    await run('mbox');
    const text = readFileSync(join(to, 'salvaged.mbox'), 'latin1');
    expect(text.match(/^From sender@example\.org \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/gm)).toHaveLength(MESSAGES);
    expect(text).not.toContain('\r');
  });
});

describe('of a damaged store', () => {
  it('a page of content costs the messages on it and no other', async () => {
    expect(damagePagesWith('body 30 ')).toBeGreaterThan(0);
    const before = fingerprint();
    const report = await run();
    expect(fingerprint()).toEqual(before);
    expect(report.messages + report.lost.length).toBe(MESSAGES);
    expect(report.lost.length).toBeGreaterThan(0);
    expect(report.lost.length).toBeLessThan(10);
    expect(report.lost.map(({ subject }) => subject)).toContain('number 30');
    expect(report.troubles.join()).toMatch(/malformed/);
    expect(await idsIn(to)).toEqual(
      sent.map(({ message }) => message.id).filter((id) => !report.lost.some((lost) => lost.id === id)),
    );
  });

  it('a page of rows costs envelopes; the contents come under what their headers say', async () => {
    damagePageOf('messages');
    const report = await run();
    expect(report.messages).toBe(MESSAGES);
    expect(report.incomplete.length).toBeGreaterThan(0);
    const store = await open(to);
    const { messages } = await store.list({});
    expect(messages.map(({ subject }) => subject).toSorted()).toEqual(sent.map((_, n) => `number ${n}`).toSorted());
    const tagged = messages.filter(({ tags }) => tags.includes('salvaged'));
    expect(tagged.length).toBe(report.incomplete.length);
    expect(tagged[0]).toMatchObject({ from: { address: 'sender@example.org' }, inboxes: ['anna@example.com'] });
    await store.close();
  });

  it('the first page costs nothing: where the tables begin is known', async () => {
    writeFileSync(database, readFileSync(database).fill(0, 0, PAGE_BYTES));
    await expect(open(from)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const report = await run();
    expect(report.messages).toBe(MESSAGES);
    expect(report.troubles.join()).toMatch(/not a database/);
  });

  it('nothing but the files of large contents may be left', async () => {
    writeFileSync(database, 'this was a database');
    const report = await run();
    expect(report).toMatchObject({ messages: 3, lost: [] });
    expect(await idsIn(to)).toEqual([7, 27, 47].map((number) => sent[number]!.message.id));
  });

  it('a file that is gone costs its message alone', async () => {
    for (const name of readdirSync(join(from, 'contents')).slice(0, 1)) rmSync(join(from, 'contents', name));
    const report = await run();
    expect(report.messages).toBe(MESSAGES - 1);
    expect(report.lost).toHaveLength(1);
  });

  it('half of the file gives about half of the mail', async () => {
    truncateSync(database, Math.floor(readFileSync(database).length / 2));
    const before = fingerprint();
    const report = await run();
    expect(fingerprint()).toEqual(before);
    expect(report.messages).toBeGreaterThan(MESSAGES / 10);
  });

  it('whatever page is hit, it comes to an end, touches nothing and makes no message up', {
    timeout: 60_000,
  }, async () => {
    const random = createRandom(4711);
    const known = new Map(sent.map(({ message, raw }) => [message.id, raw]));
    for (let attempt = 0; attempt < 12; attempt++) {
      rmSync(from, { recursive: true, force: true });
      cpSync(sound, from, { recursive: true });
      const bytes = readFileSync(database);
      for (let hits = 1 + random() * 4; hits > 0; hits--) {
        const at = Math.floor(random() * bytes.length);
        for (let count = 0; count < 2_000 && at + count < bytes.length; count++) bytes[at + count] = random() * 256;
      }
      writeFileSync(database, bytes);
      const before = fingerprint();
      const target = join(top, `random-${attempt}`);
      const report = await salvage({ from, to: target, format: 'eml', naming: 'full' });
      expect(fingerprint()).toEqual(before);
      const names = readdirSync(target);
      expect(names).toHaveLength(report.messages);
      expect(report.messages).toBeLessThanOrEqual(MESSAGES + 3); // a file whose row is gone comes by itself
      for (const name of names) {
        const raw = known.get(name.slice(0, -4));
        if (raw) expect(readFileSync(join(target, name)).length, name).toBeGreaterThan(0);
      }
      rmSync(target, { recursive: true });
    }
  });
});

describe('a message that filters changed', () => {
  const large = (fill: string): Buffer => Buffer.from(mail(`large ${fill}`, fill.repeat(LARGE_BYTES)));
  const sample = () => {
    const message = editedMessage();
    const huge = amend(sampleMessage({ raw: large('c') }), {
      content: contentOf([large('l')]),
      quarantine: 'too much',
    });
    return [message, huge] as const;
  };
  const own = join(top, 'changed');
  const both = async (store: Store, id: string): Promise<string[]> => {
    const forms = [await store.content(id), await store.content(id, 'edited')];
    return Promise.all(forms.map(async (form) => (await collect(form!.stream())).toString()));
  };
  let messages: readonly Message[];
  beforeEach(async () => {
    rmSync(own, { recursive: true, force: true });
    const store = await open(own);
    messages = sample();
    for (const message of messages) await store.save(message);
    await store.close();
  });
  const salvageOwn = (format: 'store' | 'eml' = 'store') => salvage({ from: own, to, format, naming: 'full' });

  it('is salvaged in both forms, with both envelopes and in quarantine', async () => {
    expect(await salvageOwn()).toEqual({ messages: 2, incomplete: [], lost: [], troubles: [] });
    const [was, is] = [await open(own), await open(to)];
    for (const { id } of messages) {
      expect({ ...(await is.get(id)), ...UNPARSED }).toEqual({ ...(await was.get(id)), ...UNPARSED });
      expect(await both(is, id)).toEqual(await both(was, id));
    }
    expect(await both(is, messages[0]!.id)).toEqual([CAME, LEFT]);
    await was.close();
    await is.close();
  });

  it('is one of which a form may be lost: the other is kept, and said to be all', async () => {
    const files = readdirSync(join(own, 'contents'));
    const [huge] = messages.toReversed();
    expect(files.map((name) => name.endsWith('.received')).sort()).toEqual([false, true]);
    rmSync(join(own, 'contents', files.find((name) => !name.endsWith('.received'))!));
    const { incomplete } = await salvageOwn();
    expect(incomplete).toEqual([{ id: huge!.id, lacks: expect.stringContaining('only what came') }]);
    const store = await open(to);
    expect((await both(store, huge!.id)).map((text) => text === large('c').toString())).toEqual([true, true]);
    expect((await store.get(huge!.id))?.quarantine).toBe('too much');
    await store.close();
  });

  it('and without what came it is what filters left', async () => {
    const file = readdirSync(join(own, 'contents')).find((name) => name.endsWith('.received'))!;
    rmSync(join(own, 'contents', file));
    const { incomplete } = await salvageOwn();
    expect(incomplete).toEqual([{ id: messages[1]!.id, lacks: expect.stringContaining('what came is lost') }]);
  });

  it('is one message still when nothing but its two files is left', async () => {
    writeFileSync(join(own, 'inboxd.db'), 'this was a database');
    expect(await salvageOwn('eml')).toMatchObject({ messages: 1, lost: [] });
    const { id } = messages[1]!;
    expect(readFileSync(join(to, `${id}.eml`)).equals(large('l'))).toBe(true);
    expect(readFileSync(join(to, `${id}.received.eml`)).equals(large('c'))).toBe(true);
  });
});

describe('salvaging refuses', () => {
  it('a store that a daemon has open', async () => {
    const store = await open(from);
    await expect(run()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await store.close();
  });

  it('a folder that is not empty, or lies in the store', async () => {
    await expect(salvage({ from, to: top, format: 'eml', naming: 'full' })).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
    });
    await expect(salvage({ from, to: join(from, 'x'), format: 'eml', naming: 'full' })).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
    });
    expect(existsSync(join(from, 'x'))).toBe(false);
  });

  it('what holds no store', async () => {
    const empty = join(top, 'nothing-here');
    await expect(salvage({ from: empty, to, format: 'eml', naming: 'full' })).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
    expect(existsSync(empty)).toBe(false);
  });
});

describe('opening a damaged store', () => {
  it('does not begin anew where the database is gone and contents are not: they would be removed', async () => {
    for (const lose of [() => rmSync(database), () => truncateSync(database)]) {
      lose();
      const before = fingerprint();
      await expect(open(from)).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining('inboxd salvage'),
      });
      expect(fingerprint()).toMatchObject(before);
      writeFileSync(database, '');
    }
    expect(await run()).toMatchObject({ messages: 3, lost: [] });
  });

  it('names the command that reads what is left', async () => {
    writeFileSync(database, 'this was a database');
    await expect(open(from)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('inboxd salvage'),
    });
  });

  it('a page of content that is damaged costs its messages; the others are read, and new ones kept', async () => {
    damagePagesWith('Subject: number 30\r');
    const store = await open(from);
    const outcomes = await Promise.all(
      sent.map(async ({ message, raw }) => {
        try {
          const content = await store.content(message.id);
          return (await collect(content!.stream())).equals(raw) ? 'whole' : 'wrong';
        } catch (error) {
          return (error as { code?: string }).code;
        }
      }),
    );
    expect(outcomes[30]).toBe('STORE_CORRUPT');
    expect(new Set(outcomes)).toEqual(new Set(['whole', 'STORE_CORRUPT']));
    expect(outcomes.filter((outcome) => outcome === 'whole').length).toBeGreaterThan(MESSAGES - 10);
    const late = sampleMessage({ raw: mail('late') });
    await store.save(late);
    expect((await store.get(late.id))?.subject).toBe('late');
    await store.close();
  });
});
