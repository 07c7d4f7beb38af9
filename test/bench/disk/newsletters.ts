import { createHash } from 'node:crypto';
import { randomNumbers, word } from '../search/mails.ts';

/*
 * A newsletter as senders of bulk mail send it: text and HTML with the style in every tag, a signature, a link to leave.
 * Each differs from the others in the name, a code, links, and in what no two mails share: ids, date, signature.
 */

export interface Newsletter {
  readonly raw: Buffer;
  readonly from: string;
  readonly to: string;
}

const ARTICLES = 14;
const SENTENCES = 3;
const STYLE = [
  'font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:24px;color:#3c4043;padding:0 32px 18px 32px',
  'font-family:Georgia,serif;font-size:21px;line-height:30px;color:#202124;font-weight:bold;padding:24px 32px 6px 32px',
  'background-color:#ffffff;border-radius:6px;border:1px solid #dadce0;max-width:600px;margin:0 auto;width:100%',
  'background-color:#1a73e8;border-radius:4px;color:#ffffff;display:inline-block;font-family:Helvetica,Arial,sans-serif;font-size:14px;font-weight:bold;line-height:40px;mso-hide:all;padding:0 24px;text-align:center;text-decoration:none',
];
const TABLE = 'role="presentation" border="0" cellpadding="0" cellspacing="0" align="center" width="600"';

/** Makes newsletter after newsletter of one campaign. The same number gives the same octets in every run. */
export function createNewsletters(campaign: number): (n: number) => Newsletter {
  const random = randomNumbers(campaign + 1);
  const words = (count: number): string =>
    Array.from({ length: count }, () => word(Math.floor(2000 ** random()))).join(' ');
  const articles = Array.from({ length: ARTICLES }, () => ({
    title: words(6),
    text: Array.from({ length: SENTENCES }, () => `${words(11)}.`).join(' '),
  }));
  const title = words(7);
  const sender = `news@letters${campaign}.example`;
  return (n) => {
    const token = digest(`${campaign} ${n}`);
    const name = word(Number.parseInt(token.slice(0, 4), 16));
    const to = `${name}.${n}@example.com`;
    const code = String(100_000 + (Number.parseInt(token.slice(4, 10), 16) % 900_000));
    const link = `https://letters${campaign}.example/c/${token.slice(0, 24)}`;
    const text = [
      `Dear ${name},`,
      `your code for this week is ${code}.`,
      ...articles.flatMap(({ title, text }) => [title, text]),
      `Read on: ${link}`,
    ];
    const html = [
      '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body style="margin:0;padding:0;background-color:#f1f3f4">',
      `<table role="presentation" cellpadding="0" cellspacing="0" style="${STYLE[2]}"><tr><td style="${STYLE[1]}">Dear ${name},</td></tr>`,
      `<tr><td style="${STYLE[0]}">your code for this week is <b style="letter-spacing:2px">${code}</b>.</td></tr>`,
      ...articles.flatMap(({ title, text }, place) => [
        `<tr><td style="${STYLE[1]}">${title}</td></tr><tr><td style="padding:0 32px"><img src="https://letters${campaign}.example/i/${place}.png" width="536" height="240" alt="" style="display:block;border:0;width:100%;height:auto"></td></tr>`,
        `<tr><td style="${STYLE[0]}">${text}</td></tr>`,
        `<!--[if mso | IE]></table></td></tr></table><table ${TABLE} style="width:600px"><tr><td style="line-height:0;font-size:0;mso-line-height-rule:exactly;"><![endif]-->`,
        `<tr><td align="left" style="padding:0 32px 24px 32px"><table ${TABLE} style="border-collapse:separate;line-height:100%"><tr><td align="center" bgcolor="#1a73e8" role="presentation" style="border:none;border-radius:4px;cursor:auto;mso-padding-alt:10px 25px" valign="middle"><a href="https://letters${campaign}.example/a/${place}?utm_source=letter&amp;utm_medium=email&amp;utm_campaign=weekly-${campaign}" style="${STYLE[3]}" target="_blank">${title.split(' ')[0]}</a></td></tr></table></td></tr>`,
        '<!--[if mso | IE]></td></tr></table><table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"><tr><td><![endif]-->',
      ]),
      `<tr><td style="${STYLE[0]}"><a href="${link}" style="color:#1a73e8">Read on</a></td></tr></table></body></html>`,
    ];
    const boundary = `=_${campaign}_part`;
    const raw = [
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=letters${campaign}.example; s=k1;`,
      ' h=from:to:subject:date:message-id:list-unsubscribe:mime-version:content-type;',
      ` bh=${base64(`${token} body`, 1)};`,
      ...wrapped(` b=${base64(`${token} signature`, 8)}`),
      `From: The letter <${sender}>`,
      `To: ${name} <${to}>`,
      `Subject: ${title}, ${name}`,
      `Date: ${new Date(Date.UTC(2026, 0, 5, 8, 0, n % 3600)).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${token.slice(8, 40)}@letters${campaign}.example>`,
      `List-Unsubscribe: <https://letters${campaign}.example/u/${token.slice(0, 24)}>`,
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      `List-Id: <weekly.letters${campaign}.example>`,
      'MIME-Version: 1.0',
      `Content-Type: multipart/alternative; boundary="${boundary}"`,
      '',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      ...text.flatMap(quotedPrintable),
      `--${boundary}`,
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      ...html.flatMap(quotedPrintable),
      `--${boundary}--`,
      '',
    ].join('\r\n');
    return { raw: Buffer.from(raw), from: `bounce-${n}@letters${campaign}.example`, to };
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Octets as random as those of a signature. */
function base64(seed: string, blocks: number): string {
  const all = Array.from({ length: blocks }, (_, n) => createHash('sha256').update(`${seed} ${n}`).digest());
  return Buffer.concat(all).toString('base64');
}

function wrapped(text: string): string[] {
  return (text.match(/.{1,72}/g) ?? []).map((line, place) => (place === 0 ? line : ` ${line}`));
}

/** Lines of at most 76 characters (RFC 2045 §6.7). */
function quotedPrintable(line: string): string[] {
  const lines = line.replaceAll('=', '=3D').match(/.{1,72}(?![\dA-F])|.{1,75}/g) ?? [''];
  return lines.map((part, place) => (place < lines.length - 1 ? `${part}=` : part));
}
