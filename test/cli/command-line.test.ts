import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagOf, OPTIONS } from '../../src/config/options.ts';
import { loadConfig } from '../../src/config.ts';
import { diagramOf } from '../../src/protocols.ts';
import { run } from '../support/run.ts';
import { BIN, Folder, inboxd } from './support.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

describe('inboxd', () => {
  it('prints its version', async () => {
    expect(await inboxd(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('keeps what Node.js makes of its sources, so that no thread has to take the types out of them again', async () => {
    await inboxd(['--version']);
    const kept = readdirSync(new URL('../../node_modules/.cache/inboxd', import.meta.url), { recursive: true });
    expect(kept.length).toBeGreaterThan(10);
  });

  it('explains every command, option and exit code', async () => {
    const { code, stdout, stderr } = await inboxd(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of [
      'serve',
      'ls',
      'show',
      'rm',
      'salvage',
      'tail',
      'wait',
      'search',
      'open',
      'config',
      'diagram',
      'token',
    ])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    for (const { key } of OPTIONS)
      expect(stdout.includes(`${flagOf(key)} `) || stdout.includes(`--no-${key} `), key).toBe(true);
    for (const exit of ['0', '1', '2', '70', '130, 143']) expect(stdout).toContain(`\n  ${exit} `);
  });

  it.each([
    [['sl'], 'inboxd: unknown command "sl"; did you mean ls?\n'],
    [
      ['frobnicate'],
      'inboxd: unknown command "frobnicate"; there are serve, ls, show, rm, salvage, tail, wait, search, open, webhooks, config, diagram, doctor, print, token, user, milter, responder\n',
    ],
    [['--data', '/x', 'ls'], 'inboxd: the command comes first: inboxd ls ...\n'],
    [['--prot', '25'], "inboxd: unknown option '--prot'\n(Did you mean --port?)\n"],
    [['ls', '--port', '25'], "inboxd: unknown option '--port'\n"],
    [['show'], "inboxd: missing required argument 'id'\n"],
    [['show', 'latest', '--raw', '--json'], "inboxd: option '--raw' cannot be used with option '--json'\n"],
    [['rm'], 'inboxd: say what to remove: either ids, or --inbox, or --all\n'],
    [['rm', 'x', '--all'], 'inboxd: say what to remove: either ids, or --inbox, or --all\n'],
    [['rm', '--inbox', 'x', 'y'], 'inboxd: say what to remove: either ids, or --inbox, or --all\n'],
    [
      ['--port', '70000'],
      'inboxd: bad value "70000" for port (flag --port); allowed: a whole number from 0 to 65535\n',
    ],
    [
      ['--naming', 'ful'],
      'inboxd: bad value "ful" for naming (flag --naming); allowed: full, local, domain; did you mean full?\n',
    ],
    [
      ['--config', '/nowhere.toml'],
      'inboxd: cannot read the configuration file /nowhere.toml (flag --config): there is no such file\n',
    ],
    [
      ['ls', '--data', ':memory:'],
      'inboxd: data is :memory:, which only the daemon itself can see; ask its HTTP API instead\n',
    ],
    [
      ['ls', '--data', '/nowhere'],
      'inboxd: /nowhere holds no mail yet; start inboxd on it, or name another folder with --data\n',
    ],
  ])('answers %j with usage, exit code 2', async (args, stderr) => {
    expect(await inboxd(args)).toEqual({ code: 2, stdout: '', stderr });
  });

  it('names a mistyped variable, in every command', async () => {
    const text = 'inboxd: unknown key "INBOXD_KEEP_PER_INBX" in the environment; did you mean INBOXD_KEEP_PER_INBOX?\n';
    for (const args of [[], ['ls'], ['config']]) {
      expect(await inboxd(args, { INBOXD_KEEP_PER_INBX: '5' })).toEqual({ code: 2, stdout: '', stderr: text });
    }
  });

  it('tells each of several mistakes in a line', async () => {
    const { code, stderr } = await inboxd(['--port', 'x', '--grace', '5'], { INBOXD_NAMING: 'y' });
    expect(code).toBe(2);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 30)),
    ).toEqual(['inboxd: bad value "y" for nami', 'inboxd: bad value "x" for port', 'inboxd: bad value "5" for grac']);
  });

  it('ends quietly when its reader has had enough', async () => {
    const { stdout, stderr } = await run('sh', [
      '-c',
      `"$0" "$1" --help | head -n 1; "$0" "$1" config --json | true`,
      process.execPath,
      BIN,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'Usage: inboxd [options] [command]\n', stderr: '' });
  });

  it('wants Node.js 24.6, and says so before anything else can fail', async () => {
    const source = readFileSync(BIN, 'utf8');
    expect(source).not.toMatch(/^import /m);
    using folder = new Folder();
    const old = folder.at('old.mjs');
    for (const version of ['20.19.0', '24.5.9']) {
      writeFileSync(old, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
      const { code, stderr } = await run(process.execPath, ['--import', old, BIN]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `inboxd: needs Node.js 24.6 or later, this is ${version}\n`,
      });
    }
  });
});

describe('inboxd config', () => {
  it('shows each value and where it came from', async () => {
    using folder = new Folder();
    const file = folder.at('inboxd.toml');
    writeFileSync(file, 'keep-per-inbox = 7\nnaming = "local"\n');
    const { code, stdout } = await inboxd(['config', '--config', file, '--port', '0'], { INBOXD_NAMING: 'domain' });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^listen += \["smtp:\/\/127\.0\.0\.1:0", "http:\/\/127\.0\.0\.1:8025"\] +# default, port from flag --port$/m,
    );
    expect(stdout).toMatch(new RegExp(`^keep-per-inbox += 7 +# file ${file}$`, 'm'));
    expect(stdout).toMatch(/^naming += "domain" +# variable INBOXD_NAMING$/m);
    expect(stdout).toMatch(/^keep-bytes += "1GiB" +# default$/m);
  });

  it('prints a TOML file that gives the same configuration', async () => {
    using folder = new Folder();
    const flags = [
      '--no-http',
      '--listen',
      'lmtp:///tmp/l.sock',
      '--sink',
      './my sink.ts',
      '--keep-age',
      '90m',
      '--lenient-syntax',
    ];
    const { stdout } = await inboxd(['config', ...flags]);
    const file = folder.at('printed.toml');
    writeFileSync(file, stdout);
    const expected = loadConfig(
      { http: false, listen: ['lmtp:///tmp/l.sock'], sink: './my sink.ts', 'keep-age': '90m', 'lenient-syntax': true },
      { HOME: process.env.HOME, INBOXD_ALLOW_ROOT: 'true' },
    );
    expect(loadConfig({ config: file }, {}).config).toEqual(expected.config);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await inboxd(['config', '--json', '--keep-bytes', '10MB', '--no-smtp']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      listen: { value: ['http://127.0.0.1:8025'], origin: 'default, smtp from flag --no-smtp' },
      'keep-bytes': { value: '10MB', origin: 'flag --keep-bytes' },
      smtp: { value: false, origin: 'flag --no-smtp' },
    });
  });
});

describe('inboxd diagram', () => {
  it('prints the table of a protocol as a Mermaid diagram', async () => {
    const { code, stdout } = await inboxd(['diagram', 'smtp']);
    expect(code).toBe(0);
    expect(stdout.trimEnd()).toBe(diagramOf('smtp')?.trimEnd());
    expect(stdout).toMatch(/^stateDiagram-v2\n/);
  });

  it('knows what it does not know', async () => {
    expect(await inboxd(['diagram', 'smpt'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'inboxd: no protocol smpt; did you mean smtp?\n',
    });
  });
});
