import { describeOn, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Caller, systemCaller } from '../../../http/index.ts';
import { inTransaction, type SigningKeysTable } from '../../../storage/index.ts';
import { makeKeyPair, privatePlace } from './key-pair.ts';
import { destroySigningKey, insertSigningKey } from './signing-keys.repo.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';

const ELSEWHERE = 'wsp_elsewhere';
const POLICY = { signingAlgorithm: 'ES256', signingKeyDays: 30 } as const;

let harness: Harness;
let caller: Caller;
let present: SigningKeysTable;
let other: SigningKeysTable;
let third: SigningKeysTable;
beforeAll(async () => {
  harness = await startHarness();
  caller = systemCaller(harness.deps.defaultWorkspace, 'a test');
  [present, other, third] = [await makeRow(-3), await makeRow(-2), await makeRow(-1)];
});
afterAll(() => harness.close());

/** The monotonic clock, which stands still until a test moves it. */
let elapsed = 0;
beforeEach(async () => {
  await harness.deps.storage.write.deleteFrom('signing_keys').execute();
  // Whole milliseconds: sums of fractions can be a little less than what was added.
  elapsed = Math.ceil(performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => elapsed);
});
afterEach(() => vi.restoreAllMocks());

async function makeRow(begins: number): Promise<SigningKeysTable> {
  const { publicJwk, privateJwk } = await makeKeyPair('ES256');
  const { kid } = publicJwk;
  const { keyring, clock } = harness.deps;
  return {
    kid,
    workspace_id: caller.workspace.id,
    algorithm: 'ES256',
    public_jwk: JSON.stringify(publicJwk),
    sealed_private_jwk: keyring.seal(JSON.stringify(privateJwk), privatePlace(kid)),
    created_at: 7,
    activates_at: clock.now() + begins,
    retires_at: null,
  };
}

/** What other processes do. */
async function keep(...rows: SigningKeysTable[]): Promise<void> {
  for (const row of rows) await insertSigningKey(harness.deps.storage.write, row);
}
async function destroy({ workspace_id, kid }: SigningKeysTable): Promise<void> {
  const { storage, clock } = harness.deps;
  await inTransaction(storage, (tx) => destroySigningKey(tx, workspace_id, kid, clock.now()));
}

/** Keys in a database that counts its commits, as SQLite does. */
const openCounted = () => createSigningKeys(harness.deps);
/** Keys in one that does not, as PostgreSQL: on SQLite nobody is told of its counter. */
const openUncounted = () =>
  createSigningKeys({ ...harness.deps, storage: { ...harness.deps.storage, changeCounter: null } });

const sign = async (keys: SigningKeys) => (await keys.findSigner(caller.workspace, POLICY)).kid;
const find = (keys: SigningKeys, { workspace_id, kid }: SigningKeysTable) =>
  keys.findVerifier(workspace_id, kid);
const isKnown = async (keys: SigningKeys, row: SigningKeysTable) => (await find(keys, row)) !== null;

/**
 * Holds what reads keys that are not in memory yet between what the database has answered and what is made of it,
 * until it is let go.
 */
async function hold<Result>(read: () => Promise<Result>) {
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const importKey = crypto.subtle.importKey.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, 'importKey').mockImplementationOnce(async (...input) => {
    reached.resolve();
    await held.promise;
    return await importKey(...input);
  });
  const ended = read();
  const endedTooSoon = ended.then(() => {
    throw new Error('It has read nothing.');
  });
  await Promise.race([reached.promise, endedTooSoon]);
  return { ended, letGo: held.resolve };
}

describe('a key that verifies', () => {
  it('is found by its id in its workspace, with its public half, made once from what is stored', async () => {
    await keep(present, other);
    const opened = vi.spyOn(harness.deps.keyring, 'open');
    const keys = openUncounted();
    const key = await find(keys, other);
    expect(key).toMatchObject({
      kid: other.kid,
      algorithm: 'ES256',
      publicKey: { type: 'public' },
      row: other,
      publicJwk: JSON.parse(other.public_jwk) as object,
    });
    expect(await isKnown(keys, { ...other, workspace_id: ELSEWHERE })).toBe(false);
    const { clock, storage } = harness.deps;
    const set = async (retires_at: number) => {
      await storage.write
        .updateTable('signing_keys')
        .set({ retires_at })
        .where('kid', '=', other.kid)
        .execute();
      elapsed += 1_000;
    };
    await set(clock.now() + 1);
    const again = await find(keys, other);
    expect(again?.publicKey).toBe(key?.publicKey);
    expect(again).toMatchObject({
      kid: other.kid,
      algorithm: 'ES256',
      row: { retires_at: clock.now() + 1 },
    });
    await set(clock.now());
    expect([await isKnown(keys, other), await isKnown(keys, present)]).toEqual([false, true]);
    expect(opened).not.toHaveBeenCalled();
  });

  it('is taken from memory for less than a second where commits are not counted', async () => {
    await keep(present, other);
    const keys = openUncounted();
    const key = await find(keys, other);
    await destroy(other);
    elapsed += 999;
    expect(await find(keys, other)).toBe(key);
    elapsed += 1;
    expect([await isKnown(keys, other), await isKnown(keys, present)]).toEqual([false, true]);
  });

  it('that ends by the clock is refused from memory, too', async () => {
    const { clock } = harness.deps;
    const start = clock.now();
    await keep({ ...present, retires_at: start + 1 });
    const keys = openUncounted();
    expect(await isKnown(keys, present)).toBe(true);
    harness.clock.advance(1);
    expect(await isKnown(keys, present)).toBe(false);
    harness.clock.set(start);
  });

  it('is looked for once more where commits are not counted, once a second and workspace', async () => {
    await keep(present);
    const keys = openUncounted();
    expect(await isKnown(keys, present)).toBe(true);
    await keep(other);
    expect(await isKnown(keys, other)).toBe(true);
    elapsed += 500;
    expect(await sign(keys)).toBe(other.kid);
    const foreign = { ...(await makeRow(0)), workspace_id: ELSEWHERE };
    expect(await isKnown(openUncounted(), foreign)).toBe(false);
    await keep(third);
    elapsed += 499;
    expect(await isKnown(keys, third)).toBe(false);
    elapsed += 1;
    expect(await isKnown(keys, third)).toBe(true);
    expect(await isKnown(keys, { ...other, workspace_id: ELSEWHERE })).toBe(false);
    const fourth = await makeRow(0);
    await keep(fourth, foreign);
    expect([await isKnown(keys, fourth), await isKnown(keys, foreign)]).toEqual([false, false]);
    elapsed += 1_000;
    expect([await isKnown(keys, fourth), await isKnown(keys, foreign)]).toEqual([true, true]);
  });

  it('is read once for all who ask at the same time where commits are not counted', async () => {
    await keep(present);
    const keys = openUncounted();
    const [one, two] = await Promise.all([find(keys, present), find(keys, present)]);
    expect(one).not.toBeNull();
    expect(two).toBe(one);
  });

  it('is read with the newest read that is under way, also when an older one ends', async () => {
    await keep(present, other);
    const keys = openUncounted();
    const early = await hold(() => sign(keys));
    elapsed += 500;
    const late = await hold(() => sign(keys));
    early.letGo();
    await early.ended;
    // What the early one has read is too old now; what the late one reads is not.
    await destroy(other);
    elapsed += 500;
    const shared = isKnown(keys, other);
    late.letGo();
    expect([await shared, await late.ended]).toEqual([true, other.kid]);
  });
});

describeOn('sqlite', 'a key where commits are counted', () => {
  it('is taken from memory until there is one, however long that takes', async () => {
    await keep(present, other);
    const keys = openCounted();
    const key = await find(keys, other);
    elapsed += 1_000_000;
    expect(await find(keys, other)).toBe(key);
    await keep(third);
    const again = await find(keys, other);
    expect(again).not.toBe(key);
    expect(again?.publicKey).toBe(key?.publicKey);
    await destroy(other);
    expect([await isKnown(keys, other), await isKnown(keys, present)]).toEqual([false, true]);
  });

  it('is not taken from a read that has begun before the last one', async () => {
    await keep(present, other);
    const keys = openCounted();
    const early = await hold(() => isKnown(keys, other));
    await destroy(other);
    const late = isKnown(keys, other);
    early.letGo();
    expect([await early.ended, await late]).toEqual([true, false]);
    expect(await isKnown(keys, other)).toBe(false);
  });

  it('has one look when its id is unknown', async () => {
    await keep(present);
    const keys = openCounted();
    const asked = await hold(() => isKnown(keys, other));
    await keep(other);
    asked.letGo();
    // When it was asked for there was none.
    expect(await asked.ended).toBe(false);
    expect(await isKnown(keys, other)).toBe(true);
  });
});

describe('a key that signs where commits are not counted', () => {
  it('is read anew each time, at one instant and while others read, too', async () => {
    await keep(present, other);
    const keys = openUncounted();
    expect(await sign(keys)).toBe(other.kid);
    await destroy(other);
    expect(await sign(keys)).toBe(present.kid);
    // What it has read is what others get then, though no time has passed.
    expect(await isKnown(keys, other)).toBe(false);
    await keep(third);
    elapsed += 1_000;
    const asked = await hold(() => isKnown(keys, present));
    await destroy(third);
    const signer = sign(keys);
    asked.letGo();
    expect([await asked.ended, await signer]).toEqual([true, present.kid]);
  });
});

describe('the list in memory', () => {
  it('is of the read that began last, not of an older one that ends later', async () => {
    await keep(present, other);
    const keys = openUncounted();
    const early = await hold(() => sign(keys));
    await destroy(other);
    elapsed += 1;
    expect(await sign(keys)).toBe(present.kid);
    early.letGo();
    await early.ended;
    expect(await isKnown(keys, other)).toBe(false);
  });

  const changes: [string, (keys: SigningKeys) => Promise<unknown>][] = [
    ['a rotation', (keys) => keys.rotate(caller, 'EdDSA')],
    ['a retirement', (keys) => keys.retireAtOnce(caller, present.kid, 'EdDSA')],
    [
      'a successor that was due',
      (keys) => keys.findSigner(caller.workspace, { ...POLICY, signingAlgorithm: 'EdDSA' }),
    ],
  ];

  it.each(changes)('is dropped with %s that we have made ourselves', async (_name, change) => {
    await keep(present, other);
    const keys = openUncounted();
    expect(await isKnown(keys, other)).toBe(true);
    // What another process has done is seen with that, too.
    await destroy(other);
    expect(await isKnown(keys, other)).toBe(true);
    await change(keys);
    expect(await isKnown(keys, other)).toBe(false);
  });

  it.each(changes)('is not what was read before %s that we have made ourselves', async (_name, change) => {
    await keep(present, other);
    const keys = openUncounted();
    const early = await hold(() => isKnown(keys, other));
    await destroy(other);
    await change(keys);
    // Nobody shares the read that has begun before.
    const late = isKnown(keys, other);
    early.letGo();
    expect([await early.ended, await late]).toEqual([true, false]);
    expect(await isKnown(keys, other)).toBe(false);
  });

  it.each(changes)(
    'is not brought back by what was read before %s that we have made ourselves',
    async (_name, change) => {
      await keep(present, other);
      const keys = openUncounted();
      const early = await hold(() => isKnown(keys, other));
      await destroy(other);
      await change(keys);
      early.letGo();
      expect(await early.ended).toBe(true);
      expect(await isKnown(keys, other)).toBe(false);
    },
  );
});
