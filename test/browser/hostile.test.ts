/** Mails that want to be more than read. Each is opened as a reader would, looked at from all sides, and left. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';
import { openBrowser, openContext } from './support/chromium.ts';
import { RealDaemon } from './support/real-daemon.ts';
import { openSink, type Sink } from './support/sink.ts';

const FOLDER = new URL('hostile/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.eml'))
  .map((name) => name.slice(0, -4))
  .sort();
/** What a browser asks its makers on its own account. */
const isOfMails = (line: string): boolean => !/\b(google|googleapis|gstatic|gvt1)\.com\b/.test(line);
const OPEN_MS = 60_000;
/** What Chromium calls the failure of a request that a Content-Security-Policy forbids. */
const BLOCKED = 'csp';

describeWithPeers('Viewer: a hostile mail', ['chromium'], () => {
  const daemon = new RealDaemon();
  const ids = new Map<string, string>();
  /** What should never be: scripts that ran, dialogs, new pages, navigations, requests to elsewhere. */
  let harm: string[] = [];
  let sink: Sink;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    await daemon.start();
    for (const name of NAMES) ids.set(name, await daemon.deliver(readFileSync(new URL(`${name}.eml`, FOLDER))));
    sink = await openSink();
    browser = await openBrowser([`--proxy-server=http://127.0.0.1:${sink.port}`]);
    context = await openContext(browser);
    await context.exposeBinding('canary', (_source, what) => void harm.push(`script: ${what}`));
    context.on('page', (opened) => void harm.push(`page: ${opened.url()}`));
    // a browser tells of a request that the frame's policy has stopped as well; what is not stopped asks the sink
    const tell = (request: Request): void => {
      if (request.url().startsWith(daemon.url) || request.url().startsWith('data:')) return;
      if (request.failure()?.errorText !== BLOCKED) harm.push(`request: ${request.method()} ${request.url()}`);
    };
    context.on('requestfailed', tell);
    context.on('requestfinished', tell);
    context.on('dialog', (dialog) => {
      harm.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page = await context.newPage();
    harm = [];
    page.on('framenavigated', (frame) => {
      if (!frame.url().startsWith(daemon.url) && frame.url() !== 'about:blank') harm.push(`navigation: ${frame.url()}`);
    });
    page.on('pageerror', (error) => void harm.push(`error: ${error.message}`));
    page.on('crash', () => void harm.push('crash'));
    await page.goto(daemon.url);
    await rows().first().waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await sink?.close();
    await daemon.remove();
  });

  it('is one of at least 60', () => expect(NAMES.length).toBeGreaterThanOrEqual(60));

  const rows = () => page.getByRole('listbox').getByRole('option');

  /** Opens a mail by its address, as a click on its row does, and waits until what it wants to show is shown. */
  async function open(name: string): Promise<void> {
    await page.evaluate((id) => {
      location.hash = `#/?m=${id}`;
    }, ids.get(name)!);
    await page.locator(`.reader[data-message="${ids.get(name)}"]`).waitFor();
    await settle();
  }

  async function settle(): Promise<void> {
    await page.waitForFunction(() => document.querySelector('.view iframe:not([data-shown])') === null);
    // an answer that a canary sends after its first task
    await page.waitForTimeout(30);
  }

  it.each(NAMES)(
    'Viewer: %s runs nothing and asks nobody',
    async (name) => {
      harm = [];
      await open(name);
      // by its keys, since what does not fit beside the others is folded away
      for (const key of '234567891') {
        await page.keyboard.press(key);
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      }
      await settle();
      expect(harm).toEqual([]);
      expect(sink.asked.filter(isOfMails)).toEqual([]);
      // the page is still itself: it tells the mail's name, walks on, and has kept its place
      expect(await page.getByRole('listbox').getByRole('option', { selected: true }).count()).toBe(1);
      expect(page.url().startsWith(daemon.url)).toBe(true);
      const before = page.url();
      await page.locator('[data-focus=list]').focus();
      await page.keyboard.press(NAMES.indexOf(name) === 0 ? 'k' : 'j');
      await expect.poll(() => page.url()).not.toBe(before);
      expect((await daemon.summaries()).length).toBe(NAMES.length);
    },
    OPEN_MS,
  );

  it('loads pictures and nothing else once the reader asks for them', async () => {
    for (const name of ['load-images', 'load-css', 'svg-loads', 'load-fonts', 'load-frames', 'meta-refresh']) {
      harm = [];
      await open(name);
      const ask = page.getByRole('button', { name: 'Load remote images' });
      if ((await ask.count()) === 0) continue;
      await ask.click();
      await settle();
      expect(harm.filter((one) => !/^request: GET https?:\/\/evil\.example\/[\w-]+\.gif$/.test(one))).toEqual([]);
      if (name === 'load-images') await expect.poll(() => sink.asked.filter(isOfMails).length).toBeGreaterThan(0);
    }
  });
});
