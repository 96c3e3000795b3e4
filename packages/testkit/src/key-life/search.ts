import fc from 'fast-check';
import { lives } from './commands.ts';
import type { Rule } from './model.ts';
import type { LifeWorld } from './world.ts';

export interface Search {
  readonly lives: number;
  readonly seed: number;
  /** The rule that the model is to tell wrongly; the first difference is enough then, however long its life. */
  readonly broken: Rule | null;
}

/** The shortest life that is found in which product and model differ, with the difference; or null. */
export async function findDifference(world: LifeWorld, search: Search): Promise<string | null> {
  const property = fc.asyncProperty(lives, async (commands) => {
    const difference = await world.lead(commands, search.broken);
    if (difference !== null) throw new Error(difference);
  });
  const { lives: numRuns, seed, broken } = search;
  const found = await fc.check(property, { numRuns, seed, endOnFailure: broken !== null });
  if (!found.failed) return null;
  const [commands] = found.counterexample ?? [];
  return `${String(found.errorInstance)} after ${JSON.stringify(commands)}`;
}
