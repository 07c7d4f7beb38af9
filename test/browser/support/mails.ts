/** Mails of people who mean well. */

/** A mail of text alone. */
export function welcome(subject: string, text = 'Welcome aboard'): string {
  return [
    'From: Ada Lovelace <ada@engine.example>',
    'To: ann@in.example',
    `Subject: ${subject}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '',
  ].join('\r\n');
}

/** One of HTML alone. */
export function letter(subject: string, html: string): string {
  const lines = ['From: shop@brunnen.example', `Subject: ${subject}`, 'Content-Type: text/html; charset=utf-8'];
  return [...lines, '', html, ''].join('\r\n');
}

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADBwIAMCbHYQAAAABJRU5ErkJggg==';

/** One with text and HTML, a picture inside, another that would be fetched, and two attachments. */
export function withPicture(subject: string): string {
  return [
    'From: Brunnen Shop <shop@brunnen.example>',
    'To: bob@in.example',
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=m',
    '',
    '--m',
    'Content-Type: multipart/related; boundary=r',
    '',
    '--r',
    'Content-Type: multipart/alternative; boundary=a',
    '',
    '--a',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'A picture in words',
    '--a',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<style>body{background:#fff}@media (prefers-color-scheme: dark){body{background:#000}}</style>',
    '<p>A picture from us</p><img src="cid:pixel@brunnen" alt=""><img src="http://tracker.example/open.gif" alt="">',
    '<p><a href="https://example.com/unsubscribe">Unsubscribe</a></p>',
    '--a--',
    '--r',
    'Content-Type: image/png',
    'Content-ID: <pixel@brunnen>',
    'Content-Transfer-Encoding: base64',
    '',
    PIXEL,
    '--r--',
    '--m',
    'Content-Type: application/pdf',
    'Content-Disposition: attachment; filename="report.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    'JVBERi0xLjQK',
    '--m',
    'Content-Type: image/png',
    'Content-Disposition: attachment; filename="pixel.png"',
    'Content-Transfer-Encoding: base64',
    '',
    PIXEL,
    '--m--',
    '',
  ].join('\r\n');
}
