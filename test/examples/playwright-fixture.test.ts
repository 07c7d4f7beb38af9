/** How a browser test reads the code that a site mails; with Playwright. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startInbox, type TestInbox } from 'inboxd/testing';
import { createTransport } from 'nodemailer';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';

const CODE = '602214';

/** Stands for the site under test: asks for an address, mails a code, asks for the code. */
function createSite(smtp: TestInbox['smtp']): Server {
  const transport = createTransport({ ...smtp, secure: false });
  const page = (body: string) => `<!doctype html><title>Shop</title>${body}`;
  const form = (name: string, label: string) =>
    page(`<form action="/${name}"><label>${label} <input name="${name}"></label> <button>Go on</button></form>`);
  return createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop.example');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (pathname === '/email') {
      const to = searchParams.get('email') ?? '';
      const text = `Hello,\n\nyour sign-in code is ${CODE}.\n`;
      await transport.sendMail({ from: 'hello@shop.example', to, subject: 'Your code', text });
      response.end(form('code', 'Code'));
    } else if (pathname === '/code') {
      const isRight = searchParams.get('code') === CODE;
      response.end(page(isRight ? '<h1>You are in</h1>' : '<h1>Wrong code</h1>'));
    } else response.end(form('email', 'Address'));
  });
}

describeWithPeers('signing in', ['chromium'], ({ chromium: executablePath }) => {
  let inbox: TestInbox;
  let site: Server;

  beforeAll(async () => {
    inbox = await startInbox();
    site = createSite(inbox.smtp);
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    site.closeAllConnections();
    site.close();
    await inbox.stop();
  });

  it('works with the code from the mail', async () => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      const address = inbox.newAddress('sign in');
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      await page.getByLabel('Address').fill(address);
      await page.getByRole('button').click();
      const message = await inbox.wait({ to: address, timeout: 20_000 });
      await page.getByLabel('Code').fill(message.code);
      await page.getByRole('button').click();
      expect(await page.getByRole('heading').textContent()).toBe('You are in');
    } finally {
      await browser.close();
    }
  }, 60_000);
});
