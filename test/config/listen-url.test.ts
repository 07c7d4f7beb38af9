import { describe, expect, it } from 'vitest';
import { formatListenUrl, parseListenUrl, parseServer } from '../../src/config/listen-url.ts';

describe('listener URLs', () => {
  it.each([
    ['smtp://127.0.0.1:1025', { protocol: 'smtp', host: '127.0.0.1', port: 1025 }],
    ['smtp://127.0.0.1:0', { protocol: 'smtp', host: '127.0.0.1', port: 0 }],
    ['lmtp://localhost:24', { protocol: 'lmtp', host: 'localhost', port: 24 }],
    ['http://0.0.0.0:80', { protocol: 'http', host: '0.0.0.0', port: 80 }],
    ['http://[::1]:8025', { protocol: 'http', host: '::1', port: 8025 }],
    ['smtp://[::]:25', { protocol: 'smtp', host: '::', port: 25 }],
    ['lmtp:///run/inboxd/lmtp.sock', { protocol: 'lmtp', path: '/run/inboxd/lmtp.sock' }],
    ['smtp:///tmp/a%20b%23c%3F.sock', { protocol: 'smtp', path: '/tmp/a b#c?.sock' }],
    ['http:///tmp/h.sock', { protocol: 'http', path: '/tmp/h.sock' }],
    ['smtps://[::]:465', { protocol: 'smtps', host: '::', port: 465 }],
    ['https://0.0.0.0:443', { protocol: 'https', host: '0.0.0.0', port: 443 }],
    ['smtp://[::]:25?tls=required', { protocol: 'smtp', host: '::', port: 25, tls: 'required' }],
    ['lmtp:///run/l.sock?tls=offered', { protocol: 'lmtp', path: '/run/l.sock', tls: 'offered' }],
  ])('reads %s and writes it again', (url, address) => {
    expect(parseListenUrl(url)).toEqual({ ok: true, value: address });
    expect(formatListenUrl(address as Parameters<typeof formatListenUrl>[0])).toBe(url);
  });

  it('takes a scheme in capitals and a lone slash at the end', () => {
    expect(parseListenUrl('SMTP://127.0.0.1:25/')).toEqual({
      ok: true,
      value: { protocol: 'smtp', host: '127.0.0.1', port: 25 },
    });
  });

  it.each([
    ['127.0.0.1:1025', 'write it as smtp://host:port or smtp:///path/of.sock'],
    ['', 'write it as smtp://host:port or smtp:///path/of.sock'],
    [
      'imap://127.0.0.1:143',
      '"imap" is not a protocol of listeners (smtp, smtps, lmtp, lmtps, pop3, pop3s, finger, eurechat, eurechats, http, https)',
    ],
    ['lmtp:///run/x.s\ud800ock', 'it holds half a character'],
    ['smtp://127.0.0.1', 'the port is missing'],
    ['smtp://[::1]', 'the port is missing'],
    ['smtp://127.0.0.1:', 'the port is a number from 0 to 65535'],
    ['smtp://127.0.0.1:65536', 'the port is a number from 0 to 65535'],
    ['smtp://127.0.0.1:-1', 'the port is a number from 0 to 65535'],
    ['smtp://:25', 'the host is missing; 0.0.0.0 or [::] means every address'],
    ['smtp://::1:25', '"::1" is neither a host name, an IPv4 address nor an IPv6 address in brackets'],
    ['smtp://127.0.0.300:25', '"127.0.0.300" is neither a host name, an IPv4 address nor an IPv6 address in brackets'],
    ['smtp://a b:25', '"a b" is neither a host name, an IPv4 address nor an IPv6 address in brackets'],
    ['smtp://me@host:25', 'a listener takes no user name'],
    ['smtp://host:25/inbox', 'nothing may follow the port'],
    ['smtp://host:25?tls=1', 'only ?tls= may follow, with required, offered, off'],
    ['smtp://host:25?tls', 'only ?tls= may follow, with required, offered, off'],
    ['smtp://host:25?', 'only ?tls= may follow, with required, offered, off'],
    ['smtp://host:25?starttls=off', 'only ?tls= may follow, with required, offered, off'],
    ['smtps://host:465?tls=off', 'smtps is encrypted from the first octet and takes no ?tls='],
    ['http://host:80?tls=off', 'http has no STARTTLS; https is the encrypted one'],
    ['eurechat://host:80?tls=off', 'eurechat has no STARTTLS; eurechats is the encrypted one'],
    ['smtp://host:25#tls=off', 'write it as smtp://host:port or smtp:///path/of.sock'],
    ['smtp:///', 'neither host nor path of a socket is given'],
    ['smtp:///tmp/', 'neither host nor path of a socket is given'],
    ['smtp:///tmp/%zz', 'the path of the socket has a bad %-escape'],
    ['smtp:///tmp/%00', 'the path of the socket has a bad %-escape'],
    [`smtp:///${'x'.repeat(107)}`, 'the path of a socket has at most 107 bytes, this one 108'],
  ])('refuses %s', (url, why) => {
    expect(parseListenUrl(url)).toEqual({ ok: false, why });
  });
});

describe('another server', () => {
  it.each([
    ['127.0.0.1:783', { host: '127.0.0.1', port: 783 }],
    ['[::1]:783', { host: '::1', port: 783 }],
    ['spam.example:783', { host: 'spam.example', port: 783 }],
    ['/run/spamd.sock', { path: '/run/spamd.sock' }],
    ['127.0.0.1', undefined],
    ['127.0.0.1:0', undefined],
    ['', undefined],
  ])('%j is %j', (text, server) => {
    expect(parseServer(text)).toEqual(server);
  });
});
