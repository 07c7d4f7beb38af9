import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listAgents } from '../../src/responders/agent-files.ts';
import { NamedInboxes, readAgentName } from '../../src/responders/agent-names.ts';

describe('the name of an agent', () => {
  it.each([
    ['full', 'Time', { ok: true, kind: 'local', name: 'time' }],
    ['full', 'Time@Bücher.example', { ok: true, kind: 'inbox', name: 'time@xn--bcher-kva.example' }],
    ['local', 'Time', { ok: true, kind: 'inbox', name: 'time' }],
    ['domain', 'Bücher.example', { ok: true, kind: 'inbox', name: 'xn--bcher-kva.example' }],
    ['local', 'time@a.example', { ok: false, why: 'with naming local no inbox has an @ in its name' }],
    ['domain', 'time@a.example', { ok: false, why: 'with naming domain no inbox has an @ in its name' }],
    ['full', 'time+x', { ok: false, why: 'what follows + is no part of the name of an inbox' }],
    ['full', 'a b@', { ok: false, why: 'no inbox can have that name' }],
    ['full', ' ', { ok: false, why: 'no inbox can have that name' }],
    ['full', 'a\u202eb', { ok: false, why: 'no inbox can have that name' }],
  ] as const)('with naming %s, %s', (naming, text, read) => {
    expect(readAgentName(text, naming)).toEqual(read);
  });

  it('of an inbox wins over that of a local part', () => {
    const names = new NamedInboxes<string>('full');
    for (const text of ['time', 'time@a.example']) {
      const read = readAgentName(text, 'full');
      if (read.ok) names.add(read, text);
    }
    expect(
      ['time@a.example', 'time@b.example', 'time', 'ann@a.example', 'a.example'].map((inbox) => names.find(inbox)),
    ).toEqual(['time@a.example', 'time', 'time', undefined, undefined]);
  });

  it('keeps what came first', () => {
    const names = new NamedInboxes<string>('full');
    const read = readAgentName('time', 'full');
    if (!read.ok) throw new Error(read.why);
    expect([names.add(read, 'first'), names.add(read, 'second'), names.find('time@a.example')]).toEqual([
      undefined,
      'first',
      'first',
    ]);
  });
});

describe('a folder of agents', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has agents by the names of its modules', async () => {
    folder = mkdtempSync(join(tmpdir(), 'inboxd-agents-'));
    const names = [
      'echo.ts',
      'time@a.example.mjs',
      'x.js',
      'types.d.ts',
      '.hidden.ts',
      '_shared.ts',
      'notes.txt',
      'ts',
      '.ts',
    ];
    for (const name of names) writeFileSync(join(folder, name), '');
    const listed = await listAgents(folder);
    expect(listed.map(([name, { path }]) => [name, path])).toEqual([
      ['echo', join(folder, 'echo.ts')],
      ['time@a.example', join(folder, 'time@a.example.mjs')],
      ['x', join(folder, 'x.js')],
    ]);
  });
});
