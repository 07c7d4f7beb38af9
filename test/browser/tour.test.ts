/** What a reader does in a day, in a real browser. */

import AxeBuilder from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { openBrowser, openContext, type Screen } from './support/chromium.ts';
import { letter, welcome, withPicture } from './support/mails.ts';
import { StandIn } from './support/stand-in.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 60_000 });

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

  /** A key that comes while the last dialog gives the focus back is nobody's; people are not that quick. */

  const openDialog = async (key: string): Promise<void> => {
    const dialog = page.getByRole('dialog');

    await until(async () => {
      await page.keyboard.press(key);

      return dialog.waitFor({ timeout: 3_000 }).then(
        () => true,

        () => false,
      );
    });
  };

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
      daemon.verification = {
        status: 'done',
        reason: '',
        spf: { result: 'softfail', domain: 'out.example', reason: 'matched ~all', identity: 'mailfrom' },
        dkim: [{ result: 'pass', domain: 'out.example', reason: '', selector: 's1', algorithm: 'rsa-sha256' }],
        dmarc: { result: 'fail', domain: 'engine.example', reason: 'nothing is aligned', policy: 'reject' },
        arc: { result: 'none', domain: '', reason: '', instances: 0 },
      };
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
      expect(await look('Parts')).toMatch(/SHA-256[0-9a-f]{64}/);
      expect(await look('Links')).toContain('https://example.com/unsubscribe');
      const envelope = (await look('Envelope')).replace(/\s+/g, ' ');
      for (const fact of [
        'sender@out.example',
        'TLSv1.3 TLS_AES_256_GCM_SHA384',
        'ada PLAIN',
        'SPF softfail out.example for the sender matched ~all',
        'DKIM pass out.example s1 · rsa-sha256',
        'DMARC fail engine.example policy: reject nothing is aligned',
      ]) {
        expect(envelope).toContain(fact);
      }
      expect(envelope).not.toMatch(/\bARC\b/);
      expect(await look('Transcript')).toContain('EHLO client.example');
    });

    it('shows how its parts lie in each other, and gives each of them', async () => {
      await visit();
      await rows().nth(1).click();
      await page.getByRole('tab', { name: 'Parts' }).click();
      const lines = page.getByRole('tabpanel').getByRole('listitem');
      const tree = await lines.evaluateAll((all) =>
        all.map((one) => `${one.ariaLevel} ${one.querySelector('strong')?.textContent}`),
      );
      expect(tree).toEqual([
        '1 multipart/mixed',
        '2 multipart/related',
        '3 multipart/alternative',
        '4 text/plain',
        '4 text/html',
        '3 image/png',
        '2 application/pdf',
        '2 image/png',
      ]);
      const open = page.getByRole('link', { name: 'Open: text/plain 1.1.1' });
      const answer = await page.request.get((await open.getAttribute('href'))!);
      expect(await answer.text()).toBe('A picture in words');
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download: report.pdf' }).click(),
      ]);
      expect(saved.suggestedFilename()).toBe('2.pdf');
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

    it('tells who sent a message as soon as that has been found out', async () => {
      const pending = { status: 'pending', reason: '', spf: null, dkim: [], dmarc: null, arc: null } as const;
      const { verification } = daemon;
      daemon.verification = pending;
      await visit();
      await rows().first().click();
      await page.getByRole('tab', { name: 'Envelope' }).click();
      await page.getByText('Being found out …').waitFor();
      await page.locator('[data-state=live]').waitFor();
      daemon.verification = verification;
      daemon.touch(daemon.kept[0]!.summary.id);
      await page.getByTitle('Who sent it').getByText('pass').waitFor();
      await page.getByText('policy: reject').waitFor();
    });

    it('turns a mail dark that knows nothing of it, in its own hues, and shows the original when asked', async () => {
      await daemon.deliver(
        letter(
          'Sale',
          '<style>.card { background: #ffffff } h1 { color: rgb(20, 20, 20) }</style><body bgcolor="#f4f4f4">' +
            '<div class="card"><h1>Sale</h1><font color="#cc0000">only today</font>' +
            '<a style="background:#0b4f8a;color:#fff" href="https://x.example/">Buy</a></div></body>',
        ),
      );
      await visit({ theme: 'dark' });
      await rows().first().click();
      const frame = page.frameLocator('.view iframe');
      /** Lightness in OKLab of the ground or the text of an element. */
      const lightness = async (selector: string, property: 'backgroundColor' | 'color'): Promise<number> =>
        frame.locator(selector).evaluate((one, name) => {
          const canvas = new OffscreenCanvas(1, 1).getContext('2d')!;
          canvas.fillStyle = getComputedStyle(one)[name];
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => (value / 255) ** 2.2);
          return Math.cbrt(0.2126 * r! + 0.7152 * g! + 0.0722 * b!);
        }, property);
      await frame.locator('h1').waitFor();
      expect(await lightness('body', 'backgroundColor')).toBeLessThan(0.3);
      expect(await lightness('.card', 'backgroundColor')).toBeLessThan(0.3);
      expect(await lightness('h1', 'color')).toBeGreaterThan(0.8);
      expect(await lightness('font', 'color')).toBeGreaterThan(0.55);
      expect(await lightness('a', 'color')).toBeGreaterThan(0.95);
      expect(await lightness('a', 'backgroundColor')).toBeLessThan(0.5);
      await page.getByRole('button', { name: 'Adapt colours' }).click();
      await expect.poll(() => lightness('.card', 'backgroundColor')).toBeGreaterThan(0.99);
      expect(await lightness('h1', 'color')).toBeLessThan(0.3);
      await page.getByRole('button', { name: 'Light', exact: true }).click();
      await page.getByRole('button', { name: 'Adapt colours' }).waitFor({ state: 'detached' });
      // one with dark colours of its own is left to them
      await page.getByRole('button', { name: 'Auto' }).click();
      await rows().nth(2).click();
      await frame.getByText('A picture from us').waitFor();
      expect(await page.getByRole('button', { name: 'Adapt colours' }).isDisabled()).toBe(true);
    });

    it('keeps the tables of old mails as they were laid out', async () => {
      await daemon.deliver(
        letter('Old', '<table width="600" align="center" bgcolor="#ff0000"><tr><td width="200">x</td></tr></table>'),
      );
      await visit({ width: 1600 });
      await rows().first().click();
      const table = page.frameLocator('.view iframe').locator('table');
      await table.waitFor();
      expect(
        await table.evaluate((one) => [
          one.clientWidth,
          getComputedStyle(one).backgroundColor,
          one.getBoundingClientRect().left > 50,
        ]),
      ).toEqual([600, 'rgb(255, 0, 0)', true]);
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
      await page.getByRole('button', { name: 'Mark as unread' }).waitFor();
      await page.keyboard.press('m');
      await expect.poll(() => daemon.kept[0]!.summary.read).toBe(false);
      await page.keyboard.press('t');
      await page.getByRole('textbox', { name: /^Tags/ }).fill('signup, ci');
      await page.keyboard.press('Enter');
      await expect.poll(() => daemon.kept[0]!.summary.tags).toEqual(['signup', 'ci']);
    });

    describe('from filters', () => {
      const CAME = letter('Cheap pills', '<p>Buy at <a href="https://shop.example/x">our shop</a></p>');
      const LEFT = `X-Spam: yes\r\n${CAME.replace('Subject: Cheap', 'Subject: [SPAM] Cheap')}`;
      const strange = () => daemon.deliver(LEFT, ['ann@in.example'], { came: CAME, quarantine: 'looks odd' });
      const tabs = async (): Promise<string[]> => {
        const names = await page.locator('.measure .tab').allTextContents();
        return names.map((name) => name.replace(/\d+$/, ''));
      };
      const choose = async (name: string): Promise<void> => {
        const named = new RegExp(`^${name}\\s*\\d*$`); // some have a count behind
        const tab = page.getByRole('tab', { name: named });
        if ((await tab.count()) === 0) {
          await page.getByRole('button', { name: 'More views' }).click();
          await page.getByRole('menuitem', { name: named }).click();
        } else await tab.click();
      };

      it('is told apart while in quarantine, and nothing of it acts until it is released', async () => {
        const id = await strange();
        await visit();
        expect(await rows().first().locator('.held').getAttribute('title')).toBe('looks odd');
        expect(await rows().nth(1).locator('.held').count()).toBe(0);
        await rows().first().click();
        await page.getByText('In quarantine: looks odd.').waitFor();
        expect(await tabs()).not.toContain('HTML');
        await reader().getByText('our shop').waitFor();
        expect(await page.locator('.view a').count()).toBe(0);
        await choose('Links');
        await page.locator('.view li').first().waitFor();
        expect(await page.locator('.view a').count()).toBe(0);
        await choose('Parts');
        expect(await page.locator('.view a').count()).toBe(0);
        await choose('Text');
        await page.getByRole('button', { name: 'Release from quarantine' }).click();
        await page.frameLocator('.view iframe').getByText('our shop').waitFor();
        expect(daemon.kept.find(({ summary }) => summary.id === id)?.summary.quarantine).toBeNull();
        expect(await rows().first().locator('.held').count()).toBe(0);
      });

      it('goes back into quarantine when its release is taken back', async () => {
        await strange();
        await visit();
        await rows().first().click();
        await page.getByRole('button', { name: 'Release from quarantine' }).click();
        await page.frameLocator('.view iframe').getByText('our shop').waitFor();
        await page.getByRole('button', { name: 'Undo' }).click();
        await page.getByText('In quarantine: looks odd.').waitFor();
        expect(await page.locator('.view iframe').count()).toBe(0);
        expect(daemon.kept[0]!.summary.quarantine).toBe('looks odd');
      });

      it('is kept when somebody else releases it, and found by its state', async () => {
        await strange();
        await visit({}, '#/?q=is:quarantined');
        await expect.poll(subjects).toEqual(['[SPAM] Cheap pills']);
        await rows().first().click();
        await page.getByText('In quarantine: looks odd.').waitFor();
        await page.getByRole('button', { name: 'Mark as unread' }).waitFor();
        const [one] = daemon.kept;
        one!.summary = { ...one!.summary, quarantine: null };
        await page.locator('[data-state=live]').waitFor();
        daemon.touch(one!.summary.id);
        await page.frameLocator('.view iframe').getByText('our shop').waitFor();
      });

      it('shows the last of several changes that are told together', async () => {
        await strange();
        await visit();
        await page.locator('[data-state=live]').waitFor();
        await rows().first().click();
        await page.getByRole('button', { name: 'Mark as unread' }).waitFor();
        const [one] = daemon.kept;
        for (const quarantine of ['looks worse', null]) {
          one!.summary = { ...one!.summary, quarantine };
          daemon.touch(one!.summary.id);
        }
        await page.frameLocator('.view iframe').getByText('our shop').waitFor();
        expect(await page.getByText('In quarantine').count()).toBe(0);
      });

      it('shows what others have done since, however late the answer to our own change comes', async () => {
        await strange();
        await visit();
        await page.locator('[data-state=live]').waitFor();
        const { promise, resolve: answer } = Promise.withResolvers<void>();
        daemon.answersAfter = promise;
        const answered = page.waitForResponse((response) => response.request().method() === 'PATCH');
        await rows().first().click();
        await page.getByRole('button', { name: 'Mark as unread' }).waitFor();
        const [one] = daemon.kept;
        one!.summary = { ...one!.summary, quarantine: null };
        daemon.touch(one!.summary.id);
        await page.frameLocator('.view iframe').getByText('our shop').waitFor();
        answer();
        await (await answered).finished();
        await page.evaluate(
          () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
        );
        expect(await page.getByText('In quarantine').count()).toBe(0);
      });

      it('says what they changed, and gives each source', async () => {
        await daemon.deliver(LEFT, ['ann@in.example'], { came: CAME });
        await visit();
        await rows().first().click();
        await expect.poll(shown).toBe('[SPAM] Cheap pills');
        await choose('Changes');
        const view = page.locator('.view');
        await view.getByText('Fields added').waitFor();
        expect(await view.locator('dl').first().innerText()).toMatch(
          /X-Spam:\s*yes[\s\S]*Subject[\s\S]*Cheap pills[\s\S]*\[SPAM\] Cheap pills/,
        );
        expect(await view.getByText('Body', { exact: true }).count()).toBe(0);
        await view.getByRole('button', { name: 'As filters left it' }).click();
        await view.locator('.source').getByText('X-Spam').waitFor();
        await view.getByRole('button', { name: 'As it came' }).click();
        await expect.poll(() => view.locator('.source b').first().textContent()).toBe('From:');
        expect(await view.locator('.source').innerText()).not.toContain('X-Spam');
        await rows().nth(1).click();
        await expect.poll(shown).not.toContain('SPAM');
        expect(await tabs()).not.toContain('Changes');
      });

      it.each([360, 1280])('fits a screen of %i pixels', async (width) => {
        await daemon.deliver(LEFT, ['ann@in.example'], { came: CAME, quarantine: 'virus '.repeat(60) });
        await visit({ width, height: 740 });
        await rows().first().click();
        await page.getByText('In quarantine: virus').waitFor();
        await choose('Changes');
        await page.getByText('Fields added').waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
      });
    });

    describe('picked out of the list', () => {
      const ticks = () => page.locator('.row .pick');
      const picked = () => page.locator('.row[aria-checked=true] .subject').allTextContents();
      const unread = () => daemon.kept.filter(({ summary }) => !summary.read).length;

      it('by pointer: one, some more, and all between two', async () => {
        await visit();
        await ticks().nth(2).click();
        expect(await picked()).toEqual(['Older news']);
        expect(page.url()).not.toContain('m=');
        await rows()
          .nth(0)
          .click({ modifiers: ['Shift'] });
        await expect.poll(picked).toEqual(['Your verification code', 'Holiday pictures', 'Older news']);
        await rows()
          .nth(1)
          .click({ modifiers: ['ControlOrMeta'] });
        await expect.poll(picked).toEqual(['Your verification code', 'Older news']);
        await page.getByRole('button', { name: 'Select none' }).click();
        await expect.poll(picked).toEqual([]);
      });

      it('by keyboard, without opening any', async () => {
        await visit();
        await rows().first().waitFor();
        await page.keyboard.press('x');
        await page.keyboard.press('Shift+J');
        await expect.poll(picked).toEqual(['Your verification code', 'Holiday pictures']);
        await page.keyboard.press('Shift+K');
        await expect.poll(picked).toEqual(['Your verification code']);
        await page.keyboard.press('Shift+A');
        await expect.poll(picked).toHaveLength(3);
        await page.getByText('3 selected').waitFor();
        await page.keyboard.press('Escape');
        await expect.poll(picked).toEqual([]);
        await page.locator('[data-focus=list]').focus();
        await page.keyboard.press('Space');
        await page.keyboard.press('Shift+End');
        await expect.poll(picked).toHaveLength(3);
        await page.keyboard.press('Control+a');
        await page.getByText('3 selected').waitFor();
        expect(unread()).toBe(3);
      });

      it('are marked, pinned and tagged together, and that is taken back for just those that it changed', async () => {
        await daemon.deliver(welcome('Newest'), ['ann@in.example']);
        daemon.kept[1]!.summary = { ...daemon.kept[1]!.summary, read: true };
        await visit();
        await rows().first().waitFor();
        await page.keyboard.press('Shift+A');
        await page.keyboard.press('m');
        await page.getByText('3 messages marked as read').waitFor();
        await expect.poll(unread).toBe(0);
        await page.getByRole('button', { name: 'Undo' }).click();
        await expect.poll(unread).toBe(3);
        expect(daemon.kept[1]!.summary.read).toBe(true);
        await page.getByRole('toolbar', { name: '4 selected' }).getByRole('button', { name: 'Pin' }).click();
        await expect.poll(() => daemon.kept.every(({ summary }) => summary.pinned)).toBe(true);
        await page.keyboard.press('t');
        await page.getByRole('textbox', { name: 'Add tags' }).fill('one, two');
        await page.keyboard.press('Enter');
        await expect.poll(() => daemon.kept[3]!.summary.tags).toEqual(['one', 'two']);
        await page.getByText('Tags of 4 messages changed').waitFor();
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
        await openDialog('t');
        await page.getByRole('dialog').getByRole('button', { name: 'one' }).click();
        const answered = page.waitForResponse((response) => response.request().method() !== 'GET');
        await page.getByRole('button', { name: 'Save' }).click();
        await expect.poll(() => daemon.kept.map(({ summary }) => summary.tags)).toEqual(Array(4).fill(['two']));
        await (await answered).finished(); // the notice of the change before is there still
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
        await page.keyboard.press('z');
        await expect.poll(() => daemon.kept[0]!.summary.tags).toEqual(['one', 'two']);
      });

      it('lose tags too that they have got since the dialog was opened', async () => {
        await visit();
        await rows().first().waitFor();
        await page.keyboard.press('Shift+A');
        await openDialog('t');
        const [one] = daemon.kept;
        one!.summary = { ...one!.summary, tags: ['late'] };
        daemon.touch(one!.summary.id);
        await page.getByRole('dialog').getByRole('button', { name: 'late' }).click();
        await page.getByRole('button', { name: 'Save' }).click();
        await expect.poll(() => one!.summary.tags).toEqual([]);
      });

      it('are deleted together, and come back', async () => {
        await visit();
        await ticks().first().click();
        await ticks()
          .nth(1)
          .click({ modifiers: ['Shift'] });
        await page.keyboard.press('#');
        await expect.poll(subjects).toEqual(['Older news']);
        await page.getByText('2 messages deleted').waitFor();
        await page.getByRole('button', { name: 'Undo' }).click();
        await expect.poll(subjects).toHaveLength(3);
        await ticks().nth(1).click();
        await page.keyboard.press('Delete');
        await page.goto('about:blank');
        await expect
          .poll(() => daemon.kept.map(({ summary }) => summary.subject))
          .toEqual(['Your verification code', 'Older news']);
      });
    });

    it.each([360, 768, 1280])('folds the views that do not fit beside each other at %i pixels', async (width) => {
      await visit({ width, height: 740 });
      await rows().nth(1).click();
      await expect.poll(shown).toBe('Holiday pictures');
      const strip = page.locator('.strip .room');
      await expect.poll(() => strip.evaluate((one) => one.scrollWidth <= one.clientWidth)).toBe(true);
      for (const name of ['Transcript', 'Links', 'Envelope', 'Source', 'Parts']) {
        const tab = page.getByRole('tab', { name });
        if ((await tab.count()) === 0) {
          await page.getByRole('button', { name: 'More views' }).click();
          await page.getByRole('menuitem', { name }).click();
        } else await tab.click();
        await expect.poll(() => tab.getAttribute('aria-selected')).toBe('true');
        expect(await strip.evaluate((one) => one.scrollWidth <= one.clientWidth)).toBe(true);
      }
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => page.getByRole('tab', { selected: true }).textContent()).toMatch(/^Links/);
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
      for (const tab of ['Source', 'Links', 'Parts', 'Envelope']) {
        await page.getByRole('tab', { name: tab }).click();
        expect(await wrong()).toEqual([]);
      }
      await page.keyboard.press('x');
      await page.keyboard.press('Shift+J');
      await page.getByText('2 selected').waitFor();
      expect(await wrong()).toEqual([]);
      for (const key of ['?', ':', 't']) {
        await openDialog(key);
        expect(await wrong()).toEqual([]);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      const came = welcome('Changed');
      await daemon.deliver(`X-Spam: yes\r\n${came}`, ['ann@in.example'], { came, quarantine: 'looks odd' });
      await rows().filter({ hasText: 'Changed' }).click();
      await page.getByText('In quarantine: looks odd.').waitFor();
      for (const tab of ['Source', 'Changes']) {
        await page.getByRole('tab', { name: tab }).click();
        expect(await wrong()).toEqual([]);
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

  describe('with 100 000 messages', () => {
    beforeEach(async () => {
      daemon.fill(100_000);
      await visit();
      await rows().first().waitFor();
    });
    const box = () => page.locator('[data-focus=list]');

    it('scrolls to any of them, holding no more rows than can be seen and asking for little', async () => {
      expect(await box().evaluate((one) => one.scrollHeight)).toBe(100_000 * 82);
      for (const at of [1, 0.1, 0.5]) {
        await box().evaluate((one, part) => one.scrollTo(0, one.scrollHeight * part), at);
        const last = Math.min(99_999, Math.round(100_000 * at) + 2);
        await page.getByText(`Message number ${last}`, { exact: true }).waitFor();
        expect(await page.locator('.at').count()).toBeLessThan(60);
      }
      expect(daemon.lists).toBeLessThan(10);
    });

    it('goes to the last by a key, and walks on from there while mail arrives', async () => {
      await box().focus();
      await page.keyboard.press('End');
      await expect.poll(shown).toBe('Message number 99999');
      await page.keyboard.press('k');
      await expect.poll(shown).toBe('Message number 99998');
      await page.locator('[data-state=live]').waitFor();
      await daemon.deliver(welcome('Just in'), ['ann@in.example']);
      await expect
        .poll(() => page.locator('.row[aria-posinset="100000"] .subject').textContent())
        .toBe('Message number 99998');
      expect(daemon.lists).toBeLessThan(6);
    });

    it('picks all of them at once, and deletes them but not what arrives after', async () => {
      await page.keyboard.press('Shift+A');
      await page.getByText('100,000 selected').waitFor();
      await page.locator('[data-state=live]').waitFor();
      await daemon.deliver(welcome('After'), ['ann@in.example']);
      await expect.poll(async () => (await subjects())[0]).toBe('After');
      expect(await rows().first().getAttribute('aria-checked')).toBe('false');
      await page.keyboard.press('#');
      await expect.poll(subjects).toEqual(['After']);
      await page.getByText('100,000 messages deleted').waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(async () => (await subjects()).slice(0, 2)).toEqual(['After', 'Message number 0']);
    });

    it('keeps its place when others delete from it', async () => {
      await box().evaluate((one) => one.scrollTo(0, 82 * 50_000));
      await page.getByText('Message number 50002', { exact: true }).waitFor();
      await page.locator('[data-state=live]').waitFor();
      daemon.remove(daemon.kept.slice(20_000, 20_010).map(({ summary }) => summary.id));
      await expect.poll(() => box().evaluate((one) => one.scrollHeight)).toBe(99_990 * 82);
      await page.getByText('Message number 50012', { exact: true }).waitFor();
    });
  });
});
