import { describe, expect, it } from 'vitest';
import { safeType } from '../../../src/http/media-type.ts';
import { attachmentDisposition, disposition, safeFileName } from '../../../src/http/native/disposition.ts';

describe('what a part is sent as', () => {
  it.each([
    ['image/png', 'inline'],
    ['text/plain', 'inline'],
    ['text/html', 'attachment'],
    ['image/svg+xml', 'attachment'],
    ['application/pdf', 'attachment'],
    ['application/xhtml+xml', 'attachment'],
    ['text/xml', 'attachment'],
    ['text/javascript', 'attachment'],
    ['multipart/x-mixed-replace', 'attachment'],
    ['message/rfc822', 'attachment'],
    ['', 'attachment'],
  ])('%s is %s', (type, kind) => {
    expect(disposition(type, 'a', 'b')).toMatch(new RegExp(`^${kind}; `));
  });

  it.each([
    ['text/html', 'text/html'],
    ['text/html\r\nx-evil: 1', 'application/octet-stream'],
    ['', 'application/octet-stream'],
    ['text', 'application/octet-stream'],
    ['a/b; c', 'application/octet-stream'],
  ])('%j has the type %s', (type, sent) => {
    expect(safeType(type)).toBe(sent);
  });
});

describe('Metadata injection: the name of a file', () => {
  it.each([
    [
      'résumé "final" 100%.pdf',
      `attachment; filename="r_sum_ final 100_.pdf"; filename*=UTF-8''r%C3%A9sum%C3%A9%20final%20100%25.pdf`,
    ],
    ['x\r\nSet-Cookie: a=b', `attachment; filename="xSet-Cookie a=b"; filename*=UTF-8''xSet-Cookie%20a%3Db`],
    ['', `attachment; filename="fallback"; filename*=UTF-8''fallback`],
  ])('%j goes out as %s', (name, sent) => {
    expect(attachmentDisposition(name, 'fallback')).toBe(sent);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\windows\\evil.exe', 'evil.exe'],
    ['.htaccess', 'htaccess'],
    ['name. . ', 'name'],
    ['con', '_con'],
    ['LPT1.txt', '_LPT1.txt'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a\u0000b\u0007c', 'abc'],
    ['a<b>|?*:"c', 'abc'],
    ['\ud800', '\ufffd'],
    ['dir/', ''],
    ['...', ''],
    ['日本語.txt', '日本語.txt'],
    [`${'a'.repeat(300)}.tar`, `${'a'.repeat(196)}.tar`],
  ])('%j becomes %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });
});
