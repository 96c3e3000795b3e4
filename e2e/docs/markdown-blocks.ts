/** A fenced block of a page. */
export interface Block {
  /** The first word after the fence; empty where there is none. */
  readonly language: string;
  /** Without the indentation of the list that it stands in; ends with a line feed unless it is empty. */
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** What `<!-- not executed here: … -->` in the line before says; null without one, empty when it gives no reason. */
  readonly reasonNotExecuted: string | null;
}

export interface Markdown {
  readonly blocks: readonly Block[];
  /** What cannot be read as it was meant: `line` and what is wrong there. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

const LIST_ITEM = /^( *)(?:[-*+]|\d{1,9}[.)])( +|$)/;
/** The info string of a backtick fence holds no backtick: otherwise it is code within a sentence. */
const FENCE = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const MARK = /^<!--\s*not executed\b/i;
const STRAY_MARK = 'the mark is not in the line before a block';
const WHOLE_MARK = /^<!-- not executed here: (.*?) ?-->$/;
/** Deeper than this below its container, a fence is an indented code block (CommonMark 4.5). */
const FENCE_INDENT_MAX = 3;

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Where the text of the list items begins that are open at a line, the innermost last. */
function openItems(items: readonly number[], line: string, isAfterBlank: boolean): number[] {
  const item = LIST_ITEM.exec(line);
  if (item === null) {
    // A lazy continuation (CommonMark 5.2) belongs to the item whatever its indentation; a blank line ends that.
    return isAfterBlank ? items.filter((indent) => indent <= indentOf(line)) : [...items];
  }
  const [marker, before = ''] = item;
  return [...items.filter((indent) => indent <= before.length), marker.length];
}

interface Fence {
  readonly character: string;
  readonly length: number;
  readonly indent: number;
  readonly language: string;
}

function readFence(line: string, containerIndent: number): Fence | null {
  const indent = indentOf(line);
  const match = FENCE.exec(line.slice(indent));
  if (match === null || indent > containerIndent + FENCE_INDENT_MAX) return null;
  const run = match[1] ?? match[3] ?? '';
  const [language = ''] = (match[2] ?? match[4] ?? '').trim().split(/\s/);
  return { character: run.slice(0, 1), length: run.length, indent, language };
}

function isClosing(line: string, fence: Fence): boolean {
  const text = line.trim();
  return (
    text.length >= fence.length &&
    text === fence.character.repeat(text.length) &&
    indentOf(line) <= fence.indent + FENCE_INDENT_MAX
  );
}

function withoutIndent(line: string, indent: number): string {
  return line.slice(Math.min(indent, indentOf(line)));
}

/**
 * Reads the fenced blocks of a page, by CommonMark 4.5 as far as pages of ours use it: both kinds of fences, longer
 * ones around shorter ones, fences within list items. A fence in a block quote is a fault: nobody would find it.
 */
export function readMarkdown(source: string): Markdown {
  const lines = source.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  const faults: { line: number; message: string }[] = [];
  let items: number[] = [];
  let mark: { line: number; reason: string } | null = null;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const text = line.trim();
    if (text !== '') items = openItems(items, line, (lines[at - 1] ?? '').trim() === '');
    const fence = readFence(line, items.at(-1) ?? 0);
    if (mark !== null && fence === null) {
      faults.push({ line: mark.line, message: STRAY_MARK });
    }
    if (fence !== null) {
      let end = at + 1;
      while (end < lines.length && !isClosing(lines[end] ?? '', fence)) end += 1;
      if (end === lines.length) faults.push({ line: at + 1, message: 'the block never ends' });
      const body = lines.slice(at + 1, end).map((each) => `${withoutIndent(each, fence.indent)}\n`);
      const reasonNotExecuted = mark?.reason ?? null;
      blocks.push({ language: fence.language, text: body.join(''), line: at + 1, reasonNotExecuted });
      at = end;
    } else if (/^>+\s*(?:`{3}|~{3})/.test(text)) {
      faults.push({ line: at + 1, message: 'a block in a quotation is not read; take it out' });
    } else if (/^(?:[-*+]|\d+[.)])\s+(?:`{3}|~{3})/.test(text)) {
      faults.push({ line: at + 1, message: 'a block behind a list marker is not read; begin a new line' });
    }
    mark =
      fence === null && MARK.test(text) ? { line: at + 1, reason: WHOLE_MARK.exec(text)?.[1] ?? '' } : null;
    // A comment of several lines shows nothing, a fence within it neither.
    if (fence === null && text.startsWith('<!--') && !text.includes('-->')) {
      while (at < lines.length && !(lines[at] ?? '').includes('-->')) at += 1;
    }
  }
  if (mark !== null) faults.push({ line: mark.line, message: STRAY_MARK });
  return { blocks, faults };
}
