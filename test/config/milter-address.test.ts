import { describe, expect, it } from 'vitest';
import { MILTERS } from '../../src/config/milter-address.ts';
import { completeConfig, loadConfig } from '../../src/config.ts';

const USUAL = {
  version: 6,
  whenFailing: 'tempfail',
  connections: 1000,
  connectMs: 5_000,
  commandMs: 30_000,
  contentMs: 120_000,
  endMs: 300_000,
};

function read(...texts: string[]) {
  const value = MILTERS.read(texts, '/base');
  if (!value.ok) throw new Error(value.why);
  return value.value;
}

describe('milters in a configuration', () => {
  it.each([
    ['inet:127.0.0.1:11332', { host: '127.0.0.1', port: 11332 }],
    ['inet:11332@127.0.0.1', { host: '127.0.0.1', port: 11332 }],
    ['inet:[::1]:11332', { host: '::1', port: 11332 }],
    ['inet:filter.example.test:8891', { host: 'filter.example.test', port: 8891 }],
    ['unix:/run/opendkim/socket', { path: '/run/opendkim/socket' }],
    ['local:run/socket', { path: '/base/run/socket' }],
  ])('are where %s says', (text, address) => {
    expect(read(text)).toEqual([{ ...USUAL, name: 'milter-1', address }]);
  });

  it('are treated as is said behind the address', () => {
    const query =
      'name=rspamd&default=accept&version=2&connections=5&connect-timeout=1s&timeout=2s&content-timeout=3s&end-timeout=4s';
    const [one] = read(`inet:127.0.0.1:1?${query}`);
    expect(one).toEqual({
      name: 'rspamd',
      address: { host: '127.0.0.1', port: 1 },
      version: 2,
      whenFailing: 'accept',
      connections: 5,
      connectMs: 1000,
      commandMs: 2000,
      contentMs: 3000,
      endMs: 4000,
    });
  });

  it('are printed as they can be read again', () => {
    const texts = [
      'inet:[::1]:11332?name=dkim&default=quarantine&timeout=90s',
      'unix:/run/s',
      'inet:127.0.0.1:1?version=4',
    ];
    const printed = MILTERS.print(read(...texts));
    expect(read(...(printed as string[]))).toEqual(read(...texts));
    expect(printed).toEqual([...texts.slice(0, 1).map((text) => text.replace('90s', '90s')), ...texts.slice(1)]);
  });

  it.each([
    ['127.0.0.1:11332', 'it begins with none of inet:, unix: and local:'],
    ['inet:11332', '"" is neither a host name nor an address'],
    ['inet:127.0.0.1', '"" is neither a host name nor an address'],
    ['inet:127.0.0.1:0', 'the port is a number from 1 to 65535'],
    ['inet:127.0.0.1:99999', 'the port is a number from 1 to 65535'],
    ['inet:bad_host!:1', '"bad_host!" is neither a host name nor an address'],
    ['unix:', 'the path after unix: is missing'],
    [`unix:/${'x'.repeat(120)}`, 'the path of a socket has at most 107 bytes'],
    ['inet:127.0.0.1:1?default=maybe', 'default is tempfail, reject, shutdown, accept, quarantine'],
    ['inet:127.0.0.1:1?version=5', 'version is 2, 3, 4, 6'],
    ['inet:127.0.0.1:1?timeout=30', 'timeout is a duration above 0 and at most 9m'],
    ['inet:127.0.0.1:1?end-timeout=1h', 'end-timeout is a duration above 0 and at most 9m'],
    ['inet:127.0.0.1:1?connections=0', 'connections is a whole number from 1 to 100000'],
    ['inet:127.0.0.1:1?name=Two%20Words', 'name is letters, digits and hyphens, a letter first, 32 at most'],
    ['inet:127.0.0.1:1?timeout=1s&timeout=2s', 'timeout is given twice'],
    [
      'inet:127.0.0.1:1?',
      '"" is not one of name, default, version, connections, connect-timeout, timeout, content-timeout, end-timeout',
    ],
  ])('cannot be %s', (text, why) => {
    expect(MILTERS.read([text], '/')).toEqual({ ok: false, why: `${JSON.stringify(text)}: ${why}` });
  });

  it('have names of their own, and are not too many', () => {
    expect(MILTERS.read(['unix:/a?name=x', 'unix:/b?name=x'], '/')).toEqual({ ok: false, why: 'two are named x' });
    expect(
      MILTERS.read(
        Array.from({ length: 17 }, () => 'unix:/a'),
        '/',
      ),
    ).toEqual({ ok: false, why: '17 are too many' });
  });

  it('come by flags, file, environment or program, and what is wrong names key and values', () => {
    const flags = loadConfig({ milter: ['unix:/a', 'inet:127.0.0.1:1'] }, {}).config;
    expect(flags.milters.map(({ name }) => name)).toEqual(['milter-1', 'milter-2']);
    expect(loadConfig({}, { INBOXD_MILTER: 'unix:/a unix:/b' }).config.milters).toHaveLength(2);
    expect(completeConfig({ milters: ['unix:/a'] }, {}).milters).toHaveLength(1);
    expect(completeConfig({ milters: flags.milters }, {}).milters).toEqual(flags.milters);
    expect(() => loadConfig({ milter: ['tcp:x'] }, {})).toThrow(
      /^bad value \["tcp:x"\] for milter \(.*\); "tcp:x": it begins with none .*; allowed: inet:HOST:PORT, /,
    );
    expect(() => completeConfig({ milters: [{ ...flags.milters[0]!, connections: 0 }] }, {})).toThrow(/milters/);
  });
});
