import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Summariser } from '../../src/store/sqlite/summariser.ts';
import { until } from '../support/until.ts';
import { mail } from './support.ts';

const mails = [1, 2].map((seq) => ({
  seq,
  id: `m${seq}`,
  content: Buffer.from(mail('Subject', `Text ${seq}`)),
  arrival: [],
}));

it('gives snippet, number of attachments and folded text', async () => {
  const summariser = new Summariser({ isBackground: true });
  expect(await summariser.summarise(mails)).toMatchObject([
    { seq: 1, id: 'm1', snippet: 'Text 1', attachments: 0, text: 'text 1' },
    { seq: 2, id: 'm2', snippet: 'Text 2' },
  ]);
  expect(await summariser.summarise([{ seq: 3, id: 'gone', content: '/nowhere/at/all', arrival: [] }])).toEqual([]);
  await summariser.end();
});

it('reads files of any size one after the other, and for calls at the same time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inboxd-summariser-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = ['a'.repeat(300_000), 'short', 'b'.repeat(400_000), 'last'].map((text, at) => {
    const content = join(folder, `m${at}`);
    writeFileSync(content, mail('Subject', text));
    return { seq: at, id: `m${at}`, content, arrival: [] };
  });
  const summariser = new Summariser({ isBackground: false });
  const [forth, back] = await Promise.all([summariser.summarise(files), summariser.summarise(files.toReversed())]);
  const texts = (entries: typeof forth) =>
    entries.map(({ id, text }) => [id, text.trim().slice(0, 5), text.trim().length]);
  // of words without end the search keeps what it looks at
  const expected = [
    ['m0', 'aaaaa', 262_144],
    ['m1', 'short', 5],
    ['m2', 'bbbbb', 262_144],
    ['m3', 'last', 4],
  ];
  expect(texts(forth)).toEqual(expected);
  expect(texts(back)).toEqual(expected.toReversed());
  await summariser.end();
});

it('kills the parser when it takes too long, and starts another for the next mail', async () => {
  const summariser = new Summariser({ isBackground: false }, { parseMs: 0 });
  // no time at all, and nothing that could be done before a timer looks
  const long = mails.map((one) => ({ ...one, content: Buffer.from(mail('Subject', 'word '.repeat(1_000_000))) }));
  const entries = await summariser.summarise(long);
  expect(entries).toEqual(
    mails.map(({ seq, id }) => ({
      seq,
      id,
      snippet: '',
      attachments: 0,
      inline: 0,
      fileNames: [],
      text: '',
      words: [],
    })),
  );
  await summariser.end();
});

it('ends the parser when there is nothing to parse, and starts another for the next mail', async () => {
  const terminate = vi.spyOn(Worker.prototype, 'terminate');
  onTestFinished(() => terminate.mockRestore());
  const summariser = new Summariser({ isBackground: true }, { idleMs: 1 });
  await summariser.summarise(mails);
  await until(() => terminate.mock.calls.length === 1);
  expect(await summariser.summarise(mails)).toMatchObject([{ id: 'm1' }, { id: 'm2' }]);
  await summariser.end();
  expect(terminate.mock.calls.length).toBeGreaterThanOrEqual(2);
});

it('rejects what waits when it is ended', async () => {
  const summariser = new Summariser({ isBackground: false });
  const waiting = summariser.summarise(mails);
  await summariser.end();
  await expect(waiting).rejects.toThrow();
});
