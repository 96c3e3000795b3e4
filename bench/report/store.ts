import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawCost, drawRates, PAGES, renderPerformance } from './pages.ts';
import type { Results } from './results.ts';
import { fillSizing, SIZING_PAGE } from './sizing.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILE = path.join(ROOT, 'bench/results/latest.json');

export function readResults(): Results {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Results;
}

export function readPage(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** Every file that is written from the results, by its path in the repository. */
export function renderAll(results: Results): ReadonlyMap<string, string> {
  return new Map([
    [PAGES.performance, renderPerformance(results)],
    [PAGES.cost, drawCost(results)],
    [PAGES.rates, drawRates(results)],
    [SIZING_PAGE, fillSizing(readPage(SIZING_PAGE), results)],
  ]);
}

export function storeResults(file: string, results: Results): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Keeps the results and writes all pages from them. */
export function writeResults(results: Results): void {
  storeResults(FILE, results);
  writePages(results);
}

export function writePages(results: Results): void {
  for (const [page, content] of renderAll(results)) writeFileSync(path.join(ROOT, page), content);
}

// By hand, after the text around the figures was changed.
if (import.meta.main) writePages(readResults());
