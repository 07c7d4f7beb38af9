/** The tarball as `npm publish` would send it, installed where nothing else is. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeAsRoot } from '../support/peers.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const NPM_MS = 180_000;

/**
 * What a container engine does with a Dockerfile, upon the root of this machine, of which nothing is changed: everything
 * is written to an overlay that is gone with the mount namespace.
 * Arguments: folder with tarball and steps, Node.js, USER, ENV, the command, and the command of the health check.
 */
const CONTAINER = `
set -e
folder=$1 node=$2 user=$3 environment=$4 command=$5
shift 5
mkdir -p "$folder/layers"
mount -t tmpfs none "$folder/layers"
mkdir "$folder/layers/up" "$folder/layers/work" "$folder/layers/root" "$folder/layers/volume"
root=$folder/layers/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layers/up,workdir=$folder/layers/work" "$root"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs none "$root/tmp"
cp "$node" "$root/usr/local/bin/node"
cp "$folder"/inboxd-*.tgz "$folder/steps.sh" "$root/tmp/"
path=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
chroot "$root" env PATH=$path npm_config_prefix=/usr/local sh /tmp/steps.sh >&2
chown "$user" "$folder/layers/volume"
mount --bind "$folder/layers/volume" "$root/var/lib/inboxd"
mount -o remount,ro "$root"
inside="chroot --userspec=$user $root env -i PATH=$path $environment"
echo "uid $($inside id -u)"
$inside sh -c 'echo x 2>&1 >/usr/local/x' 2>&1 | sed 's/.*: /cannot write: /'
unshare -n sh -c '
  ip link set lo up
  inside=$1 command=$2
  shift 2
  $inside $command >&2 &
  daemon=$!
  for try in $(seq 100); do
    if $inside "$@"; then break; fi
    sleep 0.3
  done
  $inside "$@"
  echo "health $?"
  kill -TERM $daemon
  wait $daemon
  echo "ended $?"
  $inside "$@"
  echo "health without daemon $?"
' sh "$inside" "$command" "$@"
`;

const EMBEDDING = `
import { createDaemon } from 'inboxd';
const daemon = await createDaemon({ listen: 'smtp://127.0.0.1:0', data: ':memory:' });
console.log(daemon.listeners[0].url);
await daemon.stop();
`;

/** What a user of the types writes; compiled, never run. */
const CONSUMER = `
import { writeFile } from 'node:fs/promises';
import { createDaemon, type Daemon, type Message, type Sink, type Verdict } from 'inboxd';

export const process: Sink = async (message: Message): Promise<Verdict | undefined> => {
  if (message.envelope.to.some(({ path }) => path.local === 'nobody')) {
    return { code: 550, enhanced: '5.1.1', text: 'No such mailbox' };
  }
  await writeFile(message.id + '.eml', message.content.stream());
  return undefined;
};

export async function start(): Promise<string> {
  const daemon: Daemon = await createDaemon({ listen: 'smtp://127.0.0.1:0' }, { sink: process });
  const url: string = daemon.listeners[0]?.url ?? '';
  await daemon.stop({ graceMs: 0 });
  return url;
}

// @ts-expect-error a misspelt option is found by the compiler
createDaemon({ keepPerInbx: 1 });
`;

describe('the npm tarball', () => {
  let folder: string;
  let project: string;
  let packed: { readonly files: readonly { readonly path: string }[] };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'inboxd-pack-'));
    project = join(folder, 'project');
    mkdirSync(project);
    // built from a copy, so that no other test meets a half-written dist/
    const source = join(folder, 'source');
    mkdirSync(source);
    await runWell('cp', ['-a', ...sources().map((name) => join(ROOT, name)), source]);
    symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'));
    const { stdout } = await runWell('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source });
    packed = JSON.parse(stdout)[0];
    writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    await runWell('npm', ['install', '--no-audit', '--no-fund', `../${tarball}`], { cwd: project });
  }, NPM_MS);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const bin = () => join(project, 'node_modules', '.bin', 'inboxd');

  it('holds what runs and what a person reads first, and no sources or tests', () => {
    const files = packed.files.map(({ path }) => path);
    expect(files).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/bin/inboxd.js']),
    );
    expect(files.filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(path))).toEqual(
      [],
    );
    expect(files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
  });

  it('tells its version', async () => {
    const { stdout } = await runWell(process.execPath, [bin(), '--version']);
    expect(stdout.trim()).toBe(packageJson.version);
  });

  it('serves: takes a mail, shows it, stops on SIGTERM', async () => {
    const daemon: DaemonProcess = await startDaemon({ command: [process.execPath, bin()] });
    const client = await SmtpClient.open(daemon.smtpPort);
    const content = Buffer.from('Subject: From the tarball\r\n\r\nHello\r\n');
    const [id] = await deliver(client, { from: 'ada@out.example', to: ['a@in.example'], content });
    await client.quit();
    expect((await daemon.raw(id!)).equals(content)).toBe(true);
    expect((await daemon.list()).messages[0]!.Subject).toBe('From the tarball');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('brings the files that inboxd print writes', async () => {
    const { stdout } = await runWell(process.execPath, [bin(), 'print', 'systemd-service']);
    expect(stdout).toContain(`ExecStart=${process.execPath} --max-semi-space-size=4 ${realpathSync(bin())} serve`);
  });

  describeAsRoot('in the container of its Dockerfile', () => {
    it(
      'is installed by its steps, runs without root on a read-only root file system, and is well',
      async () => {
        const { stdout: text } = await runWell(process.execPath, [bin(), 'print', 'dockerfile']);
        const steps = readDockerfile(text);
        const [user] = steps.of('USER');
        const environment = steps.of('ENV').join(' ').split(' ');
        const [check = ''] = steps.of('HEALTHCHECK').map((step) => step.slice(step.indexOf('CMD ') + 4));
        const script = join(folder, 'container.sh');
        writeFileSync(script, CONTAINER);
        writeFileSync(join(folder, 'steps.sh'), `set -e\n${steps.of('RUN').join('\n')}\n`);
        const command = [...JSON.parse(steps.of('ENTRYPOINT')[0]!), ...JSON.parse(steps.of('CMD')[0]!)].join(' ');
        const args = [script, folder, process.execPath, user!, environment.join(' '), command, ...JSON.parse(check)];
        const { stdout } = await runWell('unshare', ['-m', 'sh', ...args]);
        expect(stdout).toMatch(/^uid 10025$/m);
        expect(stdout).toMatch(/^cannot write: Read-only file system$/m);
        expect(stdout).toMatch(/^health 0$/m);
        expect(stdout).toMatch(/^ended 0$/m);
        expect(stdout).toMatch(/^health without daemon 1$/m);
      },
      NPM_MS,
    );
  });

  it('can be embedded', async () => {
    writeFileSync(join(project, 'embedding.mjs'), EMBEDDING);
    const { stdout, stderr } = await runWell(process.execPath, ['embedding.mjs'], { cwd: project });
    expect(stdout.trim()).toMatch(/^smtp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(stderr).toBe('');
  });

  it('has types that a strict consumer compiles against', async () => {
    // @types/node is the consumer's own, as for every package that speaks of Buffer
    mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types']) {
      await runWell('cp', ['-a', join(ROOT, 'node_modules', name), join(project, 'node_modules', name)]);
    }
    writeFileSync(join(project, 'consumer.ts'), CONSUMER);
    const flags = [
      '--noEmit',
      '--strict',
      '--target',
      'es2024',
      '--module',
      'nodenext',
      '--types',
      'node',
      'consumer.ts',
    ];
    const { stdout } = await runWell(process.execPath, [TSC, ...flags], { cwd: project });
    expect(stdout).toBe('');
  });
});

/** Instructions of a Dockerfile, each on one line. */
function readDockerfile(text: string): { of(instruction: string): string[] } {
  const lines = text.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n').filter((line) => line.trim() !== ''); // biome-ignore format: one line
  const steps = lines.map((line) => /^([A-Z]+) +(.*)$/.exec(line)!);
  expect(steps[0]?.[1]).toBe('FROM');
  return { of: (instruction) => steps.filter((step) => step[1] === instruction).map((step) => step[2]!) };
}

/** Everything in the working tree but what is made from it. */
function sources(): string[] {
  const made = ['.git', 'node_modules', 'dist', 'coverage'];
  return readdirSync(ROOT).filter((name) => !made.includes(name) && !name.endsWith('.tgz'));
}
