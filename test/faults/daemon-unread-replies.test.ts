/** A client that asks and asks and never reads an answer must cost nothing: no memory, and in the end no connection. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { SmtpClient } from '../support/smtp-client.ts';

const MEBIBYTE = 2 ** 20;

/** Sends a text again and again, as fast as it is taken, and reads nothing. */
class Shouter {
  readonly socket: Socket;
  readonly gone: Promise<void>;
  /** Octets that have left for the kernel. */
  taken = 0;

  constructor(port: number, text: string, times: number) {
    const block = Buffer.from(text);
    const socket = connect(port, '127.0.0.1');
    this.socket = socket;
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.pause();
    socket.on('error', () => {}); // being cut is what it is here for
    socket.write('EHLO client.example\r\n');
    const send = (left: number): void => {
      if (left === 0) return;
      socket.write(block, (error) => {
        if (error) return;
        this.taken += block.length;
        send(left - 1);
      });
    };
    send(times);
  }

  /** Waits until nothing more has been taken for two seconds. */
  async untilStill(): Promise<void> {
    for (let last = -1; last !== this.taken; ) {
      last = this.taken;
      await pause(2_000);
    }
  }
}

describe('Unread replies: a client that does not read them', () => {
  let daemon: DaemonProcess;
  let before: number;
  let peak: number;
  let watching: NodeJS.Timeout;
  beforeEach(async () => {
    daemon = await startDaemon({ args: ['--sink', 'discard'] });
    before = residentBytes(daemon);
    peak = before;
    watching = setInterval(() => (peak = Math.max(peak, residentBytes(daemon))), 50);
  });
  afterEach(async () => {
    clearInterval(watching);
    await daemon.stop();
  });

  const expectOthersServed = async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    await client.quit();
  };

  it('is cut, after 12 MB of HELP that would have been answered with a gigabyte', { timeout: 120_000 }, async () => {
    const shouter = new Shouter(daemon.smtpPort, 'HELP\r\n'.repeat(10_000), 200);
    await expectOthersServed();
    await shouter.gone;
    expect(shouter.socket.bytesRead).toBe(0);
    expect(peak - before).toBeLessThan(64 * MEBIBYTE);
    const ends = () => daemon.log.filter(({ msg }) => msg === 'session end').map(({ reason }) => reason);
    await expect.poll(ends, { timeout: 10_000 }).toEqual(['quit', 'failures']);
  });

  /** Messages without content: the most reply octets for the fewest command octets that are not junk. */
  const messages = 'MAIL FROM:<ada@out.example>\r\nRCPT TO:<unread@in.example>\r\nBDAT 0 LAST\r\n'.repeat(1_000);

  it('is paused while its replies wait, and has every one in order when it reads', { timeout: 120_000 }, async () => {
    const offered = 4_000;
    const shouter = new Shouter(daemon.smtpPort, messages, offered);
    await shouter.untilStill();
    expect(shouter.taken).toBeLessThan((offered * messages.length) / 4);
    expect(peak - before).toBeLessThan(192 * MEBIBYTE); // what V8 takes while it is busy; replies would be far beyond
    await expectOthersServed();

    const replies = await readReplies(shouter.socket, 4 * MEBIBYTE);
    const first = replies.findIndex((line) => line.startsWith('250 2.1.0 '));
    const expected = ['250 2.1.0 ', '250 2.1.5 ', '250 2.0.0 OK queued as '];
    expect(replies.slice(first).filter((line, at) => !line.startsWith(expected[at % 3]!))).toEqual([]);
    shouter.socket.destroy();
    await shouter.gone;
  });
});

/** Memory of the daemon's process as the system counts it. */
function residentBytes(daemon: DaemonProcess): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Reads on until there are so many octets; gives the whole lines among them. */
async function readReplies(socket: Socket, octets: number): Promise<string[]> {
  let heard = '';
  await new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      if (heard.length > octets) resolve();
    });
    socket.resume();
  });
  return heard.slice(0, heard.lastIndexOf('\r\n')).split('\r\n');
}
