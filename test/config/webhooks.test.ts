import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WEBHOOKS, webhookOfUrl } from '../../src/config/webhook-kinds.ts';
import { completeConfig, loadConfig } from '../../src/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'inboxd-config-'));
const file = join(folder, 'inboxd.toml');
afterAll(() => rmSync(folder, { recursive: true }));

function load(toml: string, environment: Readonly<Record<string, string>> = {}) {
  writeFileSync(file, toml);
  return loadConfig({ config: file }, environment, folder).config;
}

function problemOf(toml: string): string {
  try {
    load(toml);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('the tables of webhooks', () => {
  it('stand in a file, with paths that start at its folder', () => {
    const { webhooks } = load(`
      [webhooks.ci]
      url = "https://ci.example/mail?key=1"
      inbox = ["Shop*", "till@x.test"]
      query = "subject:invoice"
      secret-file = "ci.secret"
      [webhooks.local]
      url = "http://notifier:8080/"
      inbox = "ann@x.test"
      allow-private = true
      ca-file = "/etc/ca.pem"
    `);
    expect(webhooks).toEqual([
      {
        name: 'ci',
        url: 'https://ci.example/mail?key=1',
        inboxes: ['shop*', 'till@x.test'],
        query: 'subject:invoice',
        secretFile: join(folder, 'ci.secret'),
        caFile: '',
        allowPrivate: undefined,
      },
      {
        name: 'local',
        url: 'http://notifier:8080/',
        inboxes: ['ann@x.test'],
        query: '',
        secretFile: '',
        caFile: '/etc/ca.pem',
        allowPrivate: true,
      },
    ]);
    expect(WEBHOOKS.read(WEBHOOKS.print(webhooks), '/')).toEqual({ ok: true, value: webhooks });
    expect(completeConfig({ webhooks }).webhooks).toEqual(webhooks);
  });

  it('are JSON in the environment, and objects in a program', () => {
    const tables = { ci: { url: 'https://ci.example/' } };
    const { webhooks } = load('', { INBOXD_WEBHOOKS: JSON.stringify(tables) });
    expect(webhooks).toMatchObject([{ name: 'ci', url: 'https://ci.example/', inboxes: [], query: '' }]);
    expect(completeConfig({ webhooks: tables }).webhooks).toEqual(webhooks);
  });

  it.each([
    ['[webhooks.ci]', 'ci.url is missing'],
    ['[webhooks.ci]\nurl = "ftp://ci.example/"', 'ci.url is to be an http or https URL without user and password'],
    ['[webhooks.ci]\nurl = "https://a:b@ci.example/"', 'ci.url is to be an http or https URL without user and password'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\ninbx = "a"', 'ci has no key "inbx", did you mean inbox?'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\ninbox = ""', 'ci.inbox is to be the name of an inbox'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\ninbox = []', 'ci.inbox is to be the name of an inbox'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\nquery = "is:nice"', 'ci.query is to be a search such as subject:invoice -is:verified (at character'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\nallow-private = "yes"', 'ci.allow-private is to be true, false'],
    ['[webhooks.ci]\nurl = "https://ci.example/"\nsecret-file = 3', 'ci.secret-file is to be the path of a file'],
    ['[webhooks."C I"]\nurl = "https://ci.example/"', 'the name "C I" is not 1 to 40 of a-z'],
    ['[webhooks]\nci = "https://ci.example/"', 'ci is no table'],
    ['webhooks = 3', 'allowed: tables by name'],
    ['webhook = ["nowhere"]', 'allowed: an http or https URL'],
  ])('refuse %j', (toml, why) => {
    expect(problemOf(toml)).toContain(why);
  }); // biome-ignore format: a table

  it('are not quoted where they are wrong: URLs hold secrets', () => {
    const text = problemOf('[webhooks.ci]\nurl = "https://ci.example/?key=s3cr3t"\nquery = "is:nice"');
    expect(text).not.toContain('s3cr3t');
    expect(problemOf('webhook = "https://a:s3cr3t@x/"')).not.toContain('s3cr3t');
  });
});

describe('URLs of webhooks without a name', () => {
  it('come from flags, variables and files', () => {
    const urls = ['https://a.example/1', 'http://b.example/'];
    expect(loadConfig({ webhook: urls }, {}, folder).config.webhookUrls).toEqual(urls);
    expect(load('', { INBOXD_WEBHOOK: urls.join(' ') }).webhookUrls).toEqual(urls);
    expect(load(`webhook = ${JSON.stringify(urls)}`).webhookUrls).toEqual(urls);
  });

  it('have names that do not depend on the others, and tell nothing of path or parameters', () => {
    const { name } = webhookOfUrl('https://hooks.example/secret?key=1');
    expect(name).toMatch(/^hooks-example-[0-9a-f]{8}$/);
    expect(webhookOfUrl('https://hooks.example/secret?key=1').name).toBe(name);
    expect(webhookOfUrl('https://hooks.example/secret?key=2').name).not.toBe(name);
    for (const url of ['http://[::1]:80/', `http://${'a'.repeat(60)}.example/`]) {
      const choice = webhookOfUrl(url);
      expect(WEBHOOKS.accepts([choice])).toBe(true);
    }
  });
});
