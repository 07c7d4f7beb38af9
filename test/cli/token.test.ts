import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { BIN, Folder, inboxd, plainEnvironment, serve } from './support.ts';

const folder = new Folder();
afterAll(() => folder[Symbol.dispose]());
let files = 0;
const newFile = () => folder.at(`auth-${++files}`);

describe('inboxd token create', () => {
  it('prints the token once and keeps only its hash, for the owner alone', async () => {
    const file = newFile();
    const { code, stdout, stderr } = await inboxd([
      ...[
        'token',
        'create',
        '--http-auth',
        file,
        '--inbox',
        'CI-42-*@*',
        '--inbox',
        'x@y',
        '--rights',
        'read,delete',
        '--expires',
        '2h',
      ],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, id, secret] = /^inboxd_(\w{10})_([\w-]{43})\n$/.exec(stdout) ?? [];
    const line = readFileSync(file, 'utf8');
    expect(line).toMatch(
      new RegExp(
        `^token ${id} scrypt:\\S+ rights=read,delete inbox=ci-42-\\*@\\* inbox=x@y expires=20\\d\\d-\\S+Z\\n$`,
      ),
    );
    expect(line).not.toContain(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('adds to what is there, also behind a last line without end', async () => {
    const file = newFile();
    await inboxd(['token', 'create', '--http-auth', file]);
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8').trimEnd()}`);
    await inboxd(['token', 'create', '--rights', 'admin'], { INBOXD_HTTP_AUTH: file });
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours\ntoken \S+ \S+ rights=read\ntoken \S+ \S+ rights=admin\n$/);
  });

  it('adds users with a password that it makes, or reads', async () => {
    const file = newFile();
    const made = await inboxd(['token', 'create', '--http-auth', file, '--user', 'ann', '--json']);
    expect(JSON.parse(made.stdout)).toEqual({
      user: 'ann',
      password: expect.stringMatching(/^[\w-]{24}$/),
      rights: ['read'],
      inboxes: ['*'],
      expires: null,
    });
    const given = await run(
      'sh',
      [
        '-c',
        `echo secret | "$0" "$1" token create --http-auth "$2" --user bob --password-stdin`,
        process.execPath,
        BIN,
        file,
      ],
      { env: plainEnvironment() },
    );
    expect(given).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(file, 'utf8')).toMatch(/^user ann \S+ rights=read\nuser bob \S+ rights=read\n$/);
  });

  it.each([
    [['--rights', 'all'], 'inboxd: bad value "all" for --rights; allowed: some of read,delete,admin\n'],
    [
      ['--inbox', 'a b'],
      'inboxd: bad value "a b" for --inbox; allowed: a name without blanks in which * stands for anything\n',
    ],
    [
      ['--inbox', 'a@b', '--rights', 'admin'],
      'inboxd: the right admin is for the whole daemon and goes with no --inbox\n',
    ],
    [['--expires', '5'], 'inboxd: bad value "5" for --expires; allowed: a duration such as 30m, 2h or 7d\n'],
    [['--user', 'a:b'], 'inboxd: "a:b" is no name: no spaces, no colon, at most 64 characters\n'],
    [['--password-stdin'], 'inboxd: --password-stdin goes with --user\n'],
  ])('refuses %j and makes no file', async (args, stderr) => {
    const file = newFile();
    expect(await inboxd(['token', 'create', '--http-auth', file, ...args])).toEqual({ code: 2, stdout: '', stderr });
    expect(existsSync(file)).toBe(false);
  });

  it('wants to know the file, and one that can be read', async () => {
    expect(await inboxd(['token', 'create'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'inboxd: say which file: --http-auth FILE, or INBOXD_HTTP_AUTH\n',
    });
    const file = newFile();
    writeFileSync(file, '\nnonsense\n');
    expect(await inboxd(['token', 'create', '--http-auth', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: `inboxd: ${file}:2: a line starts with token or user\n`,
    });
  });
});

describe('inboxd token list and revoke', () => {
  it('list what there is, revoke what is named, keep comments', async () => {
    const file = newFile();
    const at = ['--http-auth', file];
    const { id } = JSON.parse((await inboxd(['token', 'create', ...at, '--inbox', 'a@*', '--json'])).stdout) as {
      id: string;
    };
    await inboxd(['token', 'create', ...at, '--user', 'ann', '--rights', 'admin']);
    writeFileSync(file, `# keep me\n${readFileSync(file, 'utf8')}`);
    const listed = await inboxd(['token', 'list', ...at]);
    expect(listed.stdout).toMatch(
      new RegExp(
        `^NAME +KIND +RIGHTS +EXPIRES +INBOXES *\n${id} +token +read +never +a@\\* *\nann +user +admin +never +all *\n$`,
      ),
    );
    expect(JSON.parse((await inboxd(['token', 'list', ...at, '--json'])).stdout)).toEqual([
      { kind: 'token', name: id, rights: ['read'], inboxes: ['a@*'], expires: null },
      { kind: 'user', name: 'ann', rights: ['admin'], inboxes: ['*'], expires: null },
    ]);
    expect(await inboxd(['token', 'revoke', ...at, id, 'nobody'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'inboxd: no token or user nobody\n',
    });
    expect(readFileSync(file, 'utf8')).toMatch(/^# keep me\nuser ann \S+ rights=admin\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('a daemon with --http-auth', () => {
  it('lets in who has a token, and commands of its own user', async () => {
    const [file, data] = [newFile(), folder.at('data')];
    const token = (await inboxd(['token', 'create', '--http-auth', file, '--rights', 'read'])).stdout.trim();
    await using daemon = await serve(['--data', data, '--http-auth', file, '--port', '0', '--http-port', '0']);
    const list = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${daemon.port('http')}/api/v1/messages`, { headers });
    const refused = await list({});
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="Login"']);
    expect((await list({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect(statSync(`${data}/inboxd.json`).mode & 0o777).toBe(0o600);
    const card = JSON.parse(readFileSync(`${data}/inboxd.json`, 'utf8')) as { token: string };
    expect((await list({ authorization: `Bearer ${card.token}` })).status).toBe(200);
  });

  it('does not start with a file that is none', async () => {
    const file = newFile();
    const { code, stderr } = await inboxd([
      'serve',
      '--data',
      ':memory:',
      '--http-auth',
      file,
      '--port',
      '0',
      '--http-port',
      '0',
    ]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `inboxd: cannot read ${file} of http-auth: there is no such file; "inboxd token create" makes it\n`,
    });
  });
});

describe('a daemon that other machines could reach', () => {
  it.each(['0.0.0.0', '::'])('does not start on %s without authentication, unless told that it may', async (host) => {
    const args = ['serve', '--data', ':memory:', '--host', host, '--port', '0', '--http-port', '0'];
    const { code, stderr } = await inboxd(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^inboxd: http:\/\/\S+ would let other machines read all mail: give --http-auth .*, or --http-open/,
    );
    await using daemon = await serve([...args.slice(1), '--http-open']);
    expect(daemon.port('http')).toBeGreaterThan(0);
  });
});
