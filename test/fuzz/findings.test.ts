/** What hostile input has brought to light, as small as it gets: one test a finding. */
import { describe, expect, it } from 'vitest';
import { formatListenUrl, parseListenUrl } from '../../src/config/listen-url.ts';
import { findCodes } from '../../src/mail/codes.ts';
import { findLinks } from '../../src/mail/links.ts';
import { openMail } from '../../src/mail/opened-mail.ts';

describe('Prototype keys: what a client names is looked up among our own words only', () => {
  const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'];

  it.each(NAMES)('an element <%s> of a mail is one of no meaning', async (name) => {
    const html = `<p>Your code is 482 913</p><${name}>x</${name}><p><a ${name}="1" href="https://a.test/${name}">link</a></p>`;
    expect(findCodes({ subject: 'Your code', text: '', html }).map(({ code }) => code)).toEqual(['482913']);
    const listUnsubscribe = { links: [], oneClick: false, error: '' } as never;
    expect(findLinks({ text: '', html, listUnsubscribe }).map(({ url }) => url)).toEqual([`https://a.test/${name}`]);
    const opened = await openMail(Buffer.from(`Content-Type: text/html\r\n${name}: 1\r\n\r\n${html}`));
    expect(opened.complete).toBe(true);
    expect(opened.headers.map((field) => field.name.toLowerCase())).toContain(name.toLowerCase());
  });
});

describe('a URL of a listener', () => {
  it('with half a character is refused when it is read, not when it is shown', () => {
    expect(parseListenUrl('lmtp:///run/x.s\ud800ock').ok).toBe(false);
    const whole = parseListenUrl('lmtp:///run/x.s%F0%9F%98%80ock');
    expect(whole.ok && formatListenUrl(whole.value)).toBe('lmtp:///run/x.s%F0%9F%98%80ock');
  });
});
