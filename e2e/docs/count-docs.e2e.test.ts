import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countDocs } from './count-docs.ts';
import { readMarkdown } from './markdown-blocks.ts';

const texts = (source: string) => readMarkdown(source).blocks.map((block) => block.text);
const messages = (source: string) => readMarkdown(source).faults.map((fault) => fault.message);

describe('the blocks of a page', () => {
  it('are found with language and line, whatever fence they have', () => {
    const { blocks, faults } = readMarkdown('# A\n\n```sh title\nls\n```\n\n~~~\n```\nx\n```\n~~~~\n');
    expect(faults).toEqual([]);
    expect(blocks).toEqual([
      { language: 'sh', text: 'ls\n', line: 3, reasonNotExecuted: null },
      { language: '', text: '```\nx\n```\n', line: 7, reasonNotExecuted: null },
    ]);
  });

  it('end with a fence as long as the one that opened them', () => {
    expect(texts('````md\n```sh\nls\n```\n````\n')).toEqual(['```sh\nls\n```\n']);
    expect(texts('```\n``\n~~~\n    ```\n```x\n```\n')).toEqual(['``\n~~~\n    ```\n```x\n']);
  });

  it('lose the indentation of the list that they stand in, and no more', () => {
    expect(texts('1. A\n\n   ```sh\n   if\n     then\n   ```\n')).toEqual(['if\n  then\n']);
    expect(texts('- A\n  - B\n    ```sh\n    ls\n    ```\n')).toEqual(['ls\n']);
  });

  it('are not those that only look like one', () => {
    expect(texts('Say ```code``` so.\n\n```a`b```\n\n    ```sh\n    ls\n    ```\n')).toEqual([]);
    expect(texts('<!--\n```sh\nls\n```\n-->\n')).toEqual([]);
  });

  it('carry the reason of the mark in the line before', () => {
    const [block, next] = readMarkdown(
      '<!-- not executed here: needs a cluster -->\n```sh\n```\n```sh\n```\n',
    ).blocks;
    expect(block?.reasonNotExecuted).toBe('needs a cluster');
    expect(next?.reasonNotExecuted).toBeNull();
    for (const mark of [
      '<!-- not executed here: -->',
      '<!-- not executed here -->',
      '<!--not executed: x-->',
    ]) {
      expect(readMarkdown(`${mark}\n\`\`\`sh\n\`\`\`\n`).blocks[0]?.reasonNotExecuted, mark).toBe('');
    }
  });

  it('are not left out in silence where they cannot be read', () => {
    expect(messages('```sh\nls\n')).toEqual(['the block never ends']);
    expect(messages('> ```sh\n> ls\n> ```\n')).toContain('a block in a quotation is not read; take it out');
    expect(messages('- ```sh\n  ls\n  ```\n')).toContain(
      'a block behind a list marker is not read; begin a new line',
    );
    const stray = 'the mark is not in the line before a block';
    expect(messages('<!-- not executed here: x -->\n\n```sh\n```\n')).toEqual([stray]);
    expect(messages('<!-- not executed here: x -->')).toEqual([stray]);
  });
});

describe('the count of the docs', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'keyreeve-docs-'));
    mkdirSync(path.join(root, 'docs/errors'), { recursive: true });
    mkdirSync(path.join(root, 'packages/sdk'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const write = (file: string, text: string) => writeFileSync(path.join(root, file), text);
  const BLOCK = '```sh\nls\n```\n';
  const MARKED = `<!-- not executed here: needs a cluster -->\n${BLOCK}`;

  it('adds up what tests execute and what is marked', () => {
    write('README.md', `${BLOCK}\n${MARKED}`);
    write('docs/errors/a.md', BLOCK);
    write('docs/a.md', MARKED);
    write('packages/sdk/README.md', BLOCK);
    write('a.test.ts', `openPage('README.md'); openPage('packages/sdk/README.md');`);
    const tests = { 'README.md': 'a.test.ts', 'packages/sdk/README.md': 'a.test.ts' };
    expect(countDocs(root, tests)).toEqual({ pages: 3, executed: 2, notExecuted: 2, faults: [] });
  });

  it('names each block that nobody answers for, and each test that is none', () => {
    write('README.md', `${BLOCK}\n<!-- not executed here: -->\n${BLOCK}`);
    write('docs/b.md', BLOCK);
    write('docs/c.md', MARKED);
    write('b.test.ts', `openPage('docs/c.md');`);
    const tests = { 'docs/a.md': 'b.test.ts', 'docs/b.md': 'b.test.ts', 'docs/c.md': 'b.test.ts' };
    const { faults } = countDocs(root, { ...tests, 'README.ja.md': 'none.test.ts' });
    expect(faults).toEqual([
      'e2e/docs/pages.ts: there is no page docs/a.md',
      'e2e/docs/pages.ts: docs/b.md is executed by b.test.ts, which does not name the page',
      'e2e/docs/pages.ts: there is no page README.ja.md',
      'README.md:6: the mark must read <!-- not executed here: reason -->',
      'README.md:1: no test executes this block: name one in e2e/docs/pages.ts, or mark it',
      'docs/c.md: has a test in e2e/docs/pages.ts, but no block to execute',
    ]);
    const missing = countDocs(root, { 'docs/b.md': 'none.test.ts' }).faults;
    expect(missing[0]).toBe('e2e/docs/pages.ts: docs/b.md is executed by none.test.ts, which is no test');
  });
});
