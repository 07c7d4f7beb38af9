import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { BIN, Folder, inboxd, plainEnvironment, Serving, serve } from '../cli/support.ts';
import { describeAsRoot, describeWithPeers } from '../support/peers.ts';
import { run } from '../support/run.ts';
import { SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

// several daemons are started one after the other; how long that takes decides nothing
vi.setConfig({ testTimeout: 120_000 });

const FREE = ['--port', '0', '--http-port', '0', '--data', ':memory:'];
const FRAGILE = new URL('fragile-store.ts', import.meta.url).href;
const PASS = fileURLToPath(new URL('passed-sockets.py', import.meta.url));

const lines = (path: string): Record<string, unknown>[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : [];
const says = (path: string, message: string): boolean => lines(path).some(({ msg }) => msg === message);

/** Starts a program and reads the log of the daemon that it becomes. */
function watch(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Serving {
  return new Serving(
    spawn(program, args, {
      env: { ...process.env, ...plainEnvironment(env) } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

describeWithPeers('sockets that are passed on', ['python3'], ({ python3 }) => {
  const start = (sockets: readonly string[], args: readonly string[]): Serving =>
    watch(python3, [PASS, ...sockets, '--', process.execPath, BIN, '--data', ':memory:', ...args]);

  it('take the place of the listeners that their names say, and of those at their addresses', async () => {
    using folder = new Folder();
    const path = folder.at('lmtp.sock');
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    await using serving = start(
      ['smtp=127.0.0.1:0', 'smtp-v6=::1:0', `unknown=127.0.0.1:${port}`, `lmtp=${path}`],
      ['--listen', `http://127.0.0.1:${port}`],
    );
    await serving.logged('started');
    const urls = serving.log.filter(({ msg }) => msg === 'listening').map(({ url }) => String(url));
    expect(urls.sort()).toEqual([
      `http://127.0.0.1:${port}`,
      `lmtp://${path}`,
      expect.stringMatching(/^smtp:\/\/127\.0\.0\.1:[1-9]\d*$/),
      expect.stringMatching(/^smtp:\/\/\[::1\]:[1-9]\d*$/),
    ]);
    const client = await SmtpClient.open(Number(new URL(urls.find((url) => url.startsWith('smtp://127'))!).port));
    await client.quit();
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(existsSync(path)).toBe(true); // it is of whoever bound it
  });

  it('are refused in one line where nothing is known about them', async () => {
    for (const [socket, words] of [
      [
        'inboxd.socket=127.0.0.1:0',
        /socket inboxd\.socket at 127\.0\.0\.1:\d+ belongs to no listener.*FileDescriptorName/,
      ],
      ['deaf=127.0.0.1:0', /descriptor 3 \(deaf\) .* no listening stream socket/],
    ] as const) {
      const args = [PASS, socket, '--', process.execPath, BIN, ...FREE];
      const { code, stderr } = await run(python3, args, { env: plainEnvironment() });
      expect(stderr).toMatch(words);
      expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
    }
  });

  it('that are another process’s are left alone', async () => {
    const env = { LISTEN_PID: '1', LISTEN_FDS: '2' };
    await using serving = watch(process.execPath, [BIN, ...FREE], env);
    await serving.logged('started');
  });

  it('over all addresses do not open HTTP to other machines in silence', async () => {
    const args = [PASS, 'http=0.0.0.0:0', '--', process.execPath, BIN, '--port', '0', '--data', ':memory:'];
    const { code, stderr } = await run(python3, args, { env: plainEnvironment() });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--http-auth') });
  });
});

describeWithPeers('notices to systemd', ['systemd-notify', 'socat'], ({ socat }) => {
  it('tell that it is ready, alive, reloading and stopping', async () => {
    using folder = new Folder();
    const socket = folder.at('notify');
    const heard = folder.at('heard');
    const listener = spawn(socat, ['-u', `UNIX-RECV:${socket}`, `CREATE:${heard}`], { stdio: 'ignore' });
    await until(() => existsSync(socket));
    const said = (word: string): boolean => existsSync(heard) && readFileSync(heard, 'utf8').includes(word);
    try {
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000' };
      await using serving = watch(process.execPath, [BIN, ...FREE], env);
      await serving.logged('started');
      await until(() => said('READY=1') && said('WATCHDOG=1'));
      expect(readFileSync(heard, 'utf8')).toMatch(/STATUS=listening on smtp:/);
      serving.signal('SIGHUP');
      await serving.logged('reloaded');
      await until(() => said('RELOADING=1') && said('STATUS=reloaded'));
      expect(readFileSync(heard, 'utf8')).toMatch(/MONOTONIC_USEC=\d+/);
      serving.signal('SIGTERM');
      await until(() => said('STOPPING=1'));
      expect(await serving.ended()).toBe(0);
    } finally {
      listener.kill();
    }
  });
});

describeWithPeers('a store whose writer has died', ['systemd-notify', 'socat'], ({ socat }) => {
  it('is no longer said to be alive, to systemd and to those who ask for its health', async () => {
    using folder = new Folder();
    const socket = folder.at('notify');
    const heard = folder.at('heard');
    const listener = spawn(socat, ['-u', `UNIX-RECV:${socket}`, `CREATE:${heard}`], { stdio: 'ignore' });
    await until(() => existsSync(socket));
    const lives = (): number => (existsSync(heard) ? readFileSync(heard, 'utf8').split('WATCHDOG=1').length - 1 : 0);
    try {
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' };
      await using serving = watch(process.execPath, ['--import', FRAGILE, BIN, ...FREE], env);
      await serving.logged('started');
      const url = String(serving.log.find(({ protocol }) => protocol === 'http')!.url);
      await until(() => lives() > 0);
      expect((await fetch(`${url}/api/health`)).status).toBe(200);
      serving.signal('SIGUSR2');
      await until(async () => (await fetch(`${url}/api/health`)).status === 503);
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
      await pause(1_000); // what was under way has arrived
      const before = lives();
      await pause(2_000); // ten times what would be said
      expect(lives()).toBe(before);
    } finally {
      listener.kill();
    }
  });
});

describe('the log file', () => {
  it('is opened anew by SIGUSR1, and nothing is lost over a rotation', async () => {
    using folder = new Folder();
    const file = folder.at('inboxd.log');
    await using serving = watch(process.execPath, [BIN, ...FREE, '--log-file', file]);
    await until(() => says(file, 'started'));
    expect(statSync(file).mode & 0o777 & 0o007).toBe(0);
    const url = lines(file).find(({ protocol }) => protocol === 'smtp')!.url;
    renameSync(file, `${file}.1`);
    await (await SmtpClient.open(Number(new URL(String(url)).port))).quit();
    await until(() => says(`${file}.1`, 'session end'));
    serving.signal('SIGUSR1');
    await until(() => says(file, 'log opened anew'));
    await (await SmtpClient.open(Number(new URL(String(url)).port))).quit();
    await until(() => says(file, 'session end'));
    expect(lines(`${file}.1`).filter(({ msg }) => msg === 'session end')).toHaveLength(1);
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(says(file, 'stopped')).toBe(true);
    expect(serving.log).toEqual([]);
  });

  it('that cannot be opened is told in one line', async () => {
    using folder = new Folder();
    const { code, stderr } = await inboxd([...FREE, '--log-file', folder.at('none/inboxd.log')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: cannot open the log file .*: there is no folder .*; make it first\n$/);
  });

  it('goes on in the old file when the new one cannot be opened', async () => {
    using folder = new Folder();
    mkdirSync(folder.at('logs'));
    const file = folder.at('logs/inboxd.log');
    await using serving = watch(process.execPath, [BIN, ...FREE, '--log-file', file]);
    await until(() => says(file, 'started'));
    renameSync(folder.at('logs'), folder.at('moved'));
    serving.signal('SIGUSR1');
    await until(() => says(folder.at('moved/inboxd.log'), 'cannot open the log anew, going on in the old file'));
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
  });
});

describeAsRoot('a log file on a full disk', () => {
  it('does not end the daemon', async () => {
    using folder = new Folder();
    const file = folder.at('full/inboxd.log');
    mkdirSync(folder.at('full'));
    const script = `mount -t tmpfs -o size=32k none "$1" && dd if=/dev/zero of="$1/fill" bs=1k count=16 status=none; exec "$2" "$3" --port 0 --http-port 0 --data :memory: --log-file "$4" --pid-file "$5"`;
    await using serving = watch('unshare', ['-m', 'sh', '-c', script, 'sh', folder.at('full'), process.execPath, BIN, file, folder.at('pid')]); // biome-ignore format: a command
    const root = `/proc/${serving.pid}/root`;
    await until(() => existsSync(`${root}${file}`) && readFileSync(`${root}${file}`, 'utf8').includes('"listening"'));
    const url = /smtp:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(`${root}${file}`, 'utf8'));
    for (let session = 0; session < 100; session++) await (await SmtpClient.open(Number(url![1]))).quit();
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
  });
});

describe('syslog', () => {
  it('gets a message per line by UDP, in the form of RFC 5424', async () => {
    const receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    const messages: string[] = [];
    receiver.on('message', (message) => messages.push(message.toString()));
    const where = `udp://127.0.0.1:${receiver.address().port}`;
    await using serving = watch(process.execPath, [BIN, ...FREE, '--syslog', where, '--syslog-prefix', 'mx-1']);
    await until(() => messages.some((message) => message.includes('"started"')));
    expect(messages[0]).toMatch(
      new RegExp(`^<22>1 \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z \\S+ mx-1 ${serving.pid} - - \\{"level":"info"`),
    );
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(messages.at(-1)).toContain('"stopped"');
    receiver.close();
  });

  it('gets messages with their length by TCP (RFC 6587), again after the receiver was away', async () => {
    let received = '';
    const receiver = createServer((socket) => {
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const where = `tcp://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    await using serving = watch(process.execPath, [BIN, ...FREE, '--syslog', where]);
    await until(() => received.includes('"started"'));
    const first = /^(\d+) (<22>1 [\s\S]*)$/.exec(received)!;
    expect(first[2]!.slice(0, Number(first[1]))).toMatch(/\}$/);
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    receiver.close();
  });

  it('wants an address that is one', async () => {
    const { code, stderr } = await inboxd([...FREE, '--syslog', 'udp://nowhere']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('udp://host:port') });
  });
});

describeWithPeers('the local syslog', ['logger', 'socat'], ({ logger, socat }) => {
  it('is reached through logger', async () => {
    using folder = new Folder();
    const socket = folder.at('log');
    const heard = folder.at('heard');
    const receiver = spawn(socat, ['-u', `UNIX-RECV:${socket}`, `CREATE:${heard}`], { stdio: 'ignore' });
    await until(() => existsSync(socket));
    // as logger would be asked for /dev/log, which is not ours to take
    writeFileSync(folder.at('logger'), `#!/bin/sh\nexec ${logger} --socket ${socket} "$@"\n`, { mode: 0o755 });
    try {
      const env = { PATH: `${folder.path}:${process.env.PATH}` };
      await using serving = watch(process.execPath, [BIN, ...FREE, '--syslog', 'local', '--syslog-prefix', 'mx'], env);
      await until(() => existsSync(heard) && readFileSync(heard, 'utf8').includes('"started"'));
      expect(readFileSync(heard, 'utf8')).toMatch(
        new RegExp(`^<22>1 \\S+ \\S+ mx ${serving.pid} - [^{]*\\{"level":"info"`),
      );
      serving.signal('SIGTERM');
      expect(await serving.ended()).toBe(0);
    } finally {
      receiver.kill();
    }
  });
});

describe('the pid file', () => {
  it('holds the process id while the daemon runs', async () => {
    using folder = new Folder();
    const file = folder.at('pid');
    await using serving = await serve([...FREE, '--pid-file', file]);
    expect(readFileSync(file, 'utf8')).toBe(`${serving.pid}\n`);
    const second = await inboxd([...FREE, '--pid-file', file]);
    expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining(`process ${serving.pid}, an inboxd`) });
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['of a daemon that was killed', String(2 ** 22)],
    ['of a process that is something else by now', String(process.ppid)],
    ['with nonsense', 'what?'],
  ])('%s is replaced', async (_what, content) => {
    using folder = new Folder();
    const file = folder.at('pid');
    writeFileSync(file, `${content}\n`);
    await using serving = await serve([...FREE, '--pid-file', file]);
    expect(readFileSync(file, 'utf8')).toBe(`${serving.pid}\n`);
  });

  it('in a folder that is not there is told in one line', async () => {
    using folder = new Folder();
    const { code, stderr } = await inboxd([...FREE, '--pid-file', folder.at('none/pid')]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^inboxd: cannot write the pid file .*\n$/),
    });
  });
});

describe('daemon', () => {
  it('returns 0 when the daemon in the background is ready, which then is of no terminal', async () => {
    using folder = new Folder();
    const [pidFile, logFile] = [folder.at('pid'), folder.at('log')];
    const { code, stdout, stderr } = await inboxd([...FREE, '--daemon', '--pid-file', pidFile, '--log-file', logFile]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [, , , session, terminal] = rest.split(' ').map(Number);
    expect({ session, terminal }).toEqual({ session: pid, terminal: 0 });
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('PATH=');
    expect(readdirSync(`/proc/${pid}/cwd/`)).toEqual(readdirSync('/'));
    const listens = () => lines(logFile).find(({ protocol }) => protocol === 'smtp');
    await until(() => listens() !== undefined);
    const url = String(listens()!.url);
    await (await SmtpClient.open(Number(new URL(url).port))).quit();
    process.kill(pid, 'SIGTERM');
    await until(() => says(logFile, 'stopped') && !existsSync(pidFile));
  });

  it('brings what keeps it from starting to the terminal, with its exit code', async () => {
    using folder = new Folder();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const args = ['--port', port, '--no-http', '--data', ':memory:', '--daemon', '--log-file', folder.at('log')];
    const { code, stderr } = await inboxd(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^inboxd: port \d+ .* in use.*\n$/) });
    taken.close();
  });

  it('wants somewhere to log', async () => {
    const { code, stderr } = await inboxd([...FREE, '--daemon']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'inboxd: daemon needs log-file or syslog: nobody sees its standard output\n',
    });
  });

  it('runs in the folder of work-dir, with paths that start where it was started', async () => {
    using folder = new Folder();
    mkdirSync(folder.at('work'));
    await using serving = await serve([...FREE, '--work-dir', folder.at('work')]);
    expect(readdirSync(`/proc/${serving.pid}/cwd`)).toEqual([]);
  });
});

describe('SIGUSR1', () => {
  it('opens no debugger', async () => {
    await using serving = await serve(FREE);
    serving.signal('SIGUSR1');
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(serving.stderr).toBe('');
  });
});
