import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contentOf, createSpool } from '../../src/mail/content.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Sink, Verdict } from '../../src/mail/sink.ts';
import { collect, sampleMessage } from '../store/support.ts';

/** A sink under test and the way to end what it has started. */
export interface SinkUnderTest {
  readonly sink: Sink;
  close?(): Promise<void> | void;
}

const never = new AbortController().signal;

/** What every sink that takes all mail must do: the daemon relies on it. */
export function sinkContract(name: string, create: () => Promise<SinkUnderTest> | SinkUnderTest): void {
  async function using(test: (sink: Sink) => Promise<void>): Promise<void> {
    const { sink, close } = await create();
    try {
      await test(sink);
    } finally {
      await close?.();
    }
  }

  async function accepts(sink: Sink, message: Message): Promise<void> {
    const given = await sink(message, never);
    for (const verdict of [given ?? []].flat() as Verdict[]) expect(verdict.code).toBeLessThan(300);
  }

  describe(`contract of a sink: ${name}`, () => {
    it.each<[string, Message]>([
      ['a usual message', sampleMessage()],
      ['one from the null sender', sampleMessage({ from: '' })],
      ['one without an octet', sampleMessage({ content: contentOf([]) })],
      ['one of all octets, in many views', sampleMessage({ content: contentOf(octets()) })],
      ['one to a thousand', sampleMessage({ to: Array.from({ length: 1000 }, (_, n) => `r${n}@example.com`) })],
      [
        'addresses beyond ASCII, quoted, and long',
        sampleMessage({ from: 'jürgen@exämple.test', to: [`"a b"@example.com`, `${'l'.repeat(64)}@example.com`] }),
      ],
    ])('accepts %s', async (_, message) => using((sink) => accepts(sink, message)));

    it('leaves the message as it was, to be read again', () =>
      using(async (sink) => {
        const message = sampleMessage();
        const { envelope, client } = structuredClone({ envelope: message.envelope, client: message.client });
        const before = await collect(message.content.stream());
        await accepts(sink, message);
        expect(message.envelope).toEqual(envelope);
        expect(message.client).toEqual(client);
        expect(await collect(message.content.stream())).toEqual(before);
      }));

    it('accepts a large message out of its spool file', () =>
      using(async (sink) => {
        const directory = mkdtempSync(join(tmpdir(), 'inboxd-sink-'));
        const writer = createSpool({ directory })();
        for (let part = 0; part < 40; part++) await writer.write(Buffer.alloc(50_000, 'line\r\n'));
        await accepts(sink, sampleMessage({ content: await writer.finish(false) }));
        expect(readdirSync(directory).length).toBeLessThanOrEqual(1); // the store may have taken it
        rmSync(directory, { recursive: true });
      }));

    it('accepts many at once', () =>
      using(async (sink) => {
        await Promise.all(Array.from({ length: 20 }, () => accepts(sink, sampleMessage())));
      }));
  });
}

function octets(): Buffer[] {
  return Array.from({ length: 64 }, (_, n) => Buffer.from([4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3]));
}
