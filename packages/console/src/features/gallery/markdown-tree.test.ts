import { describe, expect, it } from 'vitest';
import { type MarkdownNode, parseMarkdown, textOf } from './markdown-tree.ts';
import { webAddress } from './web-address.ts';

function tagsOf(nodes: readonly MarkdownNode[]): string[] {
  return nodes.flatMap(({ tag, children }) => [tag, ...tagsOf(children)]);
}

describe('a readme', () => {
  it('is made of the elements of Markdown', () => {
    const tree = parseMarkdown('# A\n\n- b **c**\n\n| d |\n|---|\n| e |\n\n```\nf\n```\n\n---\n') ?? [];
    expect(new Set(tagsOf(tree))).toEqual(
      new Set([
        'h1',
        'text',
        'ul',
        'li',
        'fragment',
        'strong',
        'table',
        'thead',
        'tr',
        'th',
        'tbody',
        'td',
        'pre',
        'hr',
      ]),
    );
    expect(textOf(tree)).toBe('Ab cdef\n');
  });

  it.each([
    '<script>x</script>',
    '<img src=x onerror=y>',
    'a <b onclick=c>d</b>',
    '<!-- e -->',
    '<svg/onload=f>',
  ])('keeps markup of other languages as the characters that it is: %s', (text) => {
    const tree = parseMarkdown(text) ?? [];
    expect(tagsOf(tree)).toEqual(['p', 'text']);
    expect(textOf(tree)).toBe(text);
  });

  it('loses the characters that turn what stands behind them', () => {
    expect(textOf(parseMarkdown('a\u202eb\u2066c\u2069d') ?? [])).toBe('abcd');
  });

  it.each([
    '[',
    '![',
    '*a ',
    '_a*',
    '- - - a\n',
    '> > a\n',
    '|a|b\n|-|-\n',
    '`a``b',
    '&amp;',
    '[a](<b',
    '[a]: b\n',
  ])('is read in no time, whatever is repeated in it: %j', (unit) => {
    const startedAt = performance.now();
    parseMarkdown(unit.repeat(100_000 / unit.length));
    // A reader that takes the square of the length would need minutes.
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  it('is shown as it is when it has too many parts, or nothing is left of it', () => {
    expect(parseMarkdown('- a\n'.repeat(20_000))).toBeNull();
    expect(parseMarkdown('>'.repeat(1_000))).toBeNull();
    expect(parseMarkdown('')).toEqual([]);
  });
});

describe('an address that an author wrote', () => {
  it.each([
    ['https://a.example/b?c#d', 'https://a.example/b?c#d'],
    ['HTTP://A.example', 'http://a.example/'],
    ['javascript:alert(1)', null],
    ['JaVaScRiPt:alert(1)', null],
    ['java\tscript:alert(1)', null],
    [' javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['vbscript:x', null],
    ['file:///etc/passwd', null],
    ['blob:https://a.example/x', null],
    ['mailto:a@b.example', null],
    ['/settings', null],
    ['//evil.example/x', null],
    ['#top', null],
    ['', null],
    [null, null],
  ])('leads to the web or nowhere: %s', (text, address) => {
    expect(webAddress(text)).toBe(address);
  });
});
