/** The page and the daemon together: mail comes in by SMTP and is read in a browser. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { openBrowser, openContext } from './support/chromium.ts';
import { welcome, withPicture } from './support/mails.ts';
import { RealDaemon } from './support/real-daemon.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 60_000, expect: { poll: { timeout: 30_000 } } });

describeWithPeers('the page of a daemon', ['chromium'], () => {
  let browser: Browser;
  let daemon: RealDaemon;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    daemon = new RealDaemon();
    await daemon.start();
    context = await openContext(browser);
    page = await context.newPage();
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(daemon.url);
    await page.locator('[data-state=live]').waitFor();
  });
  afterEach(async () => {
    await context.close();
    await daemon.remove();
    expect(complaints.splice(0)).toEqual([]);
  });

  const subjects = () => page.locator('.row .subject').allTextContents();
  const search = () => page.getByRole('textbox', { name: /^Search/ });

  async function send(mail: string, to: string): Promise<void> {
    const client = await SmtpClient.open(daemon.smtpPort);
    await deliver(client, { from: 'ada@out.example', to: [to], content: Buffer.from(mail) });
    await client.quit();
  }

  it('names the SMTP port that it really listens on', async () => {
    await page.getByText(`--server 127.0.0.1:${daemon.smtpPort}`).waitFor();
  });

  it('shows mail that comes by SMTP while somebody watches, its code, and how it came', async () => {
    await send(welcome('Your verification code', 'Your verification code is 482913.'), 'ann@in.example');
    await expect.poll(subjects).toEqual(['Your verification code']);
    await page.locator('.row').click();
    await page.getByRole('button', { name: 'Copy the code 482913' }).waitFor();
    await expect.poll(async () => (await daemon.summaries())[0]?.read).toBe(true);
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await page.getByText('RCPT TO:<ann@in.example>').waitFor();
    await page.getByRole('tab', { name: 'Source' }).click();
    await page.getByText('Ada Lovelace <ada@engine.example>').waitFor();
  });

  it('finds by the grammar, and tells the column of what is wrong', async () => {
    await send(withPicture('Holiday pictures'), 'bob@in.example');
    await send(welcome('Lunch'), 'ann@in.example');
    await expect.poll(subjects).toEqual(['Lunch', 'Holiday pictures']);
    await search().fill('has:attachment OR nothing');
    await expect.poll(subjects).toEqual(['Holiday pictures']);
    await search().fill('lunch OR');
    await page.getByRole('alert').getByText('Column 9').waitFor();
    await search().fill('inbox:"ann@in.example" is:unread');
    await expect.poll(subjects).toEqual(['Lunch']);
  });

  it('shows the pictures that a mail brought along, and no others', async () => {
    await send(withPicture('Holiday pictures'), 'bob@in.example');
    await page.locator('.row').click();
    const widths = () =>
      page
        .frameLocator('.view iframe')
        .locator('img')
        .evaluateAll((all) => all.map((one) => (one as HTMLImageElement).naturalWidth));
    await expect.poll(widths).toEqual([1, 0]);
    await page.getByRole('tab', { name: 'Attachments' }).click();
    const thumbnail = page.locator('.picture img');
    await expect.poll(() => thumbnail.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1);
  });

  it('deletes a list but not what comes after, and only once it cannot be undone', async () => {
    await send(welcome('First'), 'ann@in.example');
    await send(welcome('Second'), 'ann@in.example');
    await send(welcome('Of somebody else'), 'bob@in.example');
    await page
      .getByRole('navigation')
      .getByRole('button', { name: /ann@in\.example/ })
      .click();
    await expect.poll(subjects).toEqual(['Second', 'First']);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByText('This inbox is empty.', { exact: false }).waitFor();
    expect((await daemon.summaries()).length).toBe(3);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(subjects).toEqual(['Second', 'First']);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await send(welcome('Third'), 'ann@in.example');
    await expect.poll(subjects).toEqual(['Third']);
    await page.goto('about:blank');
    await expect
      .poll(async () => (await daemon.summaries()).map(({ subject }) => subject).sort())
      .toEqual(['Of somebody else', 'Third']);
  });

  it('goes on after the daemon was stopped and started', async () => {
    await send(welcome('Before'), 'ann@in.example');
    await expect.poll(subjects).toEqual(['Before']);
    await daemon.stop();
    await page.getByText('The daemon does not answer.', { exact: false }).waitFor();
    await daemon.start();
    await send(welcome('After'), 'ann@in.example');
    await expect.poll(subjects, { timeout: 15_000 }).toEqual(['After', 'Before']);
    await page.locator('[data-state=live]').waitFor();
  });
});
