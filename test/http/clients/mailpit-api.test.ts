/** The npm client `mailpit-api`, every call that it has. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { MailpitClient, type MailpitSendRequest } from 'mailpit-api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../../src/http/server.ts';
import { Chaos } from '../../../src/mail/chaos.ts';
import type { Report } from '../../../src/mail/report.ts';
import type { Store } from '../../../src/mail/store.ts';
import { createSqliteStore } from '../../../src/store/sqlite/store.ts';
import { png } from '../images/pictures.ts';

let store: Store;
let app: FastifyInstance;
let client: MailpitClient;
const reports: Report[] = [];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  app = createHttpServer({
    store,
    version: '1.2.3',
    hostname: 'mail.example.org',
    report: (report) => reports.push(report),
    chaos: new Chaos(),
    linkCheck: { reach: { allows: () => false, resolve: async () => ['127.0.0.1'] } },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  client = new MailpitClient(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, {
    auth: { username: 'tester', password: 'secret' },
  });
});
afterEach(async () => {
  await store.remove({ all: true });
  expect(reports.filter(({ type }) => type === 'crash')).toEqual([]);
});
afterAll(async () => {
  await app.close();
  await store.close();
});

const PICTURE = png(20, 20, () => [255, 0, 0, 255]);
const MAIL: MailpitSendRequest = {
  From: { Email: 'sender@example.test', Name: 'Sender Name' },
  To: [{ Email: 'recipient@example.test', Name: 'Recipient Name' }],
  Cc: [{ Email: 'cc@example.test', Name: 'Carbon Name' }],
  Bcc: ['bcc@example.test'],
  ReplyTo: [{ Email: 'noreply@example.test', Name: 'No Reply' }],
  Subject: 'Test Email with Attachment',
  Text: 'This is a test email with an attachment.',
  HTML: '<div style="text-align:center"><p>Mail is <b>fine</b>!</p>\n  <p><img src="cid:other" /></p></div>\n  <p><a href="https://example.test">Link</a></p>',
  Headers: { 'List-Unsubscribe': '<mailto:unsubscribe@example.test>, <https://example.test/unsubscribe>' },
  Attachments: [
    { Content: PICTURE.toString('base64'), Filename: 'test.png' },
    { Content: PICTURE.toString('base64'), Filename: 'test.png', ContentID: 'inline-image', ContentType: 'image/png' },
  ],
};
const address = { Address: expect.any(String), Name: expect.any(String) };
const summary = {
  Attachments: expect.any(Number),
  Bcc: [address],
  Cc: [address],
  Created: expect.any(String),
  From: address,
  ID: expect.any(String),
  MessageID: expect.any(String),
  Read: expect.any(Boolean),
  ReplyTo: [address],
  Size: expect.any(Number),
  Snippet: expect.any(String),
  Subject: expect.any(String),
  Tags: [],
  To: [address],
  Username: 'tester',
};
const page = {
  messages: [summary],
  messages_count: 1,
  messages_unread: expect.any(Number),
  start: 0,
  tags: [],
  total: 1,
  unread: expect.any(Number),
  count: 1,
};
const send = async () => (await client.sendMessage(MAIL)).ID;

describe('mailpit-api', () => {
  it('getInfo', async () => {
    const count = expect.any(Number);
    expect(await client.getInfo()).toEqual({
      Database: expect.any(String),
      DatabaseSize: count,
      LatestVersion: expect.any(String),
      Messages: 0,
      RuntimeStats: {
        Memory: count,
        MessagesDeleted: count,
        SMTPAccepted: count,
        SMTPAcceptedSize: count,
        SMTPIgnored: count,
        SMTPRejected: count,
        Uptime: count,
      },
      Tags: {},
      Unread: 0,
      Version: '1.2.3',
    });
  });

  it('getConfiguration', async () => {
    expect(await client.getConfiguration()).toMatchObject({
      ChaosEnabled: true,
      MessageRelay: { Enabled: false, RecipientAllowlist: '' },
      SpamAssassin: false,
    });
  });

  it('sendMessage and getMessageSummary', async () => {
    const attachment = {
      ContentID: expect.any(String),
      ContentType: 'image/png',
      FileName: 'test.png',
      PartID: expect.any(String),
      Size: PICTURE.length,
      Checksums: { MD5: expect.any(String), SHA1: expect.any(String), SHA256: expect.any(String) },
    };
    const id = await send();
    const message = {
      Attachments: [attachment],
      Bcc: [address],
      Cc: [address],
      Date: expect.any(String),
      From: address,
      HTML: expect.any(String),
      ID: id,
      Inline: [attachment],
      ListUnsubscribe: { Errors: '', Header: expect.any(String), HeaderPost: '', Links: expect.any(Array) },
      MessageID: expect.any(String),
      ReplyTo: [address],
      ReturnPath: 'sender@example.test',
      Size: expect.any(Number),
      Subject: MAIL.Subject,
      Tags: [],
      Text: expect.any(String),
      To: [address],
      Username: 'tester',
    };
    expect(await client.getMessageSummary()).toEqual(message);
    expect(await client.getMessageSummary(id)).toEqual(message);
  });

  it('getMessageHeaders', async () => {
    const id = await send();
    const value = [expect.any(String)];
    const headers = {
      Bcc: value,
      Cc: value,
      'Content-Type': value,
      Date: value,
      From: value,
      'List-Unsubscribe': value,
      'Message-Id': value,
      'Mime-Version': value,
      'Reply-To': value,
      'Return-Path': value,
      Subject: value,
      To: value,
    };
    expect(await client.getMessageHeaders()).toEqual(headers);
    expect(await client.getMessageHeaders(id)).toEqual(headers);
  });

  it('getMessageSource', async () => {
    const id = await send();
    expect(await client.getMessageSource()).toContain('Subject: Test Email with Attachment\r\n');
    expect(await client.getMessageSource(id)).toBe(await client.getMessageSource());
  });

  it('listMessages and searchMessages', async () => {
    await send();
    expect(await client.listMessages()).toEqual(page);
    expect(await client.listMessages(0, 10)).toEqual(page);
    expect(await client.searchMessages({ query: `subject:${MAIL.Subject}`, start: 0, limit: 10 })).toEqual(page);
  });

  it('waitForMessage and waitForMessages', async () => {
    const waiting = client.waitForMessage({ query: 'subject:Test' }, { timeout: 15_000, interval: 10 });
    const id = await send();
    expect((await waiting).ID).toBe(id);
    expect((await client.waitForMessages({ query: 'from:sender', count: 1, exact: true })).messages_count).toBe(1);
    expect((await client.waitForMessages()).messages_count).toBe(1);
    await expect(client.waitForMessage({ query: 'subject:none' }, { timeout: 1, interval: 1 })).rejects.toThrow(
      'Timeout',
    );
  });

  it('setReadStatus', async () => {
    const id = await send();
    expect(await client.setReadStatus({ IDs: [id], Read: true })).toBe('ok');
    expect((await client.listMessages()).messages_unread).toBe(0);
    expect(await client.setReadStatus()).toBe('ok');
    expect((await client.listMessages()).messages_unread).toBe(1);
    expect(await client.setReadStatus({ Search: 'from:sender', Read: true }, { tz: 'America/Chicago' })).toBe('ok');
    expect((await client.listMessages()).unread).toBe(0);
  });

  it('getMessageAttachment and getAttachmentThumbnail', async () => {
    const id = await send();
    const part = (await client.getMessageSummary(id)).Attachments[0]!.PartID;
    const attachment = await client.getMessageAttachment(id, part);
    expect([attachment.type, Buffer.from(await attachment.arrayBuffer()).equals(PICTURE)]).toEqual(['image/png', true]);
    expect((await client.getAttachmentThumbnail(id, part)).type).toBe('image/jpeg');
  });

  it('htmlCheck', async () => {
    const id = await send();
    const result = await client.htmlCheck(id);
    expect(result.Warnings.length).toBeGreaterThan(0);
    const [warning] = result.Warnings;
    expect(warning!.Results.length).toBeGreaterThan(0);
    expect(warning!.NotesByNumber).toEqual(expect.any(Object));
    expect(await client.htmlCheck()).toEqual(result);
  });

  it('linkCheck', async () => {
    const id = await send();
    const expected = {
      Errors: 1,
      Links: [{ Status: expect.any(String), StatusCode: expect.any(Number), URL: 'https://example.test' }],
    };
    expect(await client.linkCheck()).toEqual(expected);
    expect(await client.linkCheck(id, true)).toEqual(expected);
  });

  it('spamAssassinCheck and releaseMessage, which are not configured', async () => {
    const id = await send();
    await expect(client.spamAssassinCheck(id)).rejects.toThrow('404');
    await expect(client.releaseMessage(id, { To: ['user1@example.test'] })).rejects.toThrow('404');
  });

  it('setTags, renameTag, getTags and deleteTag', async () => {
    const id = await send();
    expect(await client.setTags({ IDs: [id], Tags: ['test-tag'] })).toBe('ok');
    expect((await client.listMessages()).messages[0]!.Tags).toEqual(['test-tag']);
    expect(await client.renameTag('test-tag', 'renamed-tag')).toBe('ok');
    expect(await client.getTags()).toEqual(['renamed-tag']);
    expect(await client.deleteTag('renamed-tag')).toBe('ok');
    expect(await client.getTags()).toEqual([]);
  });

  it('setChaosTriggers and getChaosTriggers', async () => {
    const triggers = {
      Authentication: { ErrorCode: 451, Probability: 5 },
      Recipient: { ErrorCode: 452, Probability: 10 },
      Sender: { ErrorCode: 453, Probability: 15 },
    };
    expect(await client.setChaosTriggers(triggers)).toEqual(triggers);
    expect(await client.getChaosTriggers()).toEqual(triggers);
    expect((await client.setChaosTriggers()).Sender).toEqual({ ErrorCode: 451, Probability: 0 });
  });

  it('renderMessageHTML and renderMessageText', async () => {
    const id = await send();
    expect(await client.renderMessageHTML()).toContain(MAIL.HTML);
    const embedded = await client.renderMessageHTML(id, 1);
    expect(embedded).not.toContain(MAIL.HTML);
    expect(embedded).toContain('target="_blank" rel="noreferrer noopener"');
    expect(await client.renderMessageText()).toContain(MAIL.Text);
    expect(await client.renderMessageText(id)).toContain(MAIL.Text);
  });

  it('deleteMessagesBySearch and deleteMessages', async () => {
    await send();
    expect(await client.deleteMessagesBySearch({ query: `subject:${MAIL.Subject}` })).toBe('ok');
    expect((await client.listMessages()).total).toBe(0);
    const id = await send();
    await send();
    expect(await client.deleteMessages({ IDs: [id] })).toBe('ok');
    expect((await client.listMessages()).total).toBe(1);
    expect(await client.deleteMessages()).toBe('ok');
    expect((await client.listMessages()).total).toBe(0);
  });
});
