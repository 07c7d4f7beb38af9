import { describe, expect, it } from 'vitest';
import { FEATURES } from '../../../src/http/checks/caniemail.ts';
import { scanDeclarations, scanStylesheet } from '../../../src/http/checks/css-scanner.ts';
import { featureTest } from '../../../src/http/checks/feature-tests.ts';
import { checkHtml, HTML_CHECK_LIMITS } from '../../../src/http/checks/html-check.ts';
import { inlineMarkdown } from '../../../src/http/checks/markdown.ts';

const slugs = (html: string) => checkHtml(html).Warnings.map(({ Slug }) => Slug);
const found = (html: string, slug: string) =>
  checkHtml(html).Warnings.find(({ Slug }) => Slug === slug)?.Score.Found ?? 0;

describe('the list of features', () => {
  it('is the whole of caniemail, each with results and a way to find it', () => {
    expect(FEATURES.size).toBeGreaterThan(300);
    for (const { slug, title, category, support } of FEATURES.values()) {
      expect(featureTest(slug), slug).toBeDefined();
      expect(['css', 'html', 'image'], slug).toContain(category);
      expect(title, slug).not.toBe('');
      expect(support, slug).toMatch(/^[a-z0-9-]+\/[a-z-]+( [^\s;=]+=[a-z](#\d+)*)+(; |$)/);
    }
  });
});

describe('a check of HTML', () => {
  it.each([
    ['<video src="x"></video>', 'html-video'],
    ['<p style="display: flex">', 'css-display-flex'],
    ['<p style="DISPLAY:FLEX">', 'css-display-flex'],
    ['<style>.a{display:grid}</style><p class="a">', 'css-display-grid'],
    ['<style>@media (min-width:1px){p{color:red}}</style><p>', 'css-at-media'],
    ['<style>@media (prefers-color-scheme: dark){}</style>', 'css-at-media-prefers-color-scheme'],
    ['<style>@font-face{font-family:x;src:url(y)}</style>', 'css-at-font-face'],
    ['<style>@import url("x;y");</style>', 'css-at-import'],
    ['<style>a:hover{color:red}</style><a>', 'css-pseudo-class-hover'],
    ['<style>p::before{content:"}"}</style><p>', 'css-pseudo-element-before'],
    ['<style>p{& b{color:red}}</style><p><b>', 'css-nesting'],
    ['<style>a > b{color:red}</style>', 'css-selector-child'],
    ['<style>/* x */</style>', 'css-comments'],
    ['<p style="width: calc(1px + 2px)">', 'css-unit-calc'],
    ['<p style="width: 2rem">', 'css-unit-rem'],
    ['<p style="color: var(--x)">', 'css-variables'],
    ['<p style="background: linear-gradient(red, blue)">', 'css-linear-gradient'],
    ['<p style="color:red !important">', 'css-important'],
    ['<img src="HTTP://x/a.WEBP?w=1">', 'image-webp'],
    ['<img src="data:image/png;base64,AA==">', 'image-base64'],
    ['<img srcset="a 2x">', 'html-srcset'],
    ['<a href="#top">', 'html-anchor-links'],
    ['<input type="radio">', 'html-input-radio'],
    ['<button>', 'html-button-submit'],
    ['<html><body></body></html>', 'html-body'],
    ['<!doctype html><p>', 'html-doctype'],
    ['<div background="x">', 'html-background'],
    ['<script>1</script>', 'html-script'],
  ])('finds in %s the feature %s', (html, slug) => {
    expect(slugs(html)).toContain(slug);
  });

  it.each([
    ['<p>plain</p>', 'css-display'],
    ['<p style="x-display:flex">', 'css-display'],
    ['<p title="display:flex">', 'css-display-flex'],
    ['<style>.unused{display:flex}</style><p>', 'css-display-flex'],
    ['<p style="content: \'display:flex\'">', 'css-display-flex'],
    ['<!-- <video> -->', 'html-video'],
    ['<style>/* p{display:flex} */</style><p>', 'css-display-flex'],
    ['<script type="application/ld+json">{}</script>', 'html-script'],
    ['<p style="color: rgba(0,0,0,1)">', 'css-rgb'],
    ['<p style="width: minmax(1px, 2px)">', 'css-function-max'],
    ['<img src="a.png?x=.webp">', 'image-webp'],
  ])('does not find in %s the feature %s', (html, slug) => {
    expect(slugs(html)).not.toContain(slug);
  });

  it('counts the elements that a style is used on', () => {
    expect(
      found(
        '<style>.a, i:hover{display:flex}</style><p class=a><p class=a><i><b style="display:flex">',
        'css-display-flex',
      ),
    ).toBe(4);
    expect(found('<video></video><video></video>', 'html-video')).toBe(2);
    expect(found('<script></script><script></script>', 'html-script')).toBe(2);
  });

  it('weighs each warning by how much of the mail it is about', () => {
    const { Warnings, Total } = checkHtml('<p>1<p>2<p>3<video></video>');
    expect(Total.Nodes).toBe(4);
    const weights = Warnings.map(({ Score }) => ((Score.Unsupported + Score.Partial) * Score.Found) / 4);
    expect(weights).toEqual([...weights].sort((one, other) => other - one));
    const worst = (key: 'Partial' | 'Unsupported') =>
      Math.max(...Warnings.map(({ Score }) => (Score[key] * Score.Found) / 4));
    expect(Total.Partial).toBeCloseTo(worst('Partial'));
    expect(Total.Unsupported).toBeCloseTo(worst('Unsupported'));
    expect(Total.Supported).toBeCloseTo(100 - Total.Partial - Total.Unsupported);
  });

  it('gives every warning the percentages of its results', () => {
    for (const { Score, Results, Slug } of checkHtml('<video></video><p style="display:flex;position:fixed">')
      .Warnings) {
      const share = (support: string) =>
        (Results.filter(({ Support }) => Support === support).length / Results.length) * 100;
      expect(Score, Slug).toEqual({
        Found: 1,
        Supported: share('yes'),
        Partial: share('partial'),
        Unsupported: share('no'),
      });
    }
  });

  it('counts neither html nor head nor meta as a node', () => {
    expect(checkHtml('<html><head><meta charset=utf-8></head><body><p></p></body></html>').Total.Nodes).toBe(2);
  });

  it('answers an empty mail', () => {
    const { Warnings, Total, Platforms } = checkHtml(' ');
    expect([Warnings, Total.Supported, Total.Nodes]).toEqual([[], 100, 1]);
    expect(Platforms['desktop-webmail']).toContain('Gmail');
  });

  it.each([
    ['deep', '<div>'.repeat(50_000)],
    ['unclosed rules', `<style>${'a{'.repeat(100_000)}`],
    ['unclosed comments and brackets', `<style>${'/*'.repeat(50_000)}${'(['.repeat(50_000)}`],
    ['many rules', `<style>${'.x{color:red}'.repeat(50_000)}</style><p class=x>`],
    ['at-rules in at-rules', `<style>${'@media x{'.repeat(50_000)}`],
    ['quotes', `<style>${`a{b:'c\n"`.repeat(50_000)}`],
    ['longer than is read', `<p>${'x'.repeat(HTML_CHECK_LIMITS.characters)}<video>`],
  ])('MIME and regex bombs: is done with hostile HTML: %s', (_name, html) => {
    const { Total } = checkHtml(html);
    expect(Total.Nodes).toBeGreaterThan(0);
  });
});

describe('the reader of style sheets', () => {
  it('reads rules, conditions and nesting', () => {
    const { rules, atRules, comments } = scanStylesheet(
      '/* c */ a, b { color : Red; ; broken; x:y } @media (x) { c { d: e } } f { g: h; &:hover { i: j } k: l }',
    );
    expect(comments).toBe(1);
    expect(atRules).toEqual([{ name: 'media', prelude: '(x)' }]);
    expect(rules.map(({ selector, isConditional, isNested }) => [selector, isConditional, isNested])).toEqual([
      ['a, b', false, false],
      ['c', true, false],
      ['f', false, false],
      ['f &:hover', false, true],
      ['f', false, false],
    ]);
    expect(rules[0]?.declarations).toEqual([
      { property: 'color', value: 'Red' },
      { property: 'x', value: 'y' },
    ]);
  });

  it('takes no end in a string, a bracket or an escape for one', () => {
    expect(scanDeclarations(`a: "x;y"; b: url(z;w); c: \\;d; e: 'it\\'s;'`)).toEqual([
      { property: 'a', value: '"x;y"' },
      { property: 'b', value: 'url(z;w)' },
      { property: 'c', value: '\\;d' },
      { property: 'e', value: `'it\\'s;'` },
    ]);
  });
});

describe('notes', () => {
  it('are written as HTML in which nothing but marks is markup', () => {
    expect(inlineMarkdown('`<a>` & **b** *c* [d](https://x.example/?a=1&b=2) <script>')).toBe(
      '<code>&lt;a&gt;</code> &amp; <strong>b</strong> <em>c</em> ' +
        '<a href="https://x.example/?a=1&amp;b=2" target="_blank">d</a> &lt;script&gt;',
    );
    expect(inlineMarkdown('[x](javascript:alert(1))')).not.toContain('<a');
  });
});
