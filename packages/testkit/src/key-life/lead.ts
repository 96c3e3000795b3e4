/** Leads lives in a process of its own, for the other core. Arguments: how many, and the seed. */
import { findDifference } from './search.ts';
import { openLifeWorld } from './world.ts';

const [, , lives = '0', seed = '0'] = process.argv;
const world = await openLifeWorld();
const difference = await findDifference(world, { lives: Number(lives), seed: Number(seed), broken: null });
await world.close();
process.send?.({ difference, counts: world.counts });
process.disconnect();
