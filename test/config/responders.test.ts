import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENTS, OPTIONAL_MAILBOX, OPTIONAL_SMARTHOST } from '../../src/config/responder-kinds.ts';
import { parseSmarthost } from '../../src/config/smarthost-url.ts';
import { completeConfig, loadConfig } from '../../src/config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('responders', () => {
  const time = ['time', join('/base', 'agents/time.ts')];

  it.each([
    ['a flag that repeats', ['time=agents/time.ts', 'echo=builtin:echo']],
    ['a variable', 'time=agents/time.ts, echo=builtin:echo'],
    ['a table of a file', { time: './agents/time.ts', echo: 'builtin:echo' }],
    [
      'what is printed',
      AGENTS.print([
        ['time', '/base/agents/time.ts'],
        ['echo', 'builtin:echo'],
      ]),
    ],
  ])('are read from %s', (_, raw) => {
    expect(AGENTS.read(raw, '/base')).toEqual({ ok: true, value: [time, ['echo', 'builtin:echo']] });
  });

  it('may have a = in the address or in the path', () => {
    expect(AGENTS.read(['a=b@c.example=/x=y.ts', 'a=/b@c=d.ts'], '/')).toEqual({
      ok: true,
      value: [
        ['a=b@c.example', '/x=y.ts'],
        ['a', '/b@c=d.ts'],
      ],
    });
  });

  it.each([
    ['no module', ['time'], '"time" is none'],
    ['no name', ['=a.ts'], '"=a.ts" is none'],
    ['another extension', ['time=a.py'], '"time=a.py" is none'],
    ['an unknown one of ours', ['time=builtin:date'], '"time=builtin:date" is none'],
    ['two agents', ['a=b.ts', 'a=c.ts'], '"a" has two agents'],
    ['a number', 5, ''],
  ])('with %s are refused', (_, raw, why) => {
    expect(AGENTS.read(raw, '/')).toEqual({ ok: false, why });
  });

  it('stand in a file as responders, from its own folder', () => {
    const file = join(folder, 'inboxd.toml');
    writeFileSync(file, 'responders = { time = "./time.ts", "echo@a.example" = "builtin:echo" }\n');
    expect(loadConfig({ config: file }, {}).config.responders).toEqual([
      ['time', join(folder, 'time.ts')],
      ['echo@a.example', 'builtin:echo'],
    ]);
    expect(completeConfig({ responders: { time: '/a.ts' } }, {}).responders).toEqual([['time', '/a.ts']]);
  });
});

describe('a smarthost', () => {
  it.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, tls: 'offered', user: '', password: '' }],
    ['smtp://me:a%40b@mail.example:25/', { host: 'mail.example', port: 25, tls: 'required', user: 'me', password: 'a@b' }],
    ['smtp://me:x@127.0.0.1:25', { host: '127.0.0.1', port: 25, tls: 'offered', user: 'me', password: 'x' }],
    ['smtp://me:x@mail.example?tls=offered', { host: 'mail.example', port: 587, tls: 'offered', user: 'me', password: 'x' }],
    ['smtps://me@[::1]', { host: '::1', port: 465, tls: 'implicit', user: 'me', password: '' }],
  ])('is %s', (text, read) => {
    expect(parseSmarthost(text)).toEqual(read);
  }); // biome-ignore format: a table

  it.each(['mail.example', 'http://mail.example', 'smtp://', 'smtp://:x@mail.example', 'smtp://a/b', 'smtp://a?tls=maybe', 'smtps://a?tls=off', 'smtp://a?x=y', 'smtp://a b', 'smtp://%ZZ@a'])(
    'is not %s',
    (text) => {
      expect(parseSmarthost(text)).toBeUndefined();
      expect(OPTIONAL_SMARTHOST.read(text, '/').ok).toBe(false);
    },
  ); // biome-ignore format: a list

  it('is printed without its password', () => {
    expect(OPTIONAL_SMARTHOST.print('smtp://me:secret@mail.example:25')).toBe('smtp://me:***@mail.example:25');
    expect(OPTIONAL_SMARTHOST.print('smtp://me@mail.example')).toBe('smtp://me@mail.example');
    const wrong = (): unknown => loadConfig({ smarthost: 'smtp://me:secret@mail.example?tls=x' }, {});
    expect(wrong).toThrow('bad value "smtp://me:***@mail.example?tls=x" for smarthost');
  });
});

describe('conflicts of responders', () => {
  const agent = { responders: { echo: 'builtin:echo' } };
  it.each([
    [{ ...agent, sink: 'discard' }, 'sink has to be store'],
    [{ ...agent, data: ':memory:' }, 'answers have nowhere to go'],
    [{ ...agent, responderSenders: 'verified', verify: 'off' }, 'responder-senders verified needs verify'],
    [{ smarthost: 'smtp://a.example', smarthostPassword: '/x' }, 'smarthost-password has no effect'],
    [{ smarthost: 'smtp://a.example', outbox: '/x' }, 'outbox has no effect'],
  ] as const)('are told: %j', (config, text) => {
    expect(() => completeConfig(config, {})).toThrow(text);
  });
});

describe('the address to forward to', () => {
  it.each([
    ['ann@target.example', true],
    ['', true],
    ['ann', false],
    ['a@b, c@d', false],
    ['a@b\r\nX: y', false],
    ['<ann@target.example>', false],
  ])('%j: %s', (text, isOne) => {
    expect(OPTIONAL_MAILBOX.accepts(text)).toBe(isOne);
  });
});
