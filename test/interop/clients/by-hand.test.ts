/** A person at a terminal: one line typed, the reply read, the next line typed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';

const TYPED: readonly (readonly [line: string, answer: RegExp])[] = [
  ['helo terminal', /^250 /m],
  ['mail from:<ada@out.example>', /^250 2\.1\.0 /m],
  ['rcpt to:<by-hand@in.example>', /^250 2\.1\.5 /m],
  ['data', /^354 /m],
  ['Subject: By hand\n\nHello.\n..\n.', /^250 2\.0\.0 OK queued as ([0-9a-z]+)/m],
  ['mail from:<>', /^250 2\.1\.0 /m],
  ['rset', /^250 /m],
  ['quit', /^221 /m],
];

/** Types the lines, each after the answer to the one before; gives the id of the message. */
async function converse(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  let heard = '';
  let read = 0;
  let changed = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text.replaceAll('\r', '');
    changed();
  });
  ended.then(() => changed()).catch(() => changed());
  const hear = async (answer: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = answer.exec(heard.slice(read));
      if (match && heard.indexOf('\n', read + match.index) >= 0) {
        read = heard.indexOf('\n', read + match.index) + 1;
        return match;
      }
      if (child.exitCode !== null) throw new Error(`ended before ${answer}; heard:\n${heard}`);
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };
  await hear(/^220 /m);
  let id = '';
  for (const [line, answer] of TYPED) {
    child.stdin.write(`${line}\n`);
    id = (await hear(answer))[1] ?? id;
  }
  await ended;
  return id;
}

describe('a person at a terminal', () => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon.stop());

  const expectStored = async (id: string) =>
    expect((await daemon.raw(id)).toString()).toBe('Subject: By hand\r\n\r\nHello.\r\n.\r\n');

  describeWithPeers('using telnet', ['telnet'], ({ telnet }) => {
    it('can send a message', async () => {
      await expectStored(await converse(telnet, ['127.0.0.1', String(daemon.smtpPort)]));
    });
  });

  describeWithPeers('using socat', ['socat'], ({ socat }) => {
    it('can send a message', async () => {
      await expectStored(await converse(socat, ['-', `TCP:127.0.0.1:${daemon.smtpPort},crlf`]));
    });
  });
});
