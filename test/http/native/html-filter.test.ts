import { describe, expect, it } from 'vitest';
import { filterHtml } from '../../../src/http/native/html-filter.ts';

const picture = (id: string) => (id === 'logo@x' ? 'data:image/png;base64,AAAA' : undefined);
const filter = async (html: string, options: { depth?: number; characters?: number } = {}) => {
  const document = await filterHtml(html, { picture, ...options });
  return /<body>([\s\S]*)<\/body>/.exec(document)![1]!;
};

describe('Viewer: the filter of HTML', () => {
  it.each([
    ['<p>Hello <b>world</b> &amp; &lt;co&gt;</p>', '<p>Hello <b>world</b> &#38; &#60;co&#62;</p>'],
    ['<body bgcolor=red><p>x', '<div bgcolor="red"><p>x</p></div>'],
    [
      '<table width="100%"><tr><td style="color:red">x</table>',
      '<table width="100%"><tr><td style="color:red">x</td></tr></table>',
    ],
    ['<style>a > b { color: red }</style>x', '<style>a > b { color: red }</style>x'],
    ['a<br>b<hr/>c', 'a<br>b<hr>c'],
    ['<my-tag>kept text</my-tag>', 'kept text'],
    ['1 < 2', '1 &#60; 2'],
  ])('keeps what shows: %s', async (html, kept) => {
    expect(await filter(html)).toBe(kept);
  });

  it.each([
    ['<script>alert(1)</script>', ''],
    ['<script src=//evil></script>x', 'x'],
    ['<img src=x onerror=alert(1)>', '<img>'],
    ['<svg><script>alert(1)</script><p>x</p></svg>', ''],
    ['<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>', ''],
    ['<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>', ''],
    ['<iframe srcdoc="<script>alert(1)</script>"></iframe>', ''],
    ['<object data=x><embed src=y></object>', ''],
    ['<meta http-equiv=refresh content="0;url=//evil">', ''],
    ['<base href=//evil>', ''],
    ['<link rel=dns-prefetch href=//evil><link rel=stylesheet href=//evil>', ''],
    ['<form action=//evil><input name=a><button>go</button></form>', 'go'],
    ['<a href="javascript:alert(1)">x</a>', '<a>x</a>'],
    ['<a href=" \u0001java\tscript:alert(1)">x</a>', '<a>x</a>'],
    ['<a href="data:text/html,<script>alert(1)</script>">x</a>', '<a>x</a>'],
    ['<a href="vbscript:x" onclick=x>x</a>', '<a>x</a>'],
    ['<img src="data:image/svg+xml,<svg onload=alert(1)>">', '<img>'],
    ['<img src=cid:logo@x srcset="//evil 2x">', '<img src="data:image/png;base64,AAAA">'],
    ['<img src=cid:nobody@x>', '<img>'],
    ['<video poster=//evil><source src=//evil></video>', ''],
    ['<template><img src=x onerror=alert(1)></template>', ''],
    ['<textarea></textarea><img src=x onerror=1></textarea>', '<img>'],
    ['<xmp><img src=x onerror=alert(1)></xmp>', ''],
    ['<style><!--</style><img src=x onerror=alert(1)>--></style>', '<style>\\3c !--</style><img>--&#62;'],
    [
      '<p title="&quot;><script>alert(1)</script>">x</p>',
      '<p title="&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;">x</p>',
    ],
    ['<!--<img src="--><img src=x onerror=alert(1)//">', '<img>'],
    ['<![CDATA[<script>alert(1)</script>]]>', expect.not.stringContaining('<script')],
    ['<ScRiPt>x</sCrIpT>y', 'y'],
    ['<p/onclick=alert(1)>x', '<p>x</p>'],
  ])('takes out what could act: %s', async (html, kept) => {
    expect(await filter(html)).toEqual(kept);
  });

  it('opens links outside of the frame, without saying where from', async () => {
    expect(await filter('<a href="https://x.example/?a=1&amp;b=2" target=_self>x</a>')).toBe(
      '<a href="https://x.example/?a=1&#38;b=2" target="_blank" rel="noopener noreferrer">x</a>',
    );
  });

  it('leaves the addresses of remote pictures, which the policy of the reply holds back', async () => {
    expect(await filter('<img src="http://x.example/a.png"><img src="//x.example/b.png"><img src="c.png">')).toBe(
      '<img src="http://x.example/a.png"><img src="https://x.example/b.png"><img>',
    );
  });

  it('cuts off what is too deep or too long', async () => {
    expect(await filter(`${'<b>'.repeat(20)}x`, { depth: 10 })).toBe('<b>'.repeat(10));
    expect(await filter('abcdef', { characters: 3 })).toBe('abc');
  });

  it('does not slow down on mails made to be slow', async () => {
    for (const piece of [
      '<b></i>',
      '<',
      '<!--',
      '<a href="',
      '&#',
      '<style>',
      '<p a=1 ',
      '</b>',
      '<svg>',
      '<![CDATA[',
    ]) {
      await filter(piece.repeat(50_000));
    }
  });

  it('reads the same in whatever pieces it comes', async () => {
    const html = `${'x'.repeat(65_530)}<p title="a&amp;b">c</p>`;
    expect(await filter(html)).toBe(`${'x'.repeat(65_530)}<p title="a&#38;b">c</p>`);
  });
});
