import { buildApp } from '@keyreeve/server';
import { type Company, type Harness, recordControl, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdPairs, T_MAX, TIMING_ITEM, tellDifference } from './timing-hold.ts';
import { measure, openAsker } from './timing-measure.ts';
import {
  listIntrospectionPairs,
  listKeyPairs,
  listObjectPairs,
  listThrottledPairs,
  naiveSignIn,
} from './timing-pairs.ts';

const IS_LONG = process.env['PROOF_FULL'] === '1';
const PAIRS = IS_LONG ? 600 : 40;
/** Answers on a beat of 10 ms: more of them take minutes and say the same. */
const PAIRS_ON_THE_BEAT = IS_LONG ? 300 : 20;
const MINUTES_MS = 60_000;

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

describe('the time of an answer does not tell', () => {
  it.each([
    ['addresses that have to wait', listThrottledPairs, PAIRS],
    ['keys, to whoever has a wrong secret', listKeyPairs, PAIRS],
    ['things of others', listObjectPairs, PAIRS],
    ['tokens, to whoever asks about them', listIntrospectionPairs, PAIRS_ON_THE_BEAT],
  ] as const)(
    'of %s',
    async (_name, list, pairs) => holdPairs(asker.ask, await list({ harness, company }), pairs),
    60 * MINUTES_MS,
  );
});

describe('the measurement', () => {
  it('tells a handler apart that works only for those whom it knows', async () => {
    const app = await buildApp(harness.deps);
    app.get<{ Querystring: { email: string } }>(
      '/v1/planted',
      { config: { auth: { kinds: ['anonymous'], action: null } } },
      (request, reply) => reply.code(naiveSignIn(request.query.email) ? 200 : 401).send(),
    );
    const planted = await openAsker(await app.listen({ port: 0, host: '127.0.0.1' }));
    const ask = (email: string) => () => ({ path: `/v1/planted?email=${encodeURIComponent(email)}` });
    const sides = [ask('known@example.com'), ask('nobody@example.com')] as const;
    const found = await measure(planted.ask, { name: 'a naive sign-in', sides, status: 401 }, PAIRS);
    planted.close();
    await app.close();
    recordControl(TIMING_ITEM, {
      name: 'a handler that works only for those whom it knows',
      shown: tellDifference(found, PAIRS),
      hasFailed: Math.abs(found.t) >= T_MAX,
    });
    expect(Math.abs(found.t)).toBeGreaterThanOrEqual(T_MAX);
  });
});
