import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/error.ts';
import { formatListenUrl } from '../../src/config/listen-url.ts';
import { optionsMarkdown } from '../../src/config/markdown.ts';
import { flagOf, OPTIONS, type Option, variableOf } from '../../src/config/options.ts';
import { describeOrigin } from '../../src/config/origin.ts';
import { type Config, completeConfig, loadConfig } from '../../src/config.ts';
import { SMTP_LIMITS } from '../../src/smtp/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'inboxd-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function tomlFile(text: string | Buffer): string {
  const path = join(folder, `${++files}.toml`);
  writeFileSync(path, text);
  return path;
}

function failure(load: () => unknown): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const urls = (config: Config) => config.listen.map(formatListenUrl);

describe('defaults', () => {
  it('listen on loopback only, keep mail in the state folder of the user', () => {
    const { config, origins } = loadConfig({}, {});
    expect(urls(config)).toEqual(['smtp://127.0.0.1:1025', 'http://127.0.0.1:8025']);
    expect(config.data).toBe(join(homedir(), '.local/state/inboxd'));
    expect(config).toMatchObject({
      naming: 'full',
      keepPerInbox: 500,
      keepBytes: 2 ** 30,
      keepAgeMs: 0,
      sink: { kind: 'store' },
    });
    expect(config).toMatchObject({ maxMessageBytes: SMTP_LIMITS.contentBytes, sinkTimeoutMs: SMTP_LIMITS.sinkMs });
    expect(new Set(Object.values(origins).map(({ source }) => source))).toEqual(new Set(['default']));
  });

  it('take the first state directory of systemd, then the XDG one if that is absolute', () => {
    expect(loadConfig({}, { STATE_DIRECTORY: '/var/lib/inboxd:/var/lib/b', XDG_STATE_HOME: '/x' }).config.data).toBe(
      '/var/lib/inboxd',
    );
    expect(loadConfig({}, { XDG_STATE_HOME: '/x' }).config.data).toBe('/x/inboxd');
    expect(loadConfig({}, { XDG_STATE_HOME: 'x' }).config.data).toBe(join(homedir(), '.local/state/inboxd'));
  });

  it('are what each kind of option accepts, and print to what it reads', () => {
    for (const option of OPTIONS as readonly Option[]) {
      if (option.key === 'listen') continue; // none is named by default
      const value = option.initial({});
      expect(option.kind.accepts(value), option.key).toBe(true);
      expect(option.kind.read(option.kind.print(value), '/'), option.key).toEqual({ ok: true, value });
    }
  });
});

describe('precedence', () => {
  it('is defaults, file, environment, flags; each value knows where it came from', () => {
    const path = tomlFile('keep-per-inbox = 1\nmax-recipients = 101\nnaming = "local"\n');
    const { config, origins } = loadConfig(
      { config: path, 'keep-per-inbox': '3' },
      { INBOXD_KEEP_PER_INBOX: '2', INBOXD_MAX_RECIPIENTS: '102', PATH: '/bin' },
    );
    expect(config).toMatchObject({ keepPerInbox: 3, maxRecipients: 102, naming: 'local' });
    expect(origins['keep-per-inbox']).toEqual({ source: 'flag', flag: '--keep-per-inbox' });
    expect(origins['max-recipients']).toEqual({ source: 'environment', variable: 'INBOXD_MAX_RECIPIENTS' });
    expect(origins.naming).toEqual({ source: 'file', path });
    expect(origins.grace).toEqual({ source: 'default' });
  });

  it('lets the flag name another file than INBOXD_CONFIG', () => {
    const [one, two] = [tomlFile('port = 1'), tomlFile('port = 2')];
    expect(urls(loadConfig({}, { INBOXD_CONFIG: one }).config)[0]).toBe('smtp://127.0.0.1:1');
    expect(urls(loadConfig({ config: two }, { INBOXD_CONFIG: one }).config)[0]).toBe('smtp://127.0.0.1:2');
  });

  it('counts an empty variable as not set', () => {
    expect(loadConfig({}, { INBOXD_KEEP_PER_INBOX: '', INBOXD_CONFIG: '' }).config.keepPerInbox).toBe(500);
  });
});

describe('values', () => {
  it('mean the same in every source', () => {
    const path = tomlFile(
      'keep-bytes = "10MB"\nkeep-age = "7d"\nlenient-syntax = true\ngrace = 0\nmax-message-size = 1048576\n',
    );
    const expected = {
      keepBytes: 10_000_000,
      keepAgeMs: 604_800_000,
      lenientSyntax: true,
      graceMs: 0,
      maxMessageBytes: 1048576,
    };
    expect(loadConfig({ config: path }, {}).config).toMatchObject(expected);
    const texts = {
      'keep-bytes': '10MB',
      'keep-age': '7d',
      'lenient-syntax': 'true',
      grace: '0',
      'max-message-size': '1048576',
    };
    expect(loadConfig(texts, {}).config).toMatchObject(expected);
    const variables = Object.entries(texts).map(([key, text]) => [variableOf(key), text]);
    expect(loadConfig({}, Object.fromEntries(variables)).config).toMatchObject(expected);
  });

  it('resolve paths from the working folder, those of a file from its own, and ~ from home', () => {
    const path = tomlFile('data = "mail"\nsink = "maildir:box"');
    expect(loadConfig({ config: path }, {}, '/work').config).toMatchObject({
      data: join(folder, 'mail'),
      sink: { kind: 'maildir', path: join(folder, 'box') },
    });
    expect(loadConfig({ data: 'mail', sink: './my-sink.ts' }, {}, '/work').config).toMatchObject({
      data: '/work/mail',
      sink: { kind: 'module', path: '/work/my-sink.ts' },
    });
    expect(loadConfig({ sink: 'pipe:./deliver  -d $x' }, {}, '/work').config.sink).toEqual({
      kind: 'pipe',
      command: ['/work/deliver', '-d', '$x'],
    });
    expect(loadConfig({ sink: 'pipe:["cat", "a b", ""]' }, {}, '/work').config.sink).toEqual({
      kind: 'pipe',
      command: ['cat', 'a b', ''],
    });
    expect(loadConfig({ data: '~/mail' }, {}, '/work').config.data).toBe(join(homedir(), 'mail'));
    expect(loadConfig({ data: ':memory:' }, {}, '/work').config.data).toBe(':memory:');
  });

  it('are frozen to the last one', () => {
    const { config } = loadConfig({}, {});
    expect(Object.isFrozen(config) && Object.isFrozen(config.listen) && Object.isFrozen(config.listen[0])).toBe(true);
    expect(Object.isFrozen(config.sink)).toBe(true);
  });
});

describe('listeners', () => {
  it('keep the default one of each protocol that listen does not name', () => {
    expect(urls(loadConfig({ listen: ['lmtp:///run/l.sock'] }, {}).config)).toEqual([
      'smtp://127.0.0.1:1025',
      'http://127.0.0.1:8025',
      'lmtp:///run/l.sock',
    ]);
    expect(urls(loadConfig({ listen: ['smtp://[::1]:0', 'smtp://0.0.0.0:25'] }, {}).config)).toEqual([
      'http://127.0.0.1:8025',
      'smtp://[::1]:0',
      'smtp://0.0.0.0:25',
    ]);
  });

  it('take shorthands for host and ports, and switches', () => {
    expect(urls(loadConfig({ host: '[::]', port: '0', 'http-port': '80' }, {}).config)).toEqual([
      'smtp://[::]:0',
      'http://[::]:80',
    ]);
    expect(urls(loadConfig({ http: false }, {}).config)).toEqual(['smtp://127.0.0.1:1025']);
    expect(urls(loadConfig({}, { INBOXD_SMTP: 'false' }).config)).toEqual(['http://127.0.0.1:8025']);
  });

  it('read a list from a variable with commas or white space, and from a file as text or array', () => {
    const both = ['smtp://127.0.0.1:1', 'http://127.0.0.1:2'];
    expect(urls(loadConfig({}, { INBOXD_LISTEN: both.join(', ') }).config)).toEqual(both);
    expect(urls(loadConfig({ config: tomlFile(`listen = ${JSON.stringify(both)}`) }, {}).config)).toEqual(both);
    expect(urls(loadConfig({ config: tomlFile('listen = "smtp://127.0.0.1:9"\nhttp = false') }, {}).config)).toEqual([
      'smtp://127.0.0.1:9',
    ]);
  });

  it('let a later listen replace an earlier one and set earlier shorthands aside', () => {
    const path = tomlFile('listen = ["smtp://127.0.0.1:1"]');
    expect(urls(loadConfig({ config: path, listen: ['smtp://127.0.0.1:2'], http: false }, {}).config)).toEqual([
      'smtp://127.0.0.1:2',
    ]);
    const variables = { INBOXD_HOST: '0.0.0.0', INBOXD_PORT: '25', INBOXD_SMTP: 'false' };
    expect(urls(loadConfig({ listen: ['smtp://127.0.0.1:2', 'http://127.0.0.1:3'] }, variables).config)).toEqual([
      'smtp://127.0.0.1:2',
      'http://127.0.0.1:3',
    ]);
    expect(urls(loadConfig({ smtp: false }, { INBOXD_PORT: '25' }).config)).toEqual(['http://127.0.0.1:8025']);
  });

  it.each([
    [
      { port: '1', listen: ['smtp://127.0.0.1:2'] },
      'port (flag --port) has no effect: listen names the smtp listeners',
    ],
    [
      { 'http-port': '1', listen: ['http://127.0.0.1:2'] },
      'http-port (flag --http-port) has no effect: listen names the http listeners',
    ],
    [
      { smtp: false, listen: ['smtp://127.0.0.1:2'] },
      'smtp (flag --no-smtp) has no effect: listen names the smtp listeners',
    ],
    [{ port: '1', smtp: false }, 'port (flag --port) has no effect: smtp is off'],
    [
      { host: '::', http: false, listen: ['smtp://127.0.0.1:2'] },
      'host (flag --host) has no effect: no default listener is left',
    ],
    [{ smtp: false, http: false }, 'nothing to listen on: smtp and http are off and listen names nothing'],
  ])('refuse %j', (flags, text) => {
    expect(failure(() => loadConfig(flags, {}))).toMatchObject({ code: 'CONFIG_CONFLICT', message: text });
  });

  it('refuse a shorthand that comes later than a listen and could not change it', () => {
    const path = tomlFile('listen = ["smtp://127.0.0.1:1"]');
    expect(failure(() => loadConfig({ config: path }, { INBOXD_PORT: '2' })).message).toBe(
      'port (variable INBOXD_PORT) has no effect: listen names the smtp listeners',
    );
  });
});

describe('errors', () => {
  it.each([
    [{ port: '99999' }, 'bad value "99999" for port (flag --port); allowed: a whole number from 0 to 65535'],
    [{ naming: 'ful' }, 'bad value "ful" for naming (flag --naming); allowed: full, local, domain; did you mean full?'],
    [{ 'bare-newlines': 'x' }, 'bad value "x" for bare-newlines (flag --bare-newlines); allowed: reject, keep'],
    [
      { 'keep-age': '30' },
      'bad value "30" for keep-age (flag --keep-age); the unit is missing; allowed: a duration such as 30s, 10m, 4h or 7d; 0 is off',
    ],
    [
      { 'keep-bytes': '1G' },
      'bad value "1G" for keep-bytes (flag --keep-bytes); allowed: a size such as 10MB, 1GiB or 1073741824; 0 is off',
    ],
    [
      { 'max-recipients': '99' },
      'bad value "99" for max-recipients (flag --max-recipients); allowed: a whole number from 100 to 100000',
    ],
    [
      { 'sink-timeout': '10m' },
      'bad value "10m" for sink-timeout (flag --sink-timeout); allowed: a duration such as 500ms or 60s, above 0 and below 10m',
    ],
    [
      { sink: 'maildir:' },
      'bad value "maildir:" for sink (flag --sink); the folder after maildir: is missing; allowed: store, discard, maildir:DIR, pipe:COMMAND, or the path of a module ending in .ts, .mts, .js or .mjs',
    ],
    [
      { sink: 'pipe:[1]' },
      'bad value "pipe:[1]" for sink (flag --sink); a command is a program and its arguments, or a JSON array of them; allowed: store, discard, maildir:DIR, pipe:COMMAND, or the path of a module ending in .ts, .mts, .js or .mjs',
    ],
    [
      { sink: 'discrad' },
      'bad value "discrad" for sink (flag --sink); allowed: store, discard, maildir:DIR, pipe:COMMAND, or the path of a module ending in .ts, .mts, .js or .mjs; did you mean discard?',
    ],
    [
      { listen: ['smtp://127.0.0.1:1', 'imap://x:1'] },
      'bad value ["smtp://127.0.0.1:1","imap://x:1"] for listen (flag --listen); imap://x:1: "imap" is not a protocol of listeners (smtp, smtps, lmtp, lmtps, pop3, pop3s, finger, eurechat, eurechats, http, https); allowed: URLs such as smtp://host:port, smtps://host:port, lmtp://host:port, lmtps://host:port, pop3://host:port, pop3s://host:port, finger://host:port, eurechat://host:port, eurechats://host:port, http://host:port, https://host:port or smtp:///path/of.sock; ?tls=required|offered|off may follow smtp, lmtp and pop3',
    ],
  ])('name value, key, place and what is allowed: %j', (flags, text) => {
    expect(failure(() => loadConfig(flags as Record<string, string>, {}))).toMatchObject({
      code: 'CONFIG_BAD_VALUE',
      message: text,
    });
  });

  it.each(['a\r\nb', 'a_b', 'müller.example', '', 'a..b', '-a', '127.0.0.1', `${'a'.repeat(64)}.example`])(
    'refuse the host name %j',
    (hostname) => {
      expect(failure(() => loadConfig({ hostname }, {})).code).toBe('CONFIG_BAD_VALUE');
    },
  );

  it('name an unknown key of each source with its nearest', () => {
    const path = tomlFile('keep_per_inbox = 5');
    expect(failure(() => loadConfig({ config: path }, {}))).toMatchObject({
      code: 'CONFIG_UNKNOWN_KEY',
      message: `unknown key "keep_per_inbox" in file ${path}; did you mean keep-per-inbox?`,
    });
    expect(failure(() => loadConfig({}, { INBOXD_PROT: '25' })).message).toBe(
      'unknown key "INBOXD_PROT" in the environment; did you mean INBOXD_PORT?',
    );
    expect(failure(() => loadConfig({}, { INBOXD_ZZYZX: 'red' })).message).toBe(
      'unknown key "INBOXD_ZZYZX" in the environment; inboxd --help lists what there is',
    );
  });

  it('are listed together', () => {
    const error = failure(() => loadConfig({ port: 'x' }, { INBOXD_PROT: '1', INBOXD_NAMING: 'y' }));
    expect(error.problems.map(({ code }) => code)).toEqual([
      'CONFIG_UNKNOWN_KEY',
      'CONFIG_BAD_VALUE',
      'CONFIG_BAD_VALUE',
    ]);
    expect(error.message.split('\n')).toHaveLength(3);
  });

  it('give line and column of a mistake in TOML', () => {
    const path = tomlFile('port = 1\nnaming = full\n');
    const error = failure(() => loadConfig({ config: path }, {}));
    expect(error.problems[0]).toMatchObject({ code: 'CONFIG_SYNTAX', line: 2, column: 10 });
    expect(error.message.startsWith(`${path}:2:10: not valid TOML: `)).toBe(true);
    expect(error.message).not.toContain('\n');
  });

  it('say why a named file cannot be read', () => {
    const missing = join(folder, 'none.toml');
    expect(failure(() => loadConfig({ config: missing }, {}))).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: `cannot read the configuration file ${missing} (flag --config): there is no such file`,
    });
    expect(failure(() => loadConfig({}, { INBOXD_CONFIG: folder })).message).toBe(
      `cannot read the configuration file ${folder} (variable INBOXD_CONFIG): it is a folder`,
    );
    const latin = tomlFile(Buffer.from([0x23, 0xe9, 0x0a]));
    expect(failure(() => loadConfig({ config: latin }, {})).message).toMatch(/: it is not UTF-8$/);
  });

  it('refuse tables, dates and values of a wrong type in TOML', () => {
    for (const text of [
      '[smtp]\nport = 1',
      'port = 1.5',
      'port = 1979-05-27',
      'naming = ["full"]',
      'lenient-syntax = 1',
      'listen = []',
      'data = 5',
    ]) {
      expect(failure(() => loadConfig({ config: tomlFile(text) }, {})).code, text).toBe('CONFIG_BAD_VALUE');
    }
    expect(failure(() => loadConfig({ config: tomlFile('[log]\nlevel = "info"') }, {})).code).toBe(
      'CONFIG_UNKNOWN_KEY',
    );
    expect(failure(() => loadConfig({ config: tomlFile('config = "other.toml"') }, {})).code).toBe(
      'CONFIG_UNKNOWN_KEY',
    );
  });

  it('keep a long or many-lined value to one bounded line', () => {
    const { message } = failure(() => loadConfig({ naming: `a\nb\u001b[31m${'x'.repeat(9999)}` }, {}));
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/[\n\u001b]/);
  });
});

describe('the profile public', () => {
  it('gives limits that nobody has set, and says so', () => {
    const { config, origins } = loadConfig(
      { profile: 'public', 'address-messages-per-minute': '7' },
      { INBOXD_TARPIT: '1s' },
    );
    expect(config).toMatchObject({
      addressConnections: 50,
      addressMessagesPerMinute: 7,
      tarpitMs: 1000,
      receivedFields: 100,
    });
    expect(describeOrigin(origins['address-connections']!)).toBe('profile public');
    expect(describeOrigin(origins['address-messages-per-minute']!)).toBe('flag --address-messages-per-minute');
    expect(describeOrigin(origins['total-messages-per-minute']!)).toBe('default');
  });

  it('does so for programs too', () => {
    const config = completeConfig({ profile: 'public', subjectRepeats: 0 }, {});
    expect(config).toMatchObject({ addressConnections: 50, subjectRepeats: 0, exempt: ['127.0.0.0/8', '::1/128'] });
  });

  it('is one of three: the others have no limits of the kind', () => {
    for (const profile of ['rfc5321', 'mailinator']) {
      const { config } = loadConfig({ profile }, {});
      expect(config).toMatchObject({
        addressConnections: 0,
        greetWaitMs: 0,
        sessionMessages: 0,
        subjectRepeats: 0,
        lagMs: 0,
      });
    }
  });
});

describe('completeConfig', () => {
  it('completes what a program passes by the same defaults', () => {
    const config = completeConfig(
      { listen: 'smtp://127.0.0.1:0', data: ':memory:', keepAgeMs: 1500, sink: 'discard' },
      {},
    );
    expect(urls(config)).toEqual(['smtp://127.0.0.1:0']);
    expect(urls(completeConfig({}, {}))).toEqual(['smtp://127.0.0.1:1025', 'http://127.0.0.1:8025']);
    expect(config).toMatchObject({ data: ':memory:', keepAgeMs: 1500, sink: { kind: 'discard' }, keepPerInbox: 500 });
  });

  it('takes a whole Config as it is, and freezes only its own copy', () => {
    const listen = [{ protocol: 'smtp', host: '::1', port: 0 }] as const;
    const first = completeConfig({ listen: [...listen] }, {});
    expect(Object.isFrozen(listen[0])).toBe(false);
    expect(completeConfig(first, {})).toEqual(first);
    const { config } = loadConfig({ smtp: false }, {});
    expect(completeConfig(config, {})).toEqual(config);
  });

  it('refuses unknown properties and bad values', () => {
    expect(failure(() => completeConfig({ keepPerInbx: 1 } as never, {})).message).toBe(
      'unknown key "keepPerInbx" in the configuration passed; did you mean keepPerInbox?',
    );
    expect(failure(() => completeConfig({ keepPerInbox: -1 }, {})).message).toBe(
      'bad value -1 for keepPerInbox (program); allowed: a whole number from 0 to 1000000000; 0 is off',
    );
    expect(failure(() => completeConfig({ hostname: 'a\r\n250 b' }, {})).code).toBe('CONFIG_BAD_VALUE');
    expect(failure(() => completeConfig({ listen: [{ protocol: 'smtp', host: 'a b', port: 1 }] }, {})).code).toBe(
      'CONFIG_BAD_VALUE',
    );
  });
});

describe('the table of options', () => {
  it('gives every option once, with a row in the Markdown table', () => {
    expect(new Set(OPTIONS.map(({ key }) => key)).size).toBe(OPTIONS.length);
    expect(new Set(OPTIONS.map(({ property }) => property)).size).toBe(OPTIONS.length);
    const markdown = optionsMarkdown();
    for (const { key } of OPTIONS) {
      expect(key).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
      expect(markdown).toContain(`\`${variableOf(key)}\``);
      expect(markdown.includes(`\`${flagOf(key)}`) || markdown.includes(`\`--no-${key}\``)).toBe(true);
    }
  });
});
