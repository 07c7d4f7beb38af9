/** The tarball as `npm publish` would send it, installed where nothing else is. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const NPM_MS = 180_000;

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

/** Everything in the working tree but what is made from it. */
function sources(): string[] {
  const made = ['.git', 'node_modules', 'dist', 'coverage'];
  return readdirSync(ROOT).filter((name) => !made.includes(name) && !name.endsWith('.tgz'));
}
