import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { decodeFrames, encodeFrame } from '../../src/store/sqlite/intake-frames.ts';
import { IntakeLog, makeIntake, readIntake, SEGMENT_BYTES } from '../../src/store/sqlite/intake-log.ts';
import { layoutOf } from '../../src/store/sqlite/layout.ts';
import { openSqliteReader } from '../../src/store/sqlite/reader.ts';
import { salvage } from '../../src/store/sqlite/salvage.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createRandom } from '../support/random.ts';
import { until } from '../support/until.ts';
import { CAME, collect, LEFT, mail, sampleMessage } from './support.ts';

let directory: string;
let reports: Report[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-intake-'));
  reports = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: (report) => reports.push(report),
  });
const crashes = (): Report[] => reports.filter(({ type }) => type === 'crash');
const idsIn = async (store: Pick<Store, 'list'>): Promise<string[]> =>
  (await store.list({ limit: 1000 })).messages.map(({ id }) => id).sort();

/** Runs test/store/accept.ts until it kills itself. @returns the ids that it had accepted */
async function acceptAndDie(count: number, kind: 'plain' | 'edited' = 'plain'): Promise<string[]> {
  const script = fileURLToPath(new URL('./accept.ts', import.meta.url));
  const died = promisify(execFile)(process.execPath, [script, directory, String(count), kind]);
  const { stdout, signal } = await died.then(
    ({ stdout }) => ({ stdout, signal: undefined }),
    (error: { stdout: string; signal: string }) => error,
  );
  expect(signal).toBe('SIGKILL');
  return JSON.parse(stdout) as string[];
}

/** A frame as the log writes it, of one message; in memory that other frames have been in. */
function frameOf(number: number, arrivals: string, views: readonly Buffer[]): Buffer {
  const bytes = views.reduce((sum, { length }) => sum + length, 0);
  const arrivalBytes = Buffer.byteLength(arrivals);
  const room = Buffer.alloc(4096, 'left by another');
  return encodeFrame(number, { arrivals, arrivalBytes }, [views], bytes, room);
}

describe('frames', () => {
  const frame = (number: number, text: string): Buffer =>
    frameOf(number, `["${text}"]`, [Buffer.from(text), Buffer.from('!')]);

  it('are read back as they were written, up to what is none', () => {
    const segment = Buffer.concat([frame(7, 'one'), frame(8, 'zwölf'), Buffer.alloc(100)]);
    expect(decodeFrames(segment).map(({ number, arrivals }) => [number, arrivals])).toEqual([
      [7, '["one"]'],
      [8, '["zwölf"]'],
    ]);
    expect(decodeFrames(segment)[0]!.contents.toString()).toBe('one!');
  });

  it('end before what an earlier round left, and before one that is torn anywhere', () => {
    expect(decodeFrames(Buffer.concat([frame(9, 'new'), frame(4, 'old'), frame(5, 'old')]))).toHaveLength(1);
    const whole = frame(1, 'a message');
    for (let cut = 0; cut < whole.length; cut++) {
      const torn = Buffer.concat([whole.subarray(0, cut), Buffer.alloc(whole.length - cut)]);
      expect([cut, decodeFrames(torn).length]).toEqual([cut, 0]);
    }
  });

  it('are nothing when an octet has changed, and never an exception', () => {
    const random = createRandom(7);
    const whole = Buffer.concat([frame(1, 'first'), frame(2, 'second')]);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << Math.floor(random() * 8);
      expect(decodeFrames(changed).length).toBeLessThan(2);
    }
    for (let round = 0; round < 200; round++) {
      const noise = Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
      expect(decodeFrames(noise)).toEqual([]);
    }
  });
});

describe('the intake log', () => {
  const one = (bytes: number) => ({ json: '{"id":"x"}', views: [Buffer.alloc(bytes, 'c')], bytes });

  it('fills its segments in turn, and writes over one only when the tables have synced it', async () => {
    const layout = layoutOf(directory);
    expect(makeIntake(layout)).toBe(true);
    const log = new IntakeLog(layout, 0);
    const third = Math.floor(SEGMENT_BYTES / 3);
    for (let n = 0; n < 4; n++) await log.append([one(third)]); // two in each
    expect(log.newest).toBe(4);
    expect(log.wantsSync).toBe(true);
    expect(log.append([one(third)])).toBe('behind');
    log.synced(1);
    expect(log.append([one(third)])).toBe('behind');
    log.synced(2);
    await log.append([one(third)]);
    expect(readIntake(layout, 2).map(({ number }) => number)).toEqual([3, 4, 5]);
    expect(readIntake(layout, 5)).toEqual([]);
    await log.close();
  });

  it('does not take what fits into no segment', async () => {
    const layout = layoutOf(directory);
    makeIntake(layout);
    const log = new IntakeLog(layout, 0);
    expect(log.append([one(SEGMENT_BYTES)])).toBeUndefined();
    await log.close();
  });
});

describe('accept', () => {
  it('is seen by every read that follows, and told of soon', async () => {
    const store = await open();
    const before = store.feed.latest();
    const messages = Array.from({ length: 40 }, (_, n) => sampleMessage({ raw: mail(`number ${n}`) }));
    for (const message of messages) {
      await store.accept(message);
      expect((await store.get(message.id))?.subject).toMatch(/^number/);
    }
    await Promise.all(Array.from({ length: 40 }, () => store.accept(sampleMessage())));
    expect((await store.list({ counts: true })).matches).toBe(80);
    expect((await store.stats()).messages).toBe(80);
    const stored = () => reports.flatMap((report) => (report.type === 'stored' ? report.ids : []));
    await until(() => stored().length === 80);
    expect(await store.feed.since(before, 100)).toHaveLength(80);
    await store.close();
  });

  it('can be changed and removed at once', async () => {
    const store = await open();
    const [kept, gone] = [sampleMessage(), sampleMessage()];
    await Promise.all([store.accept(kept), store.accept(gone)]);
    expect(await store.remove({ ids: [gone.id] })).toEqual([gone.id]);
    await store.accept(sampleMessage({ id: kept.id }));
    expect(await store.change({ ids: [kept.id] }, { pinned: true })).toEqual([kept.id]);
    expect(await idsIn(store)).toEqual([kept.id]);
    await store.close();
  });

  it('keeps the order in which messages came, however they came', async () => {
    const store = await open();
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) {
      const large = n % 7 === 3;
      const message = sampleMessage({ raw: mail(`number ${n}`, large ? 'x'.repeat(200_000) : 'small') });
      ids.push(message.id);
      await (n % 5 === 4 ? store.save(message) : store.accept(message));
    }
    expect((await store.list({ limit: 50 })).messages.map(({ id }) => id)).toEqual(ids.reverse());
    await store.close();
  });

  it('goes through many rounds of its segments and loses nothing', async () => {
    const store = await open();
    const raw = mail('round', 'x'.repeat(60_000));
    const ids: string[] = [];
    for (let round = 0; round < 12; round++) {
      const messages = Array.from({ length: 40 }, () => sampleMessage({ raw }));
      ids.push(...messages.map(({ id }) => id));
      await Promise.all(messages.map((message) => store.accept(message)));
    }
    expect(await idsIn(store)).toEqual(ids.sort());
    await store.close();
    const again = await open();
    expect(await idsIn(again)).toEqual(ids);
    expect(crashes()).toEqual([]);
    await again.close();
  });

  it('writes a content that is kept already only once', async () => {
    const store = await open();
    const large = sampleMessage({ raw: mail('large', 'x'.repeat(200_000)) });
    await store.accept(large);
    await store.accept(large);
    await store.list({});
    await until(() => readdirSync(join(directory, 'contents')).length === 1);
    expect((await collect((await store.content(large.id))!.stream())).length).toBe(large.content.bytes);
    await store.close();
  });

  it('puts aside what the tables cannot take, and says so', async () => {
    const store = await open();
    // a number of octets that is not whole passes into the log, and no table takes it
    const bad = sampleMessage({ raw: mail('bad') });
    const broken = { ...bad, client: { ...bad.client, toJSON: () => undefined } };
    await store.accept({
      ...broken,
      content: { ...bad.content, bytes: 3.5, stream: bad.content.stream, release() {} },
    });
    await store.accept(sampleMessage());
    await store.list({});
    expect(crashes()).toHaveLength(1);
    expect(existsSync(join(directory, 'refused', `${bad.id}.eml`))).toBe(true);
    expect((await store.stats()).messages).toBe(1);
    await store.close();
  });
});

describe('after a kill', () => {
  it('the next start has every message that was accepted, once', async () => {
    let ids: string[] = [];
    for (let round = 0; round < 3; round++) ids = [...ids, ...(await acceptAndDie(20))];
    const store = await open();
    expect(await idsIn(store)).toEqual(expect.arrayContaining(ids));
    expect((await store.stats()).messages).toBe(63);
    expect(crashes()).toEqual([]);
    await store.close();
  });

  it('whoever reads without a daemon has them too', async () => {
    const ids = await acceptAndDie(20);
    const reader = await openSqliteReader(directory, 'full');
    expect(await idsIn(reader)).toEqual(expect.arrayContaining(ids));
    await reader.close();
  });

  it('what filters did to messages is there again, with what came', async () => {
    const ids = await acceptAndDie(20, 'edited');
    const loggedTo = (): number => {
      const database = new DatabaseSync(layoutOf(directory).database);
      const row = database.prepare('SELECT logged_to FROM totals').get();
      database.close();
      return Number(row?.logged_to);
    };
    const waiting = readIntake(layoutOf(directory), loggedTo()).map(({ arrivals }) => arrivals);
    for (const id of ids) expect(waiting.join()).toContain(id); // in the log alone
    const store = await open();
    for (const id of ids) {
      const message = (await store.get(id))!;
      expect(message).toMatchObject({ subject: '[SPAM] Cheap pills', quarantine: 'looks odd' });
      expect(message.inboxes).toEqual(['anna@example.com', 'bob@example.com']);
      expect(message.received?.envelope.to.map(({ address }) => address)).toEqual(['anna@example.com']);
      expect((await collect((await store.content(id))!.stream())).toString()).toBe(CAME);
      expect((await collect((await store.content(id, 'edited'))!.stream())).toString()).toBe(LEFT);
    }
    expect(crashes()).toEqual([]);
    await store.close();
  });

  it('a message that was removed since does not come back', async () => {
    const ids = await acceptAndDie(5);
    let store = await open();
    await store.remove({ all: true });
    await store.close();
    store = await open();
    expect(await idsIn(store)).toEqual([]);
    await store.accept(sampleMessage({ id: ids[0]! }));
    expect(await idsIn(store)).toEqual([ids[0]]);
    await store.close();
  });

  it('a torn end of the log takes nothing with it but what nobody was told of', async () => {
    const ids = await acceptAndDie(5);
    const layout = layoutOf(directory);
    const newest = readIntake(layout).at(-1)!;
    const path = layout.intake.find((one) =>
      decodeFrames(readFileSync(one)).some(({ number }) => number === newest.number),
    )!;
    const used = decodeFrames(readFileSync(path));
    const half = frameOf(newest.number + 1, '[]', [Buffer.alloc(500)]).subarray(0, 100);
    const end = used.reduce(
      (sum, { arrivals, contents }) => sum + 24 + Buffer.byteLength(arrivals) + contents.length,
      0,
    );
    const file = openSync(path, 'r+');
    writeSync(file, half, 0, half.length, end);
    closeSync(file);
    const store = await open();
    expect(await idsIn(store)).toEqual(expect.arrayContaining(ids));
    await store.close();
  });

  it('the messages are salvaged although the database is gone', async () => {
    const ids = await acceptAndDie(5);
    rmSync(join(directory, 'inboxd.db'));
    const to = `${directory}-salvaged`;
    const report = await salvage({ from: directory, to, format: 'eml', naming: 'full' });
    expect(readdirSync(to)).toEqual(expect.arrayContaining(ids.map((id) => `${id}.eml`)));
    expect(report.lost).toEqual([]);
    rmSync(to, { recursive: true, force: true });
  });

  it('both forms of a changed message are salvaged although the database is gone', async () => {
    const ids = await acceptAndDie(3, 'edited');
    rmSync(join(directory, 'inboxd.db'));
    const to = `${directory}-salvaged`;
    const report = await salvage({ from: directory, to, format: 'eml', naming: 'full' });
    expect(report.lost).toEqual([]);
    for (const id of ids) {
      expect(readFileSync(join(to, `${id}.eml`), 'utf8')).toBe(LEFT);
      expect(readFileSync(join(to, `${id}.received.eml`), 'utf8')).toBe(CAME);
    }
    rmSync(to, { recursive: true, force: true });
  });
});

describe('a store', () => {
  it('makes its segments private, once, and closes with nothing left in them', async () => {
    let store = await open();
    await store.accept(sampleMessage());
    await store.close();
    const layout = layoutOf(directory);
    for (const path of layout.intake) expect(statSync(path)).toMatchObject({ mode: 0o100600, size: SEGMENT_BYTES });
    const database = new DatabaseSync(layout.database);
    const loggedTo = Number(database.prepare('SELECT logged_to FROM totals').get()?.logged_to);
    database.close();
    expect(loggedTo).toBe(1);
    expect(readIntake(layout, loggedTo)).toEqual([]);
    store = await open();
    await store.accept(sampleMessage());
    expect((await store.stats()).messages).toBe(2);
    await store.close();
  });
});
