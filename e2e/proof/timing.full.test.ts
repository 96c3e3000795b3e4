import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { holdPairs, tellDifference } from './timing-hold.ts';
import { measure, openAsker } from './timing-measure.ts';
import { listKnownDifferences, listResetPairs, listSignInPairs } from './timing-pairs.ts';

// What takes minutes: each sign-in hashes a password, and a request to reset is answered on a beat of 400 ms.
const PAIRS = 400;
const PAIRS_ON_THE_BEAT = 40;
const LIMIT_MS = 20 * 60_000;

let harness: Harness;
let company: Company;
let asker: Awaited<ReturnType<typeof openAsker>>;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  asker = await openAsker(await harness.app.listen({ port: 0, host: '127.0.0.1' }));
});
afterAll(async () => {
  asker.close();
  await harness.close();
});

describe('the time of an answer', () => {
  it.each([
    ['at sign-in', listSignInPairs, PAIRS],
    ['at a request to reset', listResetPairs, PAIRS_ON_THE_BEAT],
  ] as const)(
    'does not tell whether an address has an account: %s',
    async (_name, list, pairs) => holdPairs(asker.ask, await list({ harness, company }), pairs),
    LIMIT_MS,
  );

  it('is said to tell whether an API key exists and was used lately: docs/operations/guessing.md', async () => {
    for (const pair of await listKnownDifferences({ harness, company }))
      console.log(`${pair.name}: ${tellDifference(await measure(asker.ask, pair, PAIRS), PAIRS)}`);
  });
});
