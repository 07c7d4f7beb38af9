/** SMTP smuggling from the outside: a daemon of its own, raw sockets, and nothing but what the other side can see. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { FALSE_ENDS, hasBareNewline, SECOND, shown } from './hostile-ends.ts';

/** Says all of it, in so many segments, and gives the reply lines that came until the daemon hung up. */
async function converse(port: number, texts: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  socket.on('error', () => {}); // a daemon that has refused and hung up may reset what is said to it afterwards
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const text of texts) {
    socket.write(Buffer.from(text, 'utf8'));
    if (texts.length > 1) await pause(5);
  }
  await gone;
  return heard.split('\r\n').filter((line) => line[3] === ' ');
}

interface Way {
  readonly how: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly hello: string;
  readonly keeps: boolean;
  /** So large that it is read away. */
  readonly isTooLarge: boolean;
}

const WAYS: readonly Way[] = [
  { how: 'after EHLO', protocol: 'smtp', hello: 'EHLO', keeps: false, isTooLarge: false },
  { how: 'after HELO', protocol: 'smtp', hello: 'HELO', keeps: false, isTooLarge: false },
  {
    how: 'while a message over the limit is read away',
    protocol: 'smtp',
    hello: 'EHLO',
    keeps: false,
    isTooLarge: true,
  },
  { how: 'by LMTP', protocol: 'lmtp', hello: 'LHLO', keeps: false, isTooLarge: false },
  { how: 'by LMTP, read away', protocol: 'lmtp', hello: 'LHLO', keeps: false, isTooLarge: true },
  { how: 'with --bare-newlines keep', protocol: 'smtp', hello: 'EHLO', keeps: true, isTooLarge: false },
  { how: 'with --bare-newlines keep, read away', protocol: 'smtp', hello: 'EHLO', keeps: true, isTooLarge: true },
];

const LIMIT_BYTES = 4_096;
const ARGS = ['--listen', 'lmtp://127.0.0.1:0', '--max-message-size', String(LIMIT_BYTES), '--keep-per-inbox', '0'];

describe('SMTP smuggling: from the outside', () => {
  let strict: DaemonProcess;
  let keeping: DaemonProcess;
  beforeAll(async () => {
    [strict, keeping] = await Promise.all([
      startDaemon({ args: ARGS }),
      startDaemon({ args: [...ARGS, '--bare-newlines', 'keep'] }),
    ]);
  });
  afterAll(async () => {
    await strict?.stop();
    await keeping?.stop();
  });

  describe.each(WAYS)('$how', ({ protocol, hello, keeps, isTooLarge }) => {
    it.each(FALSE_ENDS.map((end) => [shown(end), end] as const))(
      '%s ends no message, and nothing behind it runs',
      async (_shown, end) => {
        const daemon = keeps ? keeping : strict;
        const port = Number(new URL(daemon.url(protocol)).port);
        const inbox = `box${Math.random().toString(36).slice(2)}@in.test`;
        const content = `Subject: first\r\n\r\n${isTooLarge ? `${'x'.repeat(78)}\r\n`.repeat(LIMIT_BYTES / 60) : 'text'}${end}${SECOND}`;
        const start = `${hello} client.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\n`;
        const rest = '.\r\nNOOP\r\nQUIT\r\n';
        const isRefused = hasBareNewline(end) && !keeps;
        const verdict = isRefused ? '550 5.5.2' : isTooLarge ? '552 5.3.4' : '250 2.0.0';
        const expected = ['220', '250', '250', '250', '354', verdict, ...(isRefused ? [] : ['250 2.0.0', '221 2.0.0'])];

        const cut = content.indexOf(end) + 1; // in one segment, and in the middle of the false end
        const segments = [[start + content + rest], [start, content.slice(0, cut), content.slice(cut), rest]];
        for (const texts of segments) {
          const replies = await converse(port, texts);
          expect(replies.map((reply, at) => reply.slice(0, expected[at]?.length ?? 9))).toEqual(expected);
        }

        const search = await daemon.api(`/search?query=${encodeURIComponent(`addressed:"${inbox}"`)}`);
        const { messages } = (await search.json()) as { messages: { ID: string; Subject: string }[] };
        expect(messages.map(({ Subject }) => Subject)).toEqual(verdict.startsWith('250') ? ['first', 'first'] : []);
        for (const { ID } of messages) {
          const unstuffed = content.replace(/\r\n\./g, '\r\n');
          expect((await daemon.raw(ID)).toString('utf8')).toBe(unstuffed);
        }
      },
    );
  });

  it('\\r\\r\\n.\\r\\n is an end behind a bare CR: refused, and the session with it', async () => {
    const text = `EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\ntext\r\r\n.\r\n${SECOND}.\r\n`;
    const replies = await converse(strict.smtpPort, [text]);
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual(['220', '250', '250', '250', '354', '550']);
  });

  it('nobody got what was smuggled', async () => {
    for (const daemon of [strict, keeping]) {
      const { messages } = await daemon.list();
      expect(messages.filter(({ Subject }) => Subject === 'smuggled')).toEqual([]);
      const inboxes = (await (
        await fetch(`${daemon.httpUrl}/api/inboxes?query=victim`, { headers: { connection: 'close' } })
      ).json()) as {
        inboxes: object[];
      };
      expect(inboxes.inboxes).toEqual([]);
    }
  });

  it('Outbound smuggling: what holds a bare newline is not kept, or kept under a flag that every reader sees', async () => {
    const text =
      'EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<flag@d.test>\r\nDATA\r\nSubject: flag\r\n\r\na\nb\rc\r\n.\r\nQUIT\r\n';
    const refused = await converse(strict.smtpPort, [text]);
    expect(refused.at(-1)).toMatch(/^550 5\.5\.2 /);
    const kept = await converse(keeping.smtpPort, [text]);
    const id = /queued as (\w+)/.exec(kept.at(-2) ?? '')?.[1];
    const shownBy = async (path: string) =>
      (await fetch(`${keeping.httpUrl}${path}`, { headers: { connection: 'close' } })).json();
    expect(await shownBy(`/api/messages/${id}`)).toMatchObject({ bareNewlines: true });
    expect((await keeping.raw(id!)).toString()).toBe('Subject: flag\r\n\r\na\nb\rc\r\n');
  });
});
