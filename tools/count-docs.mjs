/**
 * `npm run docs:count`: how many fenced blocks of the docs a test executes, and how many are marked with the reason
 * why none does. Fails on a block that is neither, so that no page shows a command that nobody has tried.
 *
 * `e2e/docs/pages.ts` names the test of each page; the test itself fails when it leaves out a block of the page
 * (`expectAllClaimed` in `e2e/docs/doc-page.ts`).
 */
import { resolve } from 'node:path';
import { countDocs } from '../e2e/docs/count-docs.ts';
import { PAGES } from '../e2e/docs/pages.ts';

const { pages, executed, notExecuted, faults } = countDocs(resolve(import.meta.dirname, '..'), PAGES);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${pages} pages: ${executed} blocks executed, ${notExecuted} marked as not executed\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
