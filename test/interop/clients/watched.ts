import { expect } from 'vitest';
import type { DaemonProcess } from '../../support/daemon-process.ts';
import { WireTap } from '../../support/wire-tap.ts';

export interface Watched {
  /** What the client sent as content, in order; already compared with what is stored. */
  readonly contents: readonly Buffer[];
  /** Id of each, as the daemon named it to the client. */
  readonly ids: readonly string[];
  /** Everything the client sent. */
  readonly said: string;
  /** Everything it was answered. */
  readonly heard: string;
}

/**
 * Lets a client send through a wire tap, and expects each content it put on the wire to be stored byte for byte
 * under the id that the daemon named in its reply.
 * @param port listener of the daemon, SMTP's unless given
 */
export async function watch(
  daemon: DaemonProcess,
  send: (port: number) => Promise<unknown>,
  port: number = daemon.smtpPort,
): Promise<Watched> {
  await using tap = await WireTap.open(port);
  await send(tap.port);
  const contents = tap.contents();
  const ids = [...new Set(tap.ids())]; // LMTP names the same message once for each recipient
  expect(contents.length).toBeGreaterThan(0);
  expect(ids.length).toBe(contents.length);
  for (const [index, id] of ids.entries()) {
    expect((await daemon.raw(id)).toString('latin1')).toBe(contents[index]!.toString('latin1'));
  }
  return { contents, ids, said: tap.said(), heard: tap.heard() };
}

/** A message with what trips clients up: dotted lines, 8-bit text, a folded header, a blank last line. */
export const AWKWARD = [
  'From: Ada Lovelace <ada@out.example>',
  'To: Charles <charles@in.example>',
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
  'Date: Fri, 20 Nov 2026 10:00:00 +0000',
  'Message-ID: <awkward@out.example>',
  'X-Folded: one',
  '\ttwo',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  '.',
  '..',
  '.dotted',
  'Grüße, здравствуйте, 你好',
  `${'long '.repeat(199)}.`,
  '',
  '',
]
  .map((line) => `${line}\r\n`)
  .join('');
