import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FINGER_LIMITS } from '../../src/finger/limits.ts';
import { FingerSession } from '../../src/finger/session.ts';
import type { UserSource } from '../../src/finger/source.ts';
import { finger } from '../../src/finger/table.ts';
import type { Report } from '../../src/mail/report.ts';
import { Connection } from '../../src/wire/connection.ts';
import { type Dialogue, parseDialogues } from '../support/dialogue.ts';
import { FakeSocket } from '../support/fake-socket.ts';
import { until } from '../support/until.ts';

const source: UserSource = {
  async find(user, { verbose }) {
    await delay(1);
    if (user === 'broken') throw new Error('source is broken');
    if (user === 'slow') return new Promise(() => {});
    if (user !== 'alice') return undefined;
    const hostile = 'verbose \x1b[31mred\x1b]0;title\x07\x9b';
    return ['Inbox: alice@example.test', '1 message', ...(verbose ? [hostile] : [])];
  },
  list: async () => ['alice'],
};

async function play({ settings, steps, checks }: Dialogue, cut: 'whole' | 'byte by byte'): Promise<void> {
  const limits: Record<string, number> = { ...FINGER_LIMITS, lingerMs: 20 };
  for (const [key, value] of settings) if (key in limits) limits[key] = Number(value);
  const reports: Report[] = [];
  const session = new FingerSession(
    {
      source,
      limits: limits as typeof FINGER_LIMITS,
      list: (settings.get('list') ?? 'none') as 'none',
      report: (one) => reports.push(one),
    },
    settings.get('client') ?? '192.0.2.1',
  );
  const socket = new FakeSocket();
  let closed = false;
  socket.on('finish', () => {
    closed = true;
  });
  new Connection(socket.asSocket, finger, session).start();
  const expected: string[] = [];
  for (const step of steps) {
    if (step.kind === 'client') {
      if (cut === 'whole') socket.send(step.bytes);
      else for (const octet of step.bytes) socket.send(Buffer.from([octet]));
    } else if (step.kind === 'server') expected.push(`${step.text}\r\n`);
  }
  await until(() => closed);
  expect(Buffer.concat(socket.written).toString('latin1')).toBe(expected.join(''));
  for (const { what, value } of checks) {
    expect(what).toBe('crashes');
    expect(reports.filter(({ type }) => type === 'crash')).toHaveLength(Number(value));
  }
  socket.destroy();
  await until(() => reports.some(({ type }) => type === 'session-end'));
}

describe('finger', () => {
  const file = new URL('../dialogues/finger/queries.txt', import.meta.url);
  for (const dialogue of parseDialogues(readFileSync(file, 'utf8'))) {
    for (const cut of ['whole', 'byte by byte'] as const) it(`${dialogue.name} (${cut})`, () => play(dialogue, cut));
  }
});
