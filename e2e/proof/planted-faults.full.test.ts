import { recordControl, recordFigure } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyRepository, type PlantedCopy } from './planted-copy.ts';
import { PLANTED_FAULTS } from './planted-faults.ts';

let copy: PlantedCopy;
let caught = 0;

beforeAll(() => {
  copy = copyRepository();
});
afterAll(() => copy.remove());

it('holds all the items over a copy without faults', async () => {
  const numbers = [...new Set(PLANTED_FAULTS.map(({ item }) => item))];
  const { held, output } = await copy.judge(numbers);
  const hasHeld = held.length === numbers.length;
  // The control is turned round: here it is the copy without a fault that must not be found guilty.
  recordControl(48, {
    name: 'the copy without a fault',
    shown: `${held.length} of ${numbers.length} items held`,
    hasFailed: hasHeld,
  });
  expect(held, output).toEqual(numbers);
});

it.each(PLANTED_FAULTS)('item $item catches a planted fault: $name', async (fault) => {
  const takeOut = copy.plant(fault);
  try {
    const { held, output } = await copy.judge([fault.item]);
    expect(held, output).toEqual([]);
    // The board has judged: it did not break down on the way.
    expect(output).toMatch(new RegExp(`^NOT HELD +${fault.item} `, 'm'));
    caught += 1;
  } finally {
    takeOut();
  }
});

it('catches every planted fault', () => {
  const all = PLANTED_FAULTS.length;
  const isHeld = caught === all;
  recordFigure(48, { name: 'planted faults caught', reached: `${caught} of ${all}`, wanted: 'all', isHeld });
  expect(caught).toBe(all);
});
