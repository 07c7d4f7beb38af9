import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, type TestContext } from 'vitest';
import { type RunResult, run } from '../support/run.ts';
import { SmtpClient } from '../support/smtp-client.ts';
import { BIN, Folder, inboxd, plainEnvironment, serve } from './support.ts';

const FREE = ['--port', '0', '--http-port', '0'];
const IN_MEMORY = [...FREE, '--data', ':memory:'];

/** Runs `inboxd` with the rights of an ordinary user: without the capabilities that let root do anything. */
function inboxdWithoutRights(args: readonly string[]): Promise<RunResult> {
  const command = [process.execPath, BIN, ...args];
  if (process.getuid?.() !== 0) return run(command[0]!, command.slice(1), { env: plainEnvironment() });
  const drop = '-net_bind_service,-dac_override,-dac_read_search';
  return run('setpriv', ['--bounding-set', drop, '--inh-caps', drop, ...command], { env: plainEnvironment() });
}

/** Skips where the machine makes the test impossible, but never in CI. */
function needs(context: TestContext, possible: boolean, what: string): void {
  if (!possible && !process.env.CI) context.skip(what);
  expect(possible, what).toBe(true);
}

describe('start', () => {
  it('says what listens where, and in which folder mail is kept', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    await using serving = await serve([...FREE, '--data', data]);
    expect(serving.port('smtp')).toBeGreaterThan(0);
    expect(serving.port('http')).toBeGreaterThan(0);
    expect(await serving.logged('started')).toMatchObject({ data, pid: serving.pid, sink: { kind: 'store' } });
    expect(serving.stderr).toBe('');
  });

  it('welcomes on a terminal, with the line that sends a first mail', async () => {
    using folder = new Folder();
    const seen = folder.at('terminal');
    const shown = () => (existsSync(seen) ? readFileSync(seen, 'utf8') : '');
    // should the test fail, it must not leave a daemon behind
    const command = ['timeout', '30', process.execPath, BIN, ...IN_MEMORY].map((word) => `'${word}'`).join(' ');
    const terminal = run('script', ['-qefc', command, seen], { env: plainEnvironment({ NO_COLOR: '1' }) });
    await expect.poll(shown, { timeout: 15_000 }).toMatch(/^ {2}then .*\r?\n/m);
    const text = shown();
    process.kill(Number(/INFO \((\d+)\): started/.exec(text)?.[1]), 'SIGINT');
    expect((await terminal).code).toBe(0);
    const smtp = /^ {2}SMTP {2}smtp:\/\/127\.0\.0\.1:(\d+)\r?$/m.exec(text);
    expect(smtp, text).not.toBeNull();
    expect(text).toMatch(/^ {2}HTTP {2}http:\/\/127\.0\.0\.1:\d+\r?$/m);
    expect(text).toMatch(/^ {2}data {2}:memory:\r?$/m);
    expect(text).toContain(`  try   swaks --to anyone@anything.example --server 127.0.0.1:${smtp?.[1]}`);
    expect(text).toContain('INFO: listening');
  });
});

describe('end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with exit code 0', async (signal) => {
    await using serving = await serve(IN_MEMORY);
    serving.signal(signal);
    expect(await serving.ended()).toBe(0);
    expect(serving.log.map(({ msg }) => msg).slice(-2)).toEqual(['stopping', 'stopped']);
    expect(serving.stderr).toBe('');
  });

  it('lets a message in flight finish, then answers 421 and ends', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    await using serving = await serve([...FREE, '--data', data]);
    const client = await SmtpClient.open(serving.port('smtp'));
    await client.expect(250, 'MAIL FROM:<a@b.example>');
    await client.expect(250, 'RCPT TO:<c@d.example>');
    await client.expect(354, 'DATA');
    serving.signal('SIGTERM');
    await serving.logged('stopping');
    await client.expect(250, 'Subject: in flight\r\n\r\n.');
    expect(await serving.ended()).toBe(0);
    expect((await inboxd(['show', 'latest', '--data', data])).stdout).toMatch(/^Subject: +in flight$/m);
  });

  it('waits no longer than the grace period', async () => {
    await using serving = await serve([...IN_MEMORY, '--grace', '300ms']);
    const client = await SmtpClient.open(serving.port('smtp'));
    await client.expect(250, 'MAIL FROM:<a@b.example>');
    await client.expect(250, 'RCPT TO:<c@d.example>');
    await client.expect(354, 'DATA');
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    await client.closed;
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second signal, %s, ends it at once with exit code %d', async (signal, code) => {
    await using serving = await serve(IN_MEMORY);
    const client = await SmtpClient.open(serving.port('smtp'));
    await client.expect(250, 'MAIL FROM:<a@b.example>');
    await client.expect(250, 'RCPT TO:<c@d.example>');
    await client.expect(354, 'DATA'); // holds a graceful stop up
    serving.signal('SIGTERM');
    await serving.logged('stopping');
    serving.signal(signal);
    expect(await serving.ended()).toBe(code);
    expect(serving.log.at(-1)).toMatchObject({ msg: 'second signal, ending at once', signal });
  });

  it('goes on when the reader of its log is gone', async () => {
    using folder = new Folder();
    const port = folder.at('port');
    // the first line of the log names the port, then its reader ends
    const script =
      '"$0" "$1" --port 0 --no-http --tls off --data :memory: & echo $! >"$2"; wait $!; echo $? >"$2.code"';
    const piped = run('sh', ['-c', `(${script}) | head -n 1 >"$3"`, process.execPath, BIN, folder.at('pid'), port], {
      env: plainEnvironment(),
    });
    await expect
      .poll(() => existsSync(port) && readFileSync(port, 'utf8'), { timeout: 15_000 })
      .toMatch(/"url":"smtp:/);
    const smtp = Number(/smtp:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(port, 'utf8'))?.[1]);
    for (let session = 0; session < 3; session++) await (await SmtpClient.open(smtp)).quit();
    process.kill(Number(readFileSync(folder.at('pid'), 'utf8')), 'SIGTERM');
    await piped;
    expect(readFileSync(folder.at('pid.code'), 'utf8')).toBe('0\n');
  });
});

describe('what nobody caught', () => {
  it.each([
    ['a throw', 'setTimeout(() => { throw new Error("lost") })'],
    ['a rejection', 'setTimeout(() => Promise.reject(new Error("lost")))'],
  ])('%s is logged as fatal with its cause, and ends the daemon with exit code 70', async (_what, code) => {
    using folder = new Folder();
    const sink = folder.at('sink.mjs');
    writeFileSync(sink, `${code};\nexport const process = () => {};\n`);
    const { code: exit, stdout } = await inboxd([...IN_MEMORY, '--sink', sink]);
    expect(exit).toBe(70);
    // a line that was on its way when the process ended may come after it
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ level }) => level === 'fatal')).toMatchObject({
      msg: 'internal error, ending',
      err: { message: 'lost' },
    });
  });
});

describe('a start that fails is one line and exit code 2', () => {
  const failed = (result: RunResult): { code: number | null; stderr: string } => ({
    code: result.code,
    stderr: result.stderr,
  });

  it('for a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    for (const [flag, protocol] of [
      ['--port', 'smtp'],
      ['--http-port', 'http'],
    ]) {
      const args = [...IN_MEMORY, flag!, String(port)];
      const stderr = `inboxd: port ${port} on 127.0.0.1 is already in use (${protocol}://127.0.0.1:${port})\n`;
      expect(failed(await inboxd(args))).toEqual({ code: 2, stderr });
    }
    other.close();
  });

  it('for a privileged port without rights', async (context) => {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
    needs(context, first > 25, 'on this machine anybody may listen on port 25');
    const { code, stderr } = failed(await inboxdWithoutRights([...IN_MEMORY, '--port', '25']));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^inboxd: port 25 on 127\.0\.0\.1 is not allowed for this user; .*CAP_NET_BIND_SERVICE.*\n$/,
    );
  });

  it('for a folder that cannot be written', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    mkdirSync(data);
    chmodSync(data, 0o555);
    const { code, stderr } = failed(await inboxdWithoutRights([...FREE, '--data', data]));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: [^\n]*\n$/);
    expect(stderr).toContain(data);
    expect(stderr).toContain('permission denied');
  });

  it('for a file where the folder should be', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    writeFileSync(data, '');
    const { code, stderr } = failed(await inboxd([...FREE, '--data', data]));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: [^\n]*\n$/);
    expect(stderr).toContain(data);
  });

  it('for a folder that another daemon uses, naming its process', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    await using first = await serve([...FREE, '--data', data]);
    const { code, stderr } = failed(await inboxd([...FREE, '--data', data]));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: [^\n]*\n$/);
    expect(stderr).toContain(data);
    expect(stderr).toContain(String(first.pid));
  });

  it('for a sink that is none', async () => {
    using folder = new Folder();
    const sink = folder.at('sink.mjs');
    writeFileSync(sink, 'export const other = 1;\n');
    const { code, stderr } = failed(await inboxd([...IN_MEMORY, '--sink', sink]));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inboxd: [^\n]*process[^\n]*\n$/);
    expect(stderr).toContain(sink);
  });
});
