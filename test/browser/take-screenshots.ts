/** Takes the pictures of the README: `node test/browser/take-screenshots.ts`, after `npm run build:page`. */
import { fileURLToPath } from 'node:url';
import { openBrowser, openContext } from './support/chromium.ts';
import { StandIn } from './support/stand-in.ts';

const folder = new URL('screenshots/', import.meta.url);

function letter(from: string, subject: string, html: string, text = ''): string {
  const lines = [`From: ${from}`, 'To: you@in.example', `Subject: ${subject}`, 'MIME-Version: 1.0'];
  return [...lines, 'Content-Type: text/html; charset=utf-8', '', html || `<p>${text}</p>`, ''].join('\r\n');
}

const CODE = `<style>
body { margin: 0; background: #f1f3f2; color: #23262b; font: 16px/1.6 Arial, sans-serif }
.card { max-width: 460px; margin: 28px auto; padding: 28px 32px; border-radius: 14px; background: #fff }
.code { margin: 18px 0; font-size: 34px; font-weight: bold; letter-spacing: 8px }
.go { display: inline-block; padding: 11px 20px; border-radius: 9px; background: #0f6b5c; color: #fff; text-decoration: none }
@media (prefers-color-scheme: dark) { body { background: #121417; color: #e9e9e6 } .card { background: #1d2125 } }
</style><div class="card"><h2>Welcome to Brunnen</h2><p>Your verification code is</p><p class="code">482913</p>
<p><a class="go" href="https://brunnen.example/verify?t=4f1c">Confirm my address</a></p>
<p><small>It is valid for ten minutes. If you did not ask for it, ignore this mail.</small></p>
<img src="https://brunnen.example/open.gif" width="1" height="1" alt=""></div>`;

const MAILS: readonly (readonly [to: string, mail: string])[] = [
  [
    'orders@shop.example',
    letter(
      'Carrier <post@carrier.example>',
      'Your parcel is on its way',
      '',
      'It comes on Thursday between nine and noon.',
    ),
  ],
  [
    'ann@in.example',
    letter(
      'Grace Hopper <grace@navy.example>',
      'Minutes of Tuesday',
      '',
      'Here is what we agreed on, and who does what until when.',
    ),
  ],
  [
    'qa@in.example',
    letter('李雷 <lilei@mail.example>', '=?utf-8?B?5Lya6K6u57qq6KaB?=', '', '附件是昨天会议的纪要，请查收。'),
  ],
  [
    'ci-42@in.example',
    letter(
      'Builds <ci@build.example>',
      'Build 1042 failed on main',
      '',
      'Two of 1 318 tests failed: login, and login again.',
    ),
  ],
  [
    'orders@shop.example',
    letter(
      'Brunnen Shop <shop@brunnen.example>',
      'Invoice 2026-0412',
      '',
      'Thank you for your order. The invoice is attached.',
    ),
  ],
  [
    'ann@in.example',
    letter('Ada Lovelace <ada@engine.example>', 'Lunch on Thursday?', '', 'The place by the river has opened again.'),
  ],
  ['ci-42@in.example', letter('Brunnen <hello@brunnen.example>', 'Your verification code', CODE)],
];

const daemon = new StandIn();
await daemon.start();
for (const [to, mail] of MAILS) await daemon.deliver(mail, [to]);
const browser = await openBrowser();
for (const [name, theme, rendering] of [
  ['reading', 'light', 'Light'],
  ['dark', 'dark', 'Dark'],
] as const) {
  const context = await openContext(browser, { width: 1200, height: 720, theme });
  const page = await context.newPage();
  await page.goto(daemon.url);
  await page.locator('.row').first().click();
  await page.getByRole('button', { name: rendering, exact: true }).click();
  await page.frameLocator('.view iframe').getByText('Confirm my address').waitFor();
  await page.locator('.row.unread').nth(5).waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)) });
  await context.close();
}
await browser.close();
await daemon.stop();
