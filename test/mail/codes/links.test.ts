import { describe, expect, it } from 'vitest';
import { findLinks, LINK_LIMITS } from '../../../src/mail/links.ts';

const TOKEN = '9f8e7d6c5b4a39281706';

function urlsOf(text: string): string[] {
  return findLinks({ text, html: '' }).map(({ url }) => url);
}

describe('addresses in plain text', () => {
  it.each([
    ['See https://x.example/a.', ['https://x.example/a']],
    [
      'See https://x.example/a, https://x.example/b; (https://x.example/c)!',
      ['https://x.example/a', 'https://x.example/b', 'https://x.example/c'],
    ],
    ['https://x.example/wiki/A_(b) and (see https://x.example/wiki/A_(b))', ['https://x.example/wiki/A_(b)']],
    ['<https://x.example/a?b=c>', ['https://x.example/a?b=c']],
    ['<https://x.example/a?b=\nc&d=e>', ['https://x.example/a?b=c&d=e']],
    [
      '[text](https://x.example/a) *https://x.example/b* "https://x.example/c"',
      ['https://x.example/a', 'https://x.example/b', 'https://x.example/c'],
    ],
    ['https://münchen.example/straße', ['https://münchen.example/straße']],
    ['https://例え.example/パス を見て', ['https://例え.example/パス']],
    ['请访问https://x.example/a?b=1完成验证。', ['https://x.example/a?b=1']],
    ['こちら：https://x.example/a。', ['https://x.example/a']],
    ['HTTPS://X.EXAMPLE/A', ['HTTPS://X.EXAMPLE/A']],
    ['mailto:a@b.example?subject=x', ['mailto:a@b.example?subject=x']],
    ['ftp://x.example javascript:alert(1) www.x.example x.example/a xhttps://x.example', []],
    ['https:// http://, mailto: https://[bad', []],
    ['https://x.example/a https://X.example/a https://x.example/a#f', ['https://x.example/a', 'https://x.example/a#f']],
    [
      `https://x.example/verify?token=${'a1'.repeat(20)}\n${'b2'.repeat(10)}\nThanks`,
      [`https://x.example/verify?token=${'a1'.repeat(20)}${'b2'.repeat(10)}`],
    ],
    [
      `Please open https://x.example/verify?token=${'a1'.repeat(20)}\nThanks,\nSam`,
      [`https://x.example/verify?token=${'a1'.repeat(20)}`],
    ],
    ['https://x.example/a\nb2b3', ['https://x.example/a']],
  ])('%j', (text, urls) => {
    expect(urlsOf(text)).toEqual(urls);
  });
});

describe('links of HTML', () => {
  it('takes text, alternative text of images, decoded entities', () => {
    const html =
      '<a href="https://x.example/?a=1&amp;b=2&copy=3">Sign <b>up</b>&nbsp;&amp; go</a><a href=" https://x.example/i\n ">' +
      '<img alt="A picture"></a><a href="https://x.example/n"></a><map><area href="https://x.example/m" alt="Map"></map>';
    expect(findLinks({ text: '', html }).map(({ url, text }) => [url, text])).toEqual([
      ['https://x.example/?a=1&b=2&copy=3', 'Sign up & go'],
      ['https://x.example/i', 'A picture'],
      ['https://x.example/n', 'https://x.example/n'],
      ['https://x.example/m', 'Map'],
    ]);
  });

  it('keeps http, https and mailto only', () => {
    const html = [
      'javascript:alert(1)',
      'data:text/html,x',
      '/relative',
      '#top',
      '//x.example',
      'tel:1',
      '',
      'mailto:a@x.example',
    ]
      .map((href) => `<a href="${href}">x</a>`)
      .join('');
    expect(findLinks({ text: '', html }).map(({ url }) => url)).toEqual(['mailto:a@x.example']);
  });

  it('lists an address once, in order of appearance, with the best of its texts', () => {
    const html =
      '<a href="https://x.example/1">https://x.example/1</a> bare https://x.example/2 <a href="https://x.example/3">Three</a>' +
      '<a href="https://x.example/1">One</a><!-- <a href="https://x.example/9">no</a> -->';
    const text = 'https://x.example/4 and https://x.example/3';
    expect(findLinks({ text, html }).map(({ url, text: words }) => [url, words])).toEqual([
      ['https://x.example/1', 'One'],
      ['https://x.example/2', 'https://x.example/2'],
      ['https://x.example/3', 'Three'],
      ['https://x.example/4', 'https://x.example/4'],
    ]);
  });

  it('does not take an address on an anchor for one of its own', () => {
    const html = '<a href="https://track.example/1">https://x.example/shown</a>';
    expect(findLinks({ text: '', html }).map(({ url }) => url)).toEqual(['https://track.example/1']);
  });
});

describe('kinds of links', () => {
  it.each([
    ['verify', `<a href="https://x.example/e/${TOKEN}">Verify email address</a>`],
    ['verify', `<a href="https://x.example/e/${TOKEN}">Confirm</a>`],
    ['other', '<a href="https://x.example/attend">Confirm</a>'],
    ['other', `<a href="https://x.example/confirm-order/${TOKEN}">Confirm your order</a>`],
    ['other', `<a href="https://x.example/verify/deny?t=${TOKEN}">This was not me</a>`],
    ['verify', `<p>To confirm your email address, <a href="https://x.example/e/${TOKEN}">click here</a>.</p>`],
    ['verify', `To verify your email, open\nhttps://x.example/s/${TOKEN}\nIf you did not request this, ignore it.`],
    ['reset', '<a href="https://x.example/forgot">Forgot password?</a>'],
    ['reset', `<p>You asked to reset your password. Click <a href="https://x.example/r/${TOKEN}">here</a>.</p>`],
    ['other', 'Read our blog: https://blog.example/2024/how-to-reset-your-password'],
    ['magic', `<a href="https://x.example/l/${TOKEN}">Sign in</a>`],
    ['other', '<a href="https://x.example/login">Sign in</a>'],
    ['magic', `Use this URL to log in: https://x.example/auth?token=${TOKEN}`],
    ['unsubscribe', '<p>To unsubscribe, <a href="https://x.example/p">click here</a>.</p>'],
    ['unsubscribe', '<a href="mailto:leave@x.example?subject=unsubscribe">Leave</a>'],
    ['unsubscribe', 'https://x.example/unsubscribe/42'],
    ['other', `<a href="https://x.example/invite/${TOKEN}">Accept invitation</a>`],
    ['verify', `<a href="https://x.example/${TOKEN}">E-Mail-Adresse bestätigen</a>`],
    ['reset', `<a href="https://x.example/${TOKEN}">Passwort zurücksetzen</a>`],
    ['magic', `<a href="https://x.example/${TOKEN}">Jetzt anmelden</a>`],
    ['unsubscribe', '<a href="https://x.example/a">Newsletter abbestellen</a>'],
    ['verify', `<a href="https://x.example/${TOKEN}">Activer mon compte</a>`],
    ['reset', `<a href="https://x.example/${TOKEN}">Réinitialiser mon mot de passe</a>`],
    ['magic', `Cliquez sur ce lien pour vous connecter :\nhttps://x.example/s/${TOKEN}`],
    ['unsubscribe', '<p>Pour vous désinscrire, <a href="https://x.example/a">cliquez ici</a></p>'],
    ['verify', `<a href="https://x.example/${TOKEN}">Confirmar mi correo</a>`],
    ['reset', `<a href="https://x.example/${TOKEN}">Restablecer contraseña</a>`],
    ['magic', `Haz clic para iniciar sesión:\nhttps://x.example/s/${TOKEN}`],
    ['unsubscribe', '<a href="https://x.example/a">Darse de baja</a>'],
    ['verify', `<a href="https://x.example/${TOKEN}">立即激活</a>`],
    ['reset', `请<a href="https://x.example/${TOKEN}">点击此处</a>重置密码`],
    ['magic', `<a href="https://x.example/${TOKEN}">一键登录</a>`],
    ['unsubscribe', '<a href="https://x.example/a">退订</a>'],
    ['verify', `<a href="https://x.example/${TOKEN}">メールアドレスを確認する</a>`],
    ['reset', '<p>パスワードをお忘れの方は<a href="https://x.example/a">こちら</a></p>'],
    ['magic', `<a href="https://x.example/${TOKEN}">ログインする</a>`],
    ['unsubscribe', '<a href="https://x.example/a">配信停止はこちら</a>'],
  ])('%s: %s', (kind, source) => {
    const mail =
      source.startsWith('http') || !source.includes('<a ') ? { text: source, html: '' } : { text: '', html: source };
    expect(findLinks(mail).map((link) => link.kind)).toEqual([kind]);
  });

  it('believes the List-Unsubscribe field', () => {
    const html = '<a href="https://x.example/a">Manage</a>';
    expect(findLinks({ text: '', html, listUnsubscribe: { links: ['https://X.example/a'] } })[0]!.kind).toBe(
      'unsubscribe',
    );
  });

  it('keeps the surest kind of an address that is named twice', () => {
    const html = `<a href="https://x.example/${TOKEN}">https://x.example/${TOKEN}</a><p>x</p><a href="https://x.example/${TOKEN}">Verify email</a>`;
    expect(findLinks({ text: '', html })).toMatchObject([{ text: 'Verify email', kind: 'verify' }]);
  });

  it('gives no more than its limit', () => {
    const text = Array.from({ length: 500 }, (_, n) => `https://x.example/${n}`).join(' ');
    expect(urlsOf(text)).toHaveLength(LINK_LIMITS.links);
  });
});
