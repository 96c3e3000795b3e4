import MarkdownIt, { type Token } from 'markdown-it';

/** A part of a text in Markdown. Markup of other languages is no part of it: it stays the characters that it is. */
export interface MarkdownNode {
  /** The HTML element, or what a text is. */
  readonly tag: string;
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly MarkdownNode[];
}

const parser = new MarkdownIt({ html: false, linkify: false, typographer: false, maxNesting: 20 });
// Addresses are judged where they are drawn; the parser would leave the source of a refused one in the text.
parser.validateLink = () => true;

// A page with more parts than this is slow to draw and nothing that anybody reads.
const PARTS_MAX = 20_000;
// Characters that turn the direction of what stands after them; a readme has no use for them.
const DIRECTIONS = /[\u202A-\u202E\u2066-\u2069]/g;

/** Null when it is better shown as it is: too much to draw part by part, or nested so deep that nothing is left. */
export function parseMarkdown(text: string): readonly MarkdownNode[] | null {
  const tokens = parser.parse(text.replace(DIRECTIONS, ''), {});
  const count = tokens.reduce((sum, { children }) => sum + 1 + (children?.length ?? 0), 0);
  if (count > PARTS_MAX) return null;
  const tree = toTree(tokens);
  return tree.length === 0 || hasContent(tree) ? tree : null;
}

interface Open {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: MarkdownNode[];
}

function toTree(tokens: readonly Token[]): readonly MarkdownNode[] {
  const root: Open = { tag: '', attributes: {}, children: [] };
  const open: Open[] = [root];
  for (const token of tokens) {
    const parent = open.at(-1) ?? root;
    if (token.nesting === 1) {
      open.push({
        tag: token.hidden ? 'fragment' : token.tag,
        attributes: attributesOf(token),
        children: [],
      });
    } else if (token.nesting === -1) {
      const done = open.length > 1 ? open.pop() : undefined;
      if (done !== undefined) (open.at(-1) ?? root).children.push({ ...done, text: '' });
    } else {
      parent.children.push(...toLeaves(token));
    }
  }
  return root.children;
}

function toLeaves(token: Token): readonly MarkdownNode[] {
  const leaf = (tag: string, text = ''): readonly MarkdownNode[] => [
    { tag, text, attributes: attributesOf(token), children: [] },
  ];
  switch (token.type) {
    case 'inline':
      return toTree(token.children ?? []);
    case 'softbreak':
      return leaf('text', '\n');
    case 'hardbreak':
      return leaf('br');
    case 'hr':
      return leaf('hr');
    case 'code_inline':
      return leaf('code', token.content);
    case 'code_block':
    case 'fence':
      return leaf('pre', token.content);
    case 'image':
      return leaf('img', token.content);
    default:
      return token.content === '' ? [] : leaf('text', token.content);
  }
}

function attributesOf(token: Token): Readonly<Record<string, string>> {
  return Object.fromEntries((token.attrs ?? []).map(([name, value]) => [name, String(value)]));
}

function hasContent(nodes: readonly MarkdownNode[]): boolean {
  return nodes.some(({ tag, text, children }) => text !== '' || tag === 'hr' || hasContent(children));
}

/** All text below, in its order. */
export function textOf(nodes: readonly MarkdownNode[]): string {
  return nodes.map(({ text, children }) => text + textOf(children)).join('');
}
