/** How a suite of your own tests what your program mails; with Vitest. */
import { startInbox, type TestInbox } from 'inboxd/testing';
import { createTransport } from 'nodemailer';
import { test as base, describe, expect } from 'vitest';

const test = base.extend<{ inbox: TestInbox; address: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs
  inbox: async ({}, use) => {
    await using inbox = await startInbox({ timeout: 15_000 });
    await use(inbox);
  },
  address: async ({ inbox, task }, use) => use(inbox.newAddress(task.name)),
});

/** Stands for the program under test, which has been told where SMTP is. */
async function signUp(smtp: TestInbox['smtp'], address: string): Promise<void> {
  const transport = createTransport({ ...smtp, secure: false });
  await transport.sendMail({
    from: 'Shop <hello@shop.example>',
    to: address,
    subject: 'Welcome to the shop',
    html: `<p>Your verification code is <b>314159</b>.</p>
           <p><a href="https://shop.example/confirm?token=x7Kq2">Confirm your address</a></p>`,
  });
}

describe('sign-up', () => {
  test('mails a code and a link', async ({ inbox, address }) => {
    await signUp(inbox.smtp, address);
    const message = await inbox.wait({ to: address, subject: /welcome/i });
    expect(message.code).toBe('314159');
    expect(message.link('verify')).toBe('https://shop.example/confirm?token=x7Kq2');
    expect(message.from?.address).toBe('hello@shop.example');
  });

  test('mails nobody else', async ({ inbox, address }) => {
    await signUp(inbox.smtp, address);
    await inbox.wait({ to: address });
    expect(await inbox.messages()).toHaveLength(1);
  });
});
