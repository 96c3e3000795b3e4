import { createElement, Fragment, type ReactNode, useMemo } from 'react';
import { useWords } from '../../i18n/words.tsx';
import classes from './gallery.module.css';
import { galleryWords } from './gallery.words.ts';
import { type MarkdownNode, parseMarkdown, textOf } from './markdown-tree.ts';
import { WebLink } from './web-link.tsx';

const PLAIN = ['p', 'ul', 'ol', 'li', 'blockquote', 'strong', 'em', 's', 'thead', 'tbody', 'tr', 'td'];
const HEADING = /^h([1-6])$/;
/** Titles of panels stand above: the highest of a readme is one below them. */
const PANEL_LEVEL = 2;

/**
 * A text in Markdown by somebody of whom nothing is known. Only elements of the list are drawn; links lead to the web
 * and nowhere else; pictures are links, since to load one from elsewhere would tell its host who reads.
 */
export function Markdown(props: { readonly text: string }) {
  const { t } = useWords(galleryWords);
  const drawn = useMemo(() => {
    const nodes = parseMarkdown(props.text);
    const words = {
      picture: (text: string) => (text === '' ? t('pictureUnnamed') : t('picture', { text })),
      table: t('table'),
    };
    return nodes === null ? null : draw(nodes, { words, level: PANEL_LEVEL });
  }, [props.text, t]);
  if (drawn === null)
    return (
      <pre className={classes.plainText} tabIndex={0}>
        {props.text}
      </pre>
    );
  return (
    <div className={classes.markdown} dir="auto">
      {drawn}
    </div>
  );
}

interface Drawing {
  readonly words: { readonly picture: (text: string) => string; readonly table: string };
  /** Of the last heading: the next one is at most one lower, whatever its author left out. */
  level: number;
}

function draw(nodes: readonly MarkdownNode[], drawing: Drawing): ReactNode[] {
  return nodes.map((node, index) => createElement(Fragment, { key: String(index) }, drawNode(node, drawing)));
}

function drawNode(node: MarkdownNode, drawing: Drawing): ReactNode {
  const { tag, text, attributes } = node;
  if (tag === 'text') return text;
  if (tag === 'br' || tag === 'hr') return createElement(tag);
  if (tag === 'code') return <code className="kr-mono">{text}</code>;
  if (tag === 'pre')
    return (
      <pre className="kr-mono" tabIndex={0}>
        {text}
      </pre>
    );
  if (tag === 'a') return drawLink(node);
  if (tag === 'img') return <WebLink address={attributes['src'] ?? ''} label={drawing.words.picture(text)} />;
  if (tag === 'table')
    return (
      <div className={classes.tableFrame} role="group" aria-label={drawing.words.table} tabIndex={0}>
        <table>{draw(node.children, drawing)}</table>
      </div>
    );
  if (tag === 'th') return drawHeadCell(node, drawing);
  if (HEADING.test(tag)) return drawHeading(node, drawing);
  const children = draw(node.children, drawing);
  return PLAIN.includes(tag) ? createElement(tag, null, ...children) : children;
}

function drawHeading(node: MarkdownNode, drawing: Drawing): ReactNode {
  if (textOf([node]).trim() === '') return null;
  const wanted = Number(HEADING.exec(node.tag)?.[1]) + PANEL_LEVEL;
  drawing.level = Math.min(wanted, drawing.level + 1, 6);
  return createElement(`h${drawing.level}`, null, ...draw(node.children, drawing));
}

function drawHeadCell(node: MarkdownNode, drawing: Drawing): ReactNode {
  // A head without a word names nothing.
  if (textOf([node]).trim() === '') return <td />;
  return <th scope="col">{draw(node.children, drawing)}</th>;
}

function drawLink(node: MarkdownNode): ReactNode {
  const address = node.attributes['href'] ?? '';
  const hasText = textOf(node.children).trim() !== '';
  // A link within a link is none: what stands in it is drawn as text.
  return <WebLink address={address} label={hasText ? textOf(node.children) : address} />;
}
