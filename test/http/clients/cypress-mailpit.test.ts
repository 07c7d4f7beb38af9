/**
 * The commands of npm `cypress-mailpit`, run without Cypress, which is 300 MB and downloads itself. (Its package is
 * replaced by an empty one under `overrides` in package.json.) What the commands use of Cypress is stood in for here:
 * `cy.request`, `cy.wrap`, `cy.wait` and `cy.env`, whose chains are promises that flatten as Cypress's do.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../../src/http/server.ts';
import type { Store } from '../../../src/mail/store.ts';
import { createSqliteStore } from '../../../src/store/sqlite/store.ts';
import { png } from '../images/pictures.ts';

interface CypressRequest {
  readonly method: string;
  readonly url: string;
  readonly qs?: Record<string, string | number>;
  readonly body?: unknown;
  readonly auth?: { readonly user: string; readonly pass: string };
}
interface Message {
  readonly ID: string;
  readonly Subject: string;
  readonly Username: string;
}
interface List {
  readonly messages: readonly Message[];
  readonly messages_count: number;
  readonly unread: number;
}
type Commands = Record<string, (...args: unknown[]) => Promise<unknown>>;

let store: Store;
let app: FastifyInstance;
let commands: Commands;
const environment: Record<string, string | undefined> = {};

/** As Cypress does it: JSON out and, where the type says so, in; any status but 2xx and 3xx is an error. */
async function request({ method, url, qs = {}, body, auth }: CypressRequest) {
  const target = new URL(url);
  for (const [name, value] of Object.entries(qs)) target.searchParams.set(name, String(value));
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (auth) headers.authorization = `Basic ${Buffer.from(`${auth.user}:${auth.pass}`).toString('base64')}`;
  const reply = await fetch(target, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (reply.status >= 400) throw new Error(`cy.request() failed: ${reply.status} ${await reply.text()}`);
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json') ?? false;
  return { status: reply.status, body: isJson ? JSON.parse(text) : text };
}

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  app = createHttpServer({ store, version: '1.2.3', hostname: 'mail.example.org', report: () => {} });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  Object.assign(globalThis, {
    Cypress: { expose: () => url, config: () => 10_000 },
    cy: {
      env: async () => environment,
      wrap: async (value: unknown) => value,
      wait: (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      request,
    },
  });
  const entry = new URL('./src/MailpitCommands.js', import.meta.resolve('cypress-mailpit'));
  const { MailpitCommands } = (await import(entry.href)) as { MailpitCommands: new () => Commands };
  commands = new MailpitCommands();
});
afterEach(async () => {
  await store.remove({ all: true });
});
afterAll(async () => {
  Reflect.deleteProperty(globalThis, 'Cypress');
  Reflect.deleteProperty(globalThis, 'cy');
  await app.close();
  await store.close();
});

const run = <T = unknown>(name: string, ...args: unknown[]): Promise<T> => {
  const command = commands[name];
  if (command === undefined) throw new Error(`no command ${name}`);
  return command.apply(commands, args) as Promise<T>;
};
const send = (options?: object) => run<{ ID: string }>('mailpitSendMail', options);
const latest = () => run<Message>('mailpitGetMail');

describe('cypress-mailpit', () => {
  it('has no command that is not run here', async () => {
    const { parentCypressCommands, childCypressCommands } = commands.constructor as unknown as Record<string, string[]>;
    expect([...parentCypressCommands!, ...childCypressCommands!]).toHaveLength(26);
  });

  it('sends, and gets a mail apart', async () => {
    const content = png(2, 2, () => [0, 0, 0, 255]).toString('base64');
    const { ID } = await send({ attachments: [{ Content: content, Filename: 'a.png', ContentType: 'image/png' }] });
    const message = await latest();
    expect(message.ID).toBe(ID);
    expect(await run('mailpitGetMail', ID)).toEqual(message);
    expect(await run('mailpitGetSubject', message)).toBe('Hello Mailpit');
    expect(await run('mailpitGetFromAddress', message)).toBe('from@example.com');
    expect(await run('mailpitGetRecipientAddress', message)).toEqual(['jane@example.com']);
    expect(await run('mailpitGetAttachments', message)).toEqual(['a.png']);
    expect(await run('mailpitGetMailHTMlBody', message)).toContain('<p>hello from mailpit</p>');
    expect(await run('mailpitGetMailTextBody', message)).toContain('hello from mailpit');
  });

  it('finds mails, and waits for them', async () => {
    const waiting = run<List>('mailpitHasEmailsBySubject', 'late', 0, 50, { interval: 10 });
    await send({ subject: 'late' });
    expect((await waiting).messages_count).toBe(1);
    await send();
    expect((await run<List>('mailpitGetAllMails')).messages).toHaveLength(2);
    expect((await run<List>('mailpitSearchEmails', 'from:from@example.com', 0, 1)).messages).toHaveLength(1);
    expect((await run<List>('mailpitGetEmailsBySubject', 'Hello')).messages_count).toBe(1);
    expect((await run<List>('mailpitGetEmailsByTo', 'jane@example.com')).messages_count).toBe(2);
    expect((await run<List>('mailpitHasEmailsByTo', 'jane@example.com')).messages_count).toBe(2);
    expect((await run<List>('mailpitHasEmailsBySearch', 'subject:late')).messages_count).toBe(1);
    for (const name of ['Search', 'Subject', 'To']) {
      const query = name === 'Search' ? 'subject:nothing' : 'nothing';
      expect((await run<List>(`mailpitNotHasEmailsBy${name}`, query)).messages_count).toBe(0);
    }
  });

  it('marks mails read and unread', async () => {
    await send();
    await send();
    const unread = async () => (await run<List>('mailpitGetAllMails')).unread;
    const { messages } = await run<List>('mailpitGetAllMails');
    expect(await run('mailpitSetStatusAsRead', messages[0])).toBe('ok');
    expect(await unread()).toBe(1);
    expect(await run('mailpitSetStatusAsRead', messages)).toBe('ok');
    expect(await unread()).toBe(0);
    expect(await run('mailpitSetStatusAsUnRead', messages[1])).toBe('ok');
    expect(await unread()).toBe(1);
    await run('mailpitSetAllEmailStatusAsRead');
    expect(await unread()).toBe(0);
    await run('mailpitSetAllEmailStatusAsUnRead');
    expect(await unread()).toBe(2);
  });

  it('deletes mails', async () => {
    await send({ subject: 'one' });
    await send({ subject: 'two' });
    await run('mailpitDeleteEmailsBySearch', 'subject:one');
    expect((await run<List>('mailpitGetAllMails')).messages.map(({ Subject }) => Subject)).toEqual(['two']);
    await run('mailpitDeleteAllEmails');
    expect((await run<List>('mailpitGetAllMails')).messages).toEqual([]);
  });

  it('asks for spam, which is not configured', async () => {
    await send();
    const message = await latest();
    for (const name of ['mailpitGetMailSpamAssassinSummary', 'mailpitGetMailSpamAssainSummary']) {
      await expect(run(name, message)).rejects.toThrow('404');
    }
  });

  it('names its user', async () => {
    Object.assign(environment, { MAILPIT_USERNAME: 'jane', MAILPIT_PASSWORD: 'secret' });
    await send();
    expect((await latest()).Username).toBe('jane');
    Object.assign(environment, { MAILPIT_USERNAME: undefined });
  });
});
