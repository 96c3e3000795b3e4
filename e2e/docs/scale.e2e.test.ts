import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  compareWithMeasured,
  type Measured,
  printComparison,
  printScaleTable,
} from '../../bench/simulate-revocation.ts';
import { openPage } from './doc-page.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FACTOR_MAX = 1.5;
const measured = JSON.parse(
  readFileSync(path.join(ROOT, 'bench/results/revocation-nodes.json'), 'utf8'),
) as Measured;

it('docs/operations/scale.md shows what the simulation prints', () => {
  openPage('docs/operations/scale.md').expectAllClaimed();
  const page = readFileSync(path.join(ROOT, 'docs/operations/scale.md'), 'utf8');
  expect(page).toContain(printScaleTable());
  expect(page).toContain(printComparison(measured));
});

it('the simulation predicts the measured figures of three nodes within a factor of 1.5', () => {
  const comparisons = compareWithMeasured(measured);
  expect(comparisons).toHaveLength(2);
  for (const { figure, factor } of comparisons) expect(factor, figure).toBeLessThanOrEqual(FACTOR_MAX);
});
