import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Folder, inboxd, serve } from '../cli/support.ts';
import { writeCertificate } from '../support/certificate-files.ts';
import { describeAsRoot } from '../support/peers.ts';
import { SmtpClient } from '../support/smtp-client.ts';

const NOBODY = 65534;
const FREE = ['--port', '0', '--no-http'];

describeAsRoot('a daemon that is started as root', () => {
  it('refuses to stay root unless told to, and names both ways out', async () => {
    const { code, stdout, stderr } = await inboxd([...FREE, '--data', ':memory:'], { INBOXD_ALLOW_ROOT: '' });
    expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, stdout: '', lines: 1 });
    expect(stderr).toMatch(/--user NAME.*--allow-root/);
  });

  it('binds a port below 1024 and becomes the user, every thread of it, with files that are his', async () => {
    using folder = new Folder();
    chmodSync(folder.path, 0o755);
    const data = folder.at('data');
    const args = ['--listen', 'smtp://127.0.0.1:84', '--no-http', '--user', 'nobody', '--data', data];
    await using serving = await serve(args);
    for (const thread of readdirSync(`/proc/${serving.pid}/task`)) {
      const status = readFileSync(`/proc/${serving.pid}/task/${thread}/status`, 'utf8');
      expect(/^Uid:\t(.*)$/m.exec(status)?.[1]).toBe([NOBODY, NOBODY, NOBODY, NOBODY].join('\t'));
      expect(/^Gid:\t(.*)$/m.exec(status)?.[1]).toBe([NOBODY, NOBODY, NOBODY, NOBODY].join('\t'));
      expect(/^Groups:\t(.*?) *$/m.exec(status)?.[1]).toBe(String(NOBODY));
      expect(status).toMatch(/^CapPrm:\t0+$/m);
    }
    const client = await SmtpClient.open(84);
    await client.expect(250, 'MAIL FROM:<a@b.example>');
    await client.expect(250, 'RCPT TO:<c@d.example>');
    await client.expect(354, 'DATA');
    await client.expect(250, `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(20_000)}.`);
    await client.quit();
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => `${data}/${name}`);
    expect(files.filter((path) => statSync(path).uid !== NOBODY)).toEqual([]);
    for (const path of [data, ...files]) {
      const stat = statSync(path);
      expect([path, (stat.mode & 0o777).toString(8)]).toEqual([path, stat.isDirectory() ? '700' : '600']);
    }
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(serving.stderr).toBe('');
  });

  it('takes a group by name, and then no other', async () => {
    using folder = new Folder();
    chmodSync(folder.path, 0o755);
    const args = [...FREE, '--user', 'nobody', '--group', 'mail', '--data', folder.at('data')];
    await using serving = await serve(args);
    const status = readFileSync(`/proc/${serving.pid}/status`, 'utf8');
    const gid = /^mail:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'))?.[1];
    expect(status).toMatch(new RegExp(`^Gid:\t${gid}\t${gid}\t${gid}\t${gid}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Groups:\t${gid} *$`, 'm'));
  });

  it.each([
    [['--user', 'no-such-user'], /there is no user no-such-user; make one with: adduser/],
    [['--user', 'root'], /user names root; .*allow-root/],
    [['--user', '0'], /user names root/],
    [['--user', 'nobody', '--group', 'no-such-group'], /there is no group no-such-group/],
    [['--user', '4242424'], /has no name for; give group/],
    [['--group', 'mail'], /group has no effect: user is not given/],
  ])('%j is refused in one line', async (args, words) => {
    const { code, stderr } = await inboxd([...FREE, '--data', ':memory:', ...args]);
    expect(stderr).toMatch(words);
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
  });

  it('wants a data folder named, and does not take over what belongs to others', async () => {
    const unnamed = await inboxd([...FREE, '--user', 'nobody']);
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('--data /var/lib/inboxd') });
    using folder = new Folder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.at('data'));
    writeFileSync(folder.at('data/inboxd.db'), '');
    const foreign = await inboxd([...FREE, '--user', 'nobody', '--data', folder.at('data')]);
    expect(foreign).toMatchObject({ code: 2, stderr: expect.stringContaining(`chown -R 65534:65534`) });
  });

  describe('with files that it has to read again as the user', () => {
    it('refuses one that only root can read, and names file, user and remedy; what opens it is enough', async () => {
      using folder = new Folder();
      chmodSync(folder.path, 0o755);
      const { cert, key } = await writeCertificate(folder.path, 'mx.test');
      const users = folder.at('users');
      writeFileSync(users, '# nobody yet\n', { mode: 0o600 });
      const args = [...FREE, '--user', 'nobody', '--group', 'mail', '--data', folder.at('data'), '--auth', users];
      const all = [...args, '--tls-cert', cert, '--tls-key', key];
      const gid = Number(/^mail:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'))?.[1]);
      for (const [option, path] of [
        ['auth', users],
        ['tls-cert', cert],
        ['tls-key', key],
      ] as const) {
        const { code, stderr } = await inboxd(all);
        expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
        expect(stderr).toContain(
          `user nobody cannot read ${path} of ${option}; let it with: setfacl -m u:nobody:r ${path} `,
        );
        chownSync(path, 0, gid);
        chmodSync(path, 0o640);
      }
      await using serving = await serve(all);
      expect(serving.stderr).toBe('');
    });

    it('names the folder that is closed to the user, behind a link as well', async () => {
      using folder = new Folder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.at('archive'), { mode: 0o700 });
      const { cert, key } = await writeCertificate(folder.at('archive'), 'mx.test');
      for (const path of [cert, key]) chmodSync(path, 0o644);
      mkdirSync(folder.at('live'));
      symlinkSync('../archive/mx.test.crt', folder.at('live/cert.pem'));
      symlinkSync('../archive/mx.test.key', folder.at('live/key.pem'));
      const files = ['--tls-cert', folder.at('live/cert.pem'), '--tls-key', folder.at('live/key.pem')];
      const { code, stderr } = await inboxd([...FREE, '--user', 'nobody', '--data', folder.at('data'), ...files]);
      expect(code).toBe(2);
      const archive = folder.at('archive');
      expect(stderr).toContain(`cannot read ${folder.at('live/cert.pem')} of tls-cert: ${archive} is closed to it`);
      expect(stderr).toContain(`setfacl -m u:nobody:x ${archive} `);
    });
  });
});
