import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readMarkdown } from './markdown-blocks.ts';

/** Records of the past, and pages that are generated from what the tests check anyway. */
const LEFT_OUT = /^docs\/(decisions|errors|api)\//;

export interface DocsCount {
  readonly pages: number;
  readonly executed: number;
  readonly notExecuted: number;
  /** Each begins with `page:line` or the file at fault. */
  readonly faults: readonly string[];
}

/** @param tests The test of each page, both relative to `root`. */
export function countDocs(root: string, tests: Readonly<Record<string, string>>): DocsCount {
  const pages = globSync(['README*.md', 'packages/*/README.md', 'docs/**/*.md'], { cwd: root })
    .map((page) => page.replaceAll('\\', '/'))
    .filter((page) => !LEFT_OUT.test(page))
    .toSorted();
  const faults = Object.entries(tests).flatMap(([page, test]) => findTestFaults(root, pages, page, test));
  let executed = 0;
  let notExecuted = 0;
  for (const page of pages) {
    const { blocks, faults: unreadable } = readMarkdown(readFileSync(path.join(root, page), 'utf8'));
    for (const { line, message } of unreadable) faults.push(`${page}:${line}: ${message}`);
    const unmarked = blocks.filter((block) => block.reasonNotExecuted === null);
    notExecuted += blocks.length - unmarked.length;
    for (const { line } of blocks.filter((block) => block.reasonNotExecuted === '')) {
      faults.push(`${page}:${line}: the mark must read <!-- not executed here: reason -->`);
    }
    if (tests[page] === undefined) {
      for (const { line } of unmarked)
        faults.push(
          `${page}:${line}: no test executes this block: name one in e2e/docs/pages.ts, or mark it`,
        );
    } else if (unmarked.length === 0) {
      faults.push(`${page}: has a test in e2e/docs/pages.ts, but no block to execute`);
    } else {
      executed += unmarked.length;
    }
  }
  return { pages: pages.length, executed, notExecuted, faults };
}

function findTestFaults(root: string, pages: readonly string[], page: string, test: string): string[] {
  if (!pages.includes(page)) return [`e2e/docs/pages.ts: there is no page ${page}`];
  if (!/\.(test|spec)\.ts$/.test(test) || !existsSync(path.join(root, test))) {
    return [`e2e/docs/pages.ts: ${page} is executed by ${test}, which is no test`];
  }
  const names = readFileSync(path.join(root, test), 'utf8').includes(page);
  return names ? [] : [`e2e/docs/pages.ts: ${page} is executed by ${test}, which does not name the page`];
}
