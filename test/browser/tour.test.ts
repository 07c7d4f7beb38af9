/** What a reader does in a day, in a real browser. */
import AxeBuilder from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';
import { openBrowser, openContext, type Screen } from './support/chromium.ts';
import { welcome, withPicture } from './support/mails.ts';
import { StandIn } from './support/stand-in.ts';

describeWithPeers('the page', ['chromium'], () => {
  let browser: Browser;
  let daemon: StandIn;
  let context: BrowserContext | undefined;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    daemon = new StandIn();
    await daemon.start();
  });
  afterEach(async () => {
    await context?.close();
    context = undefined;
    await daemon.stop();
    expect(errors.splice(0)).toEqual([]);
  });

  async function visit(screen: Screen = {}, where = ''): Promise<void> {
    context = await openContext(browser, screen);
    page = await context.newPage();
    page.on('pageerror', (error) => void errors.push(error.message));
    await page.goto(daemon.url + where);
    await page.locator('.desk, form').first().waitFor();
  }

  const rows = () => page.getByRole('listbox', { name: 'Messages' }).getByRole('option');
  const subjects = () => page.locator('.row .subject').allTextContents();
  const reader = () => page.getByRole('main');
  const shown = () => page.locator('.reader h2').textContent();

  describe('with no mail yet', () => {
    it('says what to type to send one', async () => {
      await visit();
      await expect.poll(() => reader().isVisible()).toBe(true);
      await page.getByText('swaks --to anyone@anything.example --server 127.0.0.1:1025').waitFor();
      expect(await page.locator('dd').allTextContents()).toEqual(['127.0.0.1', '1025']);
    });

    it('shows mail as it arrives, with its inbox and their counts', async () => {
      await visit();
      await page.locator('[data-state=live]').waitFor({ state: 'attached' });
      await daemon.deliver(welcome('First'), ['ann@in.example']);
      await daemon.deliver(welcome('Second'), ['ann@in.example']);
      await expect.poll(subjects).toEqual(['Second', 'First']);
      const inbox = page.getByRole('navigation').getByRole('button', { name: /ann@in\.example/ });
      await expect.poll(() => inbox.locator('.count').textContent()).toMatch(/2/);
    });
  });

  describe('with mail', () => {
    beforeEach(async () => {
      await daemon.deliver(welcome('Older news', 'Nothing to see'), ['bob@in.example']);
      await daemon.deliver(withPicture('Holiday pictures'), ['bob@in.example']);
      await daemon.deliver(welcome('Your verification code', 'Your verification code is 482913.'), ['ann@in.example']);
    });

    it('opens a message, shows its code to copy, and marks it as read', async () => {
      await visit();
      await rows().first().click();
      await expect.poll(shown).toBe('Your verification code');
      await context!.grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy the code 482913' }).click();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('482913');
      await expect.poll(() => daemon.kept[0]!.summary.read).toBe(true);
      await expect.poll(() => page.locator('.row.unread').count()).toBe(2);
    });

    it('has every view of a message', async () => {
      await visit();
      await rows().nth(1).click();
      const frame = page.frameLocator('.view iframe');
      await frame.getByText('A picture from us').waitFor();
      // the mail's own picture is there, the tracker's is not
      await expect
        .poll(() => frame.locator('img').evaluateAll((all) => all.map((one) => (one as HTMLImageElement).naturalWidth)))
        .toEqual([1, 0]);
      await page.getByText('1 remote image was not loaded.').waitFor();
      const look = async (tab: string): Promise<string> => {
        await page.getByRole('tab', { name: tab }).click();
        await page.getByRole('tabpanel').getByText('Loading …').waitFor({ state: 'detached' });
        return (await page.getByRole('tabpanel').textContent()) ?? '';
      };
      expect(await look('Text')).toContain('A picture in words');
      expect(await look('Source')).toContain('Content-Type: multipart/mixed');
      expect(await look('Headers')).toContain('Holiday pictures');
      expect(await look('Attachments')).toContain('report.pdf');
      await expect
        .poll(() => page.locator('.picture img').evaluate((one) => (one as HTMLImageElement).naturalWidth))
        .toBe(1);
      expect(await look('Parts')).toMatch(/SHA-256 [0-9a-f]{64}/);
      expect(await look('Links')).toContain('https://example.com/unsubscribe');
      expect(await look('Envelope')).toContain('sender@out.example');
      expect(await look('Transcript')).toContain('EHLO client.example');
    });

    it('shows HTML as wide as a phone, and as a dark client does', async () => {
      await visit();
      await rows().nth(1).click();
      await page.frameLocator('.view iframe').getByText('A picture from us').waitFor();
      await page.getByRole('button', { name: 'Phone' }).click();
      await expect.poll(async () => (await page.locator('.view iframe').boundingBox())?.width).toBe(375);
      await page.getByRole('button', { name: 'Both' }).click();
      const colour = (at: number) =>
        page
          .frameLocator('.view iframe')
          .nth(at)
          .locator('body')
          .evaluate((body) => getComputedStyle(body).backgroundColor);
      await expect.poll(() => colour(0)).toBe('rgb(255, 255, 255)');
      await expect.poll(() => colour(1)).toBe('rgb(0, 0, 0)');
    });

    it('searches, and shows where a search is wrong', async () => {
      await visit();
      const box = page.getByRole('textbox', { name: /^Search/ });
      await box.fill('holiday');
      await expect.poll(subjects).toEqual(['Holiday pictures']);
      await box.fill('holiday from:');
      await page.getByRole('alert').getByText('Column 14: a value is missing').waitFor();
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await expect.poll(() => rows().count()).toBe(3);
    });

    it('narrows to an inbox, by click and by address', async () => {
      await visit();
      await page
        .getByRole('navigation')
        .getByRole('button', { name: /bob@in\.example/ })
        .click();
      await expect.poll(subjects).toEqual(['Holiday pictures', 'Older news']);
      expect(page.url()).toContain('#/inbox/bob%40in.example');
      await page.reload();
      await expect.poll(subjects).toEqual(['Holiday pictures', 'Older news']);
      await page.goBack();
      await expect.poll(() => rows().count()).toBe(3);
    });

    it('deletes, and takes that back', async () => {
      await visit();
      await rows().first().click();
      await expect.poll(shown).toBe('Your verification code');
      await page.keyboard.press('#');
      await expect.poll(() => rows().count()).toBe(2);
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(subjects).toEqual(['Your verification code', 'Holiday pictures', 'Older news']);
      expect(daemon.kept.length).toBe(3);
    });

    it('deletes for good when the time to take it back is over', async () => {
      await visit();
      await rows().first().click();
      await expect.poll(shown).toBe('Your verification code');
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await expect.poll(() => daemon.kept.length, { timeout: 15_000 }).toBe(2);
      expect(await rows().count()).toBe(2);
    });

    it('deletes all of a list but what arrives after', async () => {
      await visit();
      await page.getByRole('button', { name: 'Delete all' }).click();
      await page.getByText('Every address already has an inbox.').waitFor();
      await daemon.deliver(welcome('Just in time'), ['ann@in.example']);
      await expect.poll(subjects).toEqual(['Just in time']);
      // going away is the end of the time to undo
      await page.goto('about:blank');
      await expect.poll(() => daemon.kept.map(({ summary }) => summary.subject)).toEqual(['Just in time']);
    });

    it('pins, tags and marks as unread', async () => {
      await visit();
      await rows().first().click();
      await expect.poll(shown).toBe('Your verification code');
      await expect.poll(() => daemon.kept[0]!.summary.read).toBe(true);
      await page.keyboard.press('p');
      await expect.poll(() => daemon.kept[0]!.summary.pinned).toBe(true);
      await page.keyboard.press('m');
      await expect.poll(() => daemon.kept[0]!.summary.read).toBe(false);
      await page.keyboard.press('t');
      await page.getByRole('textbox', { name: /^Tags/ }).fill('signup, ci');
      await page.keyboard.press('Enter');
      await expect.poll(() => daemon.kept[0]!.summary.tags).toEqual(['signup', 'ci']);
    });

    it('catches up after the daemon was away', async () => {
      await visit();
      await page.locator('[data-state=live]').waitFor({ state: 'attached' });
      await daemon.stop();
      await page.getByText('The daemon does not answer.', { exact: false }).waitFor();
      await daemon.deliver(welcome('While you were away'), ['ann@in.example']);
      await daemon.start();
      await expect.poll(async () => (await subjects())[0], { timeout: 15_000 }).toBe('While you were away');
      await page.getByText('The daemon does not answer.', { exact: false }).waitFor({ state: 'detached' });
    });

    it('is walked through by keyboard', async () => {
      await visit();
      await page.keyboard.press('j');
      await expect.poll(shown).toBe('Your verification code');
      await page.keyboard.press('j');
      await expect.poll(shown).toBe('Holiday pictures');
      await page.keyboard.press('k');
      await expect.poll(shown).toBe('Your verification code');
      await page.keyboard.press('3');
      await expect.poll(() => page.getByRole('tab', { selected: true }).textContent()).toBe('Source');
      await page.keyboard.press('u');
      await expect.poll(() => page.url()).not.toContain('m=');
      await page.keyboard.press('/');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-focus'))).toBe('search');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('g');
      await page.keyboard.press('i');
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-focus'))).toBe('inboxes');
      await page.keyboard.type('bob');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.url()).toContain('bob%40in.example');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').fill('all mail');
      await page.keyboard.press('Enter');
      await expect.poll(() => rows().count()).toBe(3);
    });

    it.each([
      ['de', 'Alle Nachrichten', 'Nachrichten'],
      ['zh-CN', '全部邮件', '邮件'],
    ])('speaks %s to those who read it', async (locale, all, list) => {
      await visit({ locale });
      await page.getByRole('heading', { name: all }).waitFor();
      await page.getByRole('listbox', { name: list }).waitFor();
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale.slice(0, 2));
    });

    it('fits a screen of 360 pixels', async () => {
      await visit({ width: 360, height: 740 });
      const isWider = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(await isWider()).toBe(false);
      await rows().nth(1).click();
      await page.frameLocator('.view iframe').getByText('A picture from us').waitFor();
      expect(await isWider()).toBe(false);
      expect(await rows().first().isVisible()).toBe(false);
      await page.getByRole('button', { name: 'Back to the list' }).click();
      await rows().first().waitFor();
      await page.getByRole('button', { name: 'Inboxes and views' }).click();
      await page.getByRole('button', { name: /bob@in\.example/ }).click();
      await expect.poll(() => rows().count()).toBe(2);
    });

    it.each(['light', 'dark'] as const)('has nothing that axe calls wrong, in %s', async (theme) => {
      await visit({ theme });
      const wrong = async (): Promise<string[]> => {
        await page.evaluate(AxeBuilder.source);
        return page.evaluate(async () => {
          const { axe } = window as unknown as { axe: typeof AxeBuilder };
          // what is in the frame is the mail's, and the frame lets no script in
          const { violations } = await axe.run({ exclude: ['iframe'] }, { iframes: false });
          return violations.map(
            ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
          );
        });
      };
      expect(await wrong()).toEqual([]);
      await rows().first().click();
      await expect.poll(shown).toBe('Your verification code');
      expect(await wrong()).toEqual([]);
      for (const tab of ['Source', 'Links', 'Envelope']) {
        await page.getByRole('tab', { name: tab }).click();
        expect(await wrong()).toEqual([]);
      }
      for (const key of ['?', ':']) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        expect(await wrong()).toEqual([]);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
    });

    it('asks who reads where the daemon wants to know', async () => {
      daemon.token = 'secret-token';
      await visit();
      await page.getByLabel('Password or token').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('That was not right.').waitFor();
      await page.getByLabel('Password or token').fill('secret-token');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect.poll(() => rows().count()).toBe(3);
    });
  });

  it('scrolls through 100 000 messages, holding no more rows than can be seen', async () => {
    daemon.fill(100_000);
    await visit();
    await rows().first().waitFor();
    const box = page.locator('[data-focus=list]');
    expect(await box.evaluate((one) => one.scrollHeight)).toBe(100_000 * 82);
    for (const at of [0.1, 0.5, 1]) {
      await box.evaluate((one, part) => one.scrollTo(0, one.scrollHeight * part), at);
      await expect.poll(() => page.locator('.row').count(), { timeout: 30_000 }).toBeGreaterThan(5);
      expect(await page.locator('.at').count()).toBeLessThan(60);
    }
    await page.getByText('Message number 99999').waitFor();
  }, 60_000);
});
