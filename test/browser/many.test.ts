/**
 * The page of a daemon that wants to know who reads and holds very many messages: with `ROWS=100000` as many as a
 * reader may ever scroll through, otherwise some thousands, which is the same to the page and quicker to fill.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { AuthFile } from '../http/auth/support.ts';
import { describeWithPeers } from '../support/peers.ts';
import { openBrowser, openContext } from './support/chromium.ts';
import { welcome } from './support/mails.ts';
import { RealDaemon } from './support/real-daemon.ts';

const ROWS = Number(process.env.ROWS ?? 3_000);
const FILL_MS = 120_000 + ROWS * 10;
const AT_ONCE = 2_000;

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: FILL_MS });

describeWithPeers('the page of a daemon with very many messages', ['chromium'], () => {
  const auth = new AuthFile();
  let daemon: RealDaemon;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    await auth.addUser('ann', 'a secret of hers', { rights: ['read', 'delete'] });
    daemon = new RealDaemon({ httpAuth: auth.path });
    await daemon.start();
    for (let at = 0; at < ROWS; at += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, ROWS - at) }, (_, index) => at + index);
      await Promise.all(some.map((n) => daemon.deliver(welcome(`Message ${n}`), ['many@in.example'])));
    }
    browser = await openBrowser();
    page = await (await openContext(browser)).newPage();
    page.on('pageerror', (error) => void complaints.push(error.message));
  }, FILL_MS);

  afterAll(async () => {
    await browser?.close();
    await daemon?.remove();
    auth[Symbol.dispose]();
    expect(complaints).toEqual([]);
  });

  const row = (place: number) => page.locator(`.row[aria-posinset="${place}"] .subject`);
  const list = () => page.locator('[data-focus=list]');

  it('lets her in who knows the password, and shows how many there are', async () => {
    await page.goto(daemon.url);
    await page.getByLabel('User').fill('ann');
    await page.getByLabel('Password or token').fill('a wrong one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('That was not right.').waitFor();
    await page.getByLabel('Password or token').fill('a secret of hers');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText(`${ROWS.toLocaleString('en-GB')} messages`, { exact: true }).waitFor();
    await page.locator('[data-state=live]').waitFor();
  });

  it('goes to the last of them with a few requests, and to the middle', async () => {
    let lists = 0;
    page.on('request', (request) => {
      if (/\/api\/(search|inboxes\/[^/]+\/messages)/.test(request.url())) lists++;
    });
    await list().focus();
    const began = performance.now();
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('.reader h2').textContent()).toBe('Message 0');
    await expect.poll(() => row(ROWS).textContent()).toBe('Message 0');
    process.stdout.write(`to the last of ${ROWS}: ${Math.round(performance.now() - began)} ms\n`);
    await list().evaluate((one, top) => one.scrollTo(0, top), (ROWS / 2) * 82);
    await expect.poll(() => row(ROWS / 2 + 1).textContent()).toBe(`Message ${ROWS / 2 - 1}`);
    expect(lists).toBeLessThan(10);
  });

  it('shows what arrives, and finds one of them', async () => {
    await list().evaluate((one) => one.scrollTo(0, 0));
    await daemon.deliver(welcome('Just in'), ['many@in.example']);
    await expect.poll(() => row(1).textContent()).toBe('Just in');
    await page.getByRole('textbox', { name: /^Search/ }).fill('subject:"Message 17"');
    await expect.poll(() => row(1).textContent()).toBe('Message 17');
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await expect.poll(() => row(1).textContent()).toBe('Just in');
  });

  it('marks all of them as read at once', async () => {
    await list().focus();
    await page.keyboard.press('Shift+A');
    await page.getByText(`${(ROWS + 1).toLocaleString('en-GB')} selected`).waitFor();
    await page.keyboard.press('m');
    await page.getByText(/messages marked as read/).waitFor({ timeout: FILL_MS });
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.row.unread').count(), { timeout: FILL_MS }).toBe(0);
    await expect.poll(() => page.locator('.inboxes .some').count(), { timeout: FILL_MS }).toBe(0);
  });
});
