import { recordControl, recordFigure } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyRepository, type PlantedCopy, type PlantedRun } from './planted-copy.ts';
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.ts';

const ITEM = 48;

let copy: PlantedCopy;
let caught = 0;

beforeAll(() => {
  copy = copyRepository();
});
afterAll(() => copy.remove());

/** Whether the figure came, which is more than that the test failed: a server that does not start fails it too. */
function readFigure(
  { records }: PlantedRun,
  { item, figure }: PlantedFault,
): 'missing' | 'held' | 'not held' {
  const own = records.filter(
    (record) => record.kind === 'figure' && record.item === item && record.name === figure,
  );
  if (own.length === 0) return 'missing';
  return own.every((record) => record.kind === 'figure' && record.isHeld) ? 'held' : 'not held';
}

it('holds every figure over the copy without a fault', async () => {
  const faults: string[] = [];
  for (const [project, planted] of Map.groupBy(PLANTED_FAULTS, ({ test }) => test.project)) {
    const run = await copy.run(planted.map(({ test }) => test));
    if (run.code !== 0) faults.push(`${project} ended with ${run.code}: ${run.output}`);
    for (const fault of planted) {
      const read = readFigure(run, fault);
      if (read !== 'held') faults.push(`${fault.item} ${fault.figure}: ${read}`);
    }
  }
  // The control is turned round: here it is the copy without a fault that must not be found guilty.
  recordControl(ITEM, {
    name: 'the copy without a fault',
    shown:
      faults.length === 0 ? `its ${PLANTED_FAULTS.length} tests passed` : faults.join('; ').slice(0, 500),
    hasFailed: faults.length === 0,
  });
  expect(faults.join('\n')).toBe('');
});

it.each(PLANTED_FAULTS)('item $item catches a planted fault: $name', async (fault) => {
  const takeOut = copy.plant(fault);
  try {
    const run = await copy.run([fault.test]);
    expect(run.code, run.output).toBe(1);
    expect(readFigure(run, fault), run.output).toBe('not held');
    caught += 1;
  } finally {
    takeOut();
  }
});

it('catches every planted fault', () => {
  const all = PLANTED_FAULTS.length;
  recordFigure(ITEM, {
    name: 'planted faults caught',
    reached: `${caught} of ${all}`,
    wanted: 'all',
    isHeld: caught === all,
  });
  expect(caught).toBe(all);
});
