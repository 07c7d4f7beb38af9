import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { optionsMarkdown } from '../src/config/markdown.ts';
import { START_ERRORS } from '../src/errors.ts';
import { diagramOf, PROTOCOL_NAMES } from '../src/protocols.ts';
import { EXTENSIONS } from '../src/smtp/extensions.ts';
import { VERBS } from '../src/smtp/verbs.ts';

const top = fileURLToPath(new URL('..', import.meta.url));
const src = join(top, 'src');

/** Rooms that a room may import from, beside itself; packages by name; files of a room by their path. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  mail: ['mailparser'],
  smtp: ['wire', 'mail'],
  lmtp: ['wire', 'mail', 'smtp'],
  pop3: ['wire', 'mail'],
  finger: ['wire', 'mail', 'system/command.ts', 'system/turns.ts'],
  milter: ['mail', 'wire/input.ts', 'wire/bare-newlines.ts'],
  eurechat: ['wire', 'mail'],
  tls: ['mail', '@peculiar/x509', 'reflect-metadata'],
  verify: ['mail', 'mailauth'],
  store: ['mail'],
  sinks: ['mail', 'system/command.ts', 'system/turns.ts'],
  responders: ['mail', 'system/turns.ts', 'store/sqlite/thread.ts', 'nodemailer'],
  dns: ['mail'],
  system: ['report/line-writer.ts'],
  report: ['mail', 'pino', 'pino-pretty', 'prom-client'],
  auth: ['mail'],
  outbound: [],
  webhooks: ['mail', 'outbound'],
  http: [
    'mail',
    'auth',
    'outbound',
    'fastify',
    '@fastify/ajv-compiler',
    'css-select',
    'htmlparser2',
    'nodemailer',
    'ws',
    '@silvia-odwyer/photon-node',
  ],
  guard: ['mail', 'wire'],
  config: [
    'smtp/limits.ts',
    'sinks/limits.ts',
    'webhooks/limits.ts',
    'mail/query-parser.ts',
    'http/limits.ts',
    'guard/limits.ts',
    'milter/limits.ts',
    'responders/limits.ts',
    'wire/networks.ts',
    'dns/block-list.ts',
    'smol-toml',
  ],
  // runs in browsers: knows the daemon by its API alone
  web: ['svelte', 'dompurify'],
  doors: ['*'],
  cli: ['*'],
  testing: ['*'],
  doctor: ['*'],
  // no code: files for those who run it as a service
  packaging: [],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') || name.endsWith('.svelte'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const from = relative(src, file);
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|\bimport\('([^']+)'\)/g;
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    const to = name.startsWith('.')
      ? relative(src, resolve(dirname(file), name))
      : name.replace(/^((?:@[^/]+\/)?[^/:]+)\/.*\.js$/, '$1'); // a file of a package
    return { file, from, to };
  });
}

describe('the house', () => {
  const imports = filesBelow(src).flatMap(importsOf);

  it('is seen whole by this test', () => {
    expect(imports.length).toBeGreaterThan(200);
  });

  it('imports only downwards', () => {
    const wrong = imports.filter(({ from, to }) => {
      const room = from.split('/')[0] ?? '';
      const allowed = MAY_IMPORT[room];
      if (!from.includes('/') || !allowed || allowed.includes('*') || to.startsWith('node:')) return false;
      const target = to.split('/')[0] ?? '';
      // the files of configuration that stand beside its folder belong to it
      if (room === 'config' && to === 'config.ts') return false;
      return target !== room && !allowed.includes(target) && !allowed.includes(to);
    });
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('has no room that the rules do not know', () => {
    const rooms = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of rooms) expect(Object.keys(MAY_IMPORT)).toContain(name);
  });

  it('names node modules as such and files with their extension', () => {
    const wrong = imports.filter(
      ({ to }) => to.includes('/') && !/^node:|^@[^/]+\/[^/]+$|\.(ts|json|svelte|css)$/.test(to),
    );
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('keeps the packages that parse mail and serve HTTP in one room each', () => {
    const users = (name: string): string[] => [
      ...new Set(imports.filter(({ to }) => to === name).map(({ from }) => from.split('/')[0] ?? '')),
    ];
    expect(users('mailparser')).toEqual(['mail']);
    expect(users('fastify')).toEqual(['http']);
    expect(users('commander')).toEqual(['cli']);
  });

  it('declares every package that it imports, and imports every package that it declares', () => {
    const manifest = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    // what the page imports is built into it, and nobody who installs the daemon needs it
    const ofDaemon = imports.filter(({ from }) => !from.startsWith('web/')).map(({ to }) => to);
    const used = ofDaemon.filter((to) => !/^node:|\.(?:ts|json)$/.test(to));
    expect(Object.keys(manifest.dependencies).sort()).toEqual([...new Set(used)].sort());
  });
});

/** What a file loads when it is loaded, and what that loads: all but types, and what is loaded when it is first needed. */
function loadedBy(file: string, found = new Map<string, string>()): Map<string, string> {
  const pattern = /(?:^|\n)(?:import|export)\b(?! type\b)([^'"`;]*?)(?:from\s+)?'([^']+)'/g;
  for (const [, names = '', to = ''] of readFileSync(file, 'utf8').matchAll(pattern)) {
    if (/^\s*\{(?:\s*type\s[^,}]*,?)+\s*\}/.test(names)) continue;
    const path = to.startsWith('.') ? resolve(dirname(file), to) : to;
    if (found.has(path)) continue;
    found.set(path, relative(src, file));
    if (path.endsWith('.ts')) loadedBy(path, found);
  }
  return found;
}

describe('the thread of the event loop', () => {
  // the doors are those of the listeners that a daemon has when nothing is said of them
  const programs = ['cli/serve.ts', 'doors/mail.ts', 'doors/http.ts'].map((name) => join(src, name));
  const loaded = new Map(programs.flatMap((program) => [...loadedBy(program)]));

  it('is seen whole by this test', () => {
    expect(loaded.size).toBeGreaterThan(200);
    for (const name of ['fastify', join(src, 'wire/machine.ts'), 'pino']) expect([...loaded.keys()]).toContain(name);
  });

  it.each([
    ['mailparser'],
    ['nodemailer'],
    ['mailauth'],
    ['@peculiar/x509'],
    ['@silvia-odwyer/photon-node'],
    ['css-select'],
    [join(src, 'mail/phrases.ts')],
    [join(src, 'http/checks/caniemail.json')],
  ])('does not hold in memory what few mails need: %s', (name) => {
    expect([...loaded].filter(([to]) => to === name || to.startsWith(`${name}/`))).toEqual([]);
  });
});

describe('what is written about it', () => {
  const readme = readFileSync(join(top, 'README.md'), 'utf8');

  it('README.md lists every dependency with its reason', () => {
    const { dependencies } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { dependencies: object };
    for (const name of Object.keys(dependencies)) expect(readme).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  });

  it('README.md explains every start-up error', () => {
    for (const [code, meaning] of Object.entries(START_ERRORS))
      expect(readme).toContain(`| \`${code}\` | ${meaning} |`);
  });

  it('README.md has the table of options as the program has it', () => {
    expect(readme).toContain(optionsMarkdown().trim());
  });

  it('README.md has the tables of verbs and extensions as the program has them', () => {
    for (const { verb, rfc, summary, refused } of VERBS) {
      if (!refused) expect(readme).toContain(`| \`${verb}\` | ${summary} | ${rfc} |`);
    }
    for (const { keyword, rfc } of EXTENSIONS) expect(readme).toContain(`\`${keyword}\` (${rfc})`);
  });

  it('src/README.md has the diagrams as the tables draw them', () => {
    const house = readFileSync(join(src, 'README.md'), 'utf8');
    for (const name of PROTOCOL_NAMES) expect(house).toContain(`\`\`\`mermaid\n${diagramOf(name)}\n\`\`\``);
  });
});
