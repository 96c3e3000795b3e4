import { verify } from 'node:crypto';
import { describeOn, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemCaller, type Workspace } from '../../../http/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../lib/clock.ts';
import { inTransaction, type SigningKeysTable } from '../../../storage/index.ts';
import type { KeyChangesDeps } from './key-changes.ts';
import { makeKeyPair, privatePlace } from './key-pair.ts';
import { destroySigningKey, insertSigningKey } from './signing-keys.repo.ts';
import { createSigningKeys, type SigningKeys, type SigningPolicy } from './signing-keys.ts';

const DELAY_MS = 20 * MINUTE_MS;
const DAYS = 30;

let harness: Harness;
let here: Workspace;
let elsewhere: Workspace;
let start: number;
let present: SigningKeysTable;
let other: SigningKeysTable;
beforeAll(async () => {
  harness = await startHarness();
  here = harness.deps.defaultWorkspace;
  const made = await harness.deps.workspaces.create(systemCaller(here, 'a test'), {
    name: 'Elsewhere',
    subdomain: 'elsewhere',
    aliases: [],
  });
  elsewhere = made.workspace;
  start = harness.clock.now();
  present = await makeRow(-2);
  other = await makeRow(-1);
});
afterAll(() => harness.close());

beforeEach(async () => {
  harness.clock.set(start);
  await harness.deps.storage.write.deleteFrom('signing_keys').execute();
});
afterEach(() => vi.restoreAllMocks());

async function makeRow(begins: number, more: Partial<SigningKeysTable> = {}): Promise<SigningKeysTable> {
  const { publicJwk, privateJwk } = await makeKeyPair('ES256');
  const { kid } = publicJwk;
  return {
    kid,
    workspace_id: here.id,
    algorithm: 'ES256',
    public_jwk: JSON.stringify(publicJwk),
    sealed_private_jwk: harness.deps.keyring.seal(JSON.stringify(privateJwk), privatePlace(kid)),
    created_at: 7,
    activates_at: start + begins,
    retires_at: null,
    ...more,
  };
}

/** What another process stores. */
async function keep(...rows: SigningKeysTable[]): Promise<void> {
  for (const row of rows) await insertSigningKey(harness.deps.storage.write, row);
}
async function destroy({ workspace_id, kid }: SigningKeysTable): Promise<void> {
  const { storage, clock } = harness.deps;
  await inTransaction(storage, (tx) => destroySigningKey(tx, workspace_id, kid, clock.now()));
}
async function listStored() {
  const { read } = harness.deps.storage;
  return await read.selectFrom('signing_keys').selectAll().orderBy('activates_at').orderBy('kid').execute();
}
const algorithms = async () => (await listStored()).map(({ algorithm }) => algorithm);

function open(more: Partial<KeyChangesDeps> = {}): SigningKeys {
  const { storage, clock, keyring, audit } = harness.deps;
  return createSigningKeys({ storage, clock, keyring, audit, ...more });
}
const policyOf = (signingAlgorithm: SigningPolicy['signingAlgorithm'] = 'ES256'): SigningPolicy => ({
  signingAlgorithm,
  signingKeyDays: DAYS,
});
const sign = (keys: SigningKeys, algorithm?: SigningPolicy['signingAlgorithm']) =>
  keys.findSigner(here, policyOf(algorithm));

describe('whoever signs', () => {
  it('has a key that those who fetch its public half verify with, opened once', async () => {
    await keep(present, other);
    const opened = vi.spyOn(harness.deps.keyring, 'open');
    const keys = open();
    const key = await sign(keys);
    const header = { alg: 'ES256', typ: 'at+jwt', kid: other.kid };
    expect(key).toMatchObject({
      kid: other.kid,
      algorithm: 'ES256',
      headerText: `${Buffer.from(JSON.stringify(header)).toString('base64url')}.`,
    });
    expect(opened.mock.calls).toEqual([[other.sealed_private_jwk, `signing_keys/${other.kid}/private`]]);
    const published = await keys.listPublic(here, policyOf());
    expect(published).toEqual([JSON.parse(present.public_jwk), JSON.parse(other.public_jwk)]);
    const text = Buffer.from('text');
    const signature = await crypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-256' },
      key.privateKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
      text,
    );
    const publicKey = { key: published[1] ?? {}, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', text, publicKey, Buffer.from(signature))).toBe(true);
    await keep(await makeRow(0, { workspace_id: elsewhere.id }));
    expect(await sign(keys)).toBe(key);
    expect(opened).toHaveBeenCalledTimes(1);
    expect(await listStored()).toHaveLength(3);
  });

  it('has the first key made, once for all who come at the same time, and for each workspace', async () => {
    const made = vi.spyOn(crypto.subtle, 'generateKey');
    const record = vi.spyOn(harness.deps.audit, 'record');
    const keys = open();
    const [one, two, published] = await Promise.all([
      sign(keys),
      sign(keys),
      keys.listPublic(here, policyOf()),
    ]);
    expect(two.kid).toBe(one.kid);
    expect(published.map(({ kid }) => kid)).toEqual([one.kid]);
    expect(made).toHaveBeenCalledTimes(1);
    expect(await listStored()).toMatchObject([{ kid: one.kid, algorithm: 'ES256', activates_at: start }]);
    expect(record.mock.calls.map(([, who]) => who)).toEqual([systemCaller(here, 'signing keys')]);
    const [third, fourth] = await Promise.all([sign(keys), keys.findSigner(elsewhere, policyOf('EdDSA'))]);
    expect(third.kid).toBe(one.kid);
    const stored = (await listStored()).find(({ kid }) => kid === fourth.kid);
    expect(stored).toMatchObject({ workspace_id: elsewhere.id, algorithm: 'EdDSA' });
  });

  it('waits for a key that is being made only in its own workspace', async () => {
    const keys = open();
    const both = [sign(keys), keys.findSigner(elsewhere, policyOf('EdDSA'))];
    expect((await Promise.all(both)).map(({ algorithm }) => algorithm)).toEqual(['ES256', 'EdDSA']);
  });

  it('takes the first key that another process has made meanwhile, and asks for no successor', async () => {
    const generate = crypto.subtle.generateKey.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, 'generateKey').mockImplementationOnce(async (...input) => {
      await keep(present);
      return await generate(...input);
    });
    expect((await sign(open(), 'EdDSA')).kid).toBe(present.kid);
    expect(await listStored()).toEqual([present]);
  });

  it('tries again when the first key could not be made', async () => {
    const keys = open();
    const record = vi.spyOn(harness.deps.audit, 'record');
    record.mockRejectedValueOnce(new Error('The disk is full.'));
    await expect(sign(keys)).rejects.toThrow('The disk is full.');
    expect(await listStored()).toEqual([]);
    const { kid } = await sign(keys);
    expect(await listStored()).toMatchObject([{ kid }]);
  });

  it('fails where the first key is gone as soon as it was made', async () => {
    const { audit } = harness.deps;
    const record: typeof audit.record = async (tx, ...event) => {
      await audit.record(tx, ...event);
      await tx.deleteFrom('signing_keys').execute();
    };
    await expect(sign(open({ audit: { ...audit, record } }))).rejects.toThrow(
      `The workspace ${here.id} has no signing key that is active.`,
    );
  });

  it('goes on with the present key while a successor of another algorithm waits', async () => {
    await keep(present);
    const keys = open();
    expect((await sign(keys, 'EdDSA')).kid).toBe(present.kid);
    const successor = (await listStored())[1];
    expect(successor).toMatchObject({ algorithm: 'EdDSA', activates_at: start + DELAY_MS });
    const published = await keys.listPublic(here, policyOf('EdDSA'));
    expect(published.map(({ kid }) => kid)).toEqual([present.kid, successor?.kid]);
    harness.clock.advance(DELAY_MS - 1);
    expect((await sign(keys, 'EdDSA')).kid).toBe(present.kid);
    harness.clock.advance(1);
    expect((await sign(keys, 'EdDSA')).kid).toBe(successor?.kid);
    expect(await algorithms()).toEqual(['ES256', 'EdDSA']);
    // And back again: what was made once is not taken for being made still.
    expect((await sign(keys)).kid).toBe(successor?.kid);
    expect(await algorithms()).toEqual(['ES256', 'EdDSA', 'ES256']);
  });

  it('has a successor published when the newest key has signed for its days, not before', async () => {
    await keep(present, other);
    const keys = open();
    harness.clock.set(other.activates_at + DAYS * DAY_MS - 1);
    await sign(keys);
    expect(await listStored()).toHaveLength(2);
    harness.clock.advance(1);
    expect((await sign(keys)).kid).toBe(other.kid);
    expect(await listStored()).toHaveLength(3);
    // Of three, it is the newest that counts.
    await sign(keys);
    expect(await listStored()).toHaveLength(3);
  });

  it('never signs with a key that has ended, also where that is known from memory', async () => {
    await keep({ ...present, retires_at: start + 1 });
    const keys = open();
    expect((await sign(keys)).kid).toBe(present.kid);
    harness.clock.advance(1);
    expect(await keys.findVerifier(here.id, present.kid)).toBeNull();
    const { kid } = await sign(keys);
    expect(kid).not.toBe(present.kid);
    expect((await keys.listPublic(here, policyOf())).map((key) => key.kid)).toEqual([kid]);
    expect(await listStored()).toHaveLength(2);
  });
});

describeOn('sqlite', 'a key that signs without waiting', () => {
  const peek = (keys: SigningKeys, algorithm?: SigningPolicy['signingAlgorithm']) =>
    keys.peekSigner(here, policyOf(algorithm))?.kid ?? null;

  it('is at hand while nothing was committed since it was read, and nothing is due', async () => {
    await keep(present, other);
    const keys = open();
    expect(peek(keys)).toBeNull();
    const signer = await sign(keys);
    expect(keys.peekSigner(here, policyOf())).toBe(signer);
    expect(peek(keys, 'EdDSA')).toBeNull();
    expect(keys.peekSigner(elsewhere, policyOf())).toBeNull();
    harness.clock.set(other.activates_at + DAYS * DAY_MS - 1);
    expect(peek(keys)).toBe(other.kid);
    harness.clock.advance(1);
    expect(peek(keys)).toBeNull();
    harness.clock.set(start);
    await destroy(other);
    expect(peek(keys)).toBeNull();
    expect((await sign(keys)).kid).toBe(present.kid);
    expect(peek(keys)).toBe(present.kid);
  });

  it('is not one that has ended since it was read', async () => {
    await keep({ ...present, retires_at: start + 1 }, { ...other, retires_at: start + 2 });
    const keys = open();
    await sign(keys);
    harness.clock.advance(1);
    expect(peek(keys)).toBe(other.kid);
    harness.clock.advance(1);
    expect(peek(keys)).toBeNull();
  });

  it('is never at hand where commits are not counted', async () => {
    await keep(present);
    const keys = open({ storage: { ...harness.deps.storage, changeCounter: null } });
    await sign(keys);
    expect(peek(keys)).toBeNull();
  });
});

describe('changes of keys', () => {
  const caller = () => systemCaller(here, 'a test');

  it('are told by the id of the key that follows, and are those of who asked for them', async () => {
    await keep(present);
    const record = vi.spyOn(harness.deps.audit, 'record');
    const keys = open();
    const successor = (await keys.rotate(caller(), 'EdDSA')) ?? '';
    expect((await listStored())[1]).toMatchObject({ kid: successor, algorithm: 'EdDSA' });
    expect(await keys.rotate(caller(), 'EdDSA')).toBeNull();
    expect(await keys.retireAtOnce(caller(), present.kid, 'EdDSA')).toBe(successor);
    const fresh = await keys.retireAtOnce(caller(), successor, 'ES256');
    const stored = (await listStored()).find(({ kid }) => kid === fresh);
    expect(stored).toMatchObject({ algorithm: 'ES256', activates_at: start });
    expect((await sign(keys)).kid).toBe(fresh);
    expect(record.mock.calls.map(([, who, { action }]) => [who, action])).toEqual(
      ['created', 'retired', 'created', 'retired'].map((what) => [caller(), `signing_key.${what}`]),
    );
  });

  it('end with the private half an hour after a key verified last, and with its row after thirty days', async () => {
    const ended = async (at: number) => await makeRow(-40 * DAY_MS, { retires_at: start - at });
    const hourly = [await ended(HOUR_MS - 1), await ended(HOUR_MS)] as const;
    const monthly = [await ended(30 * DAY_MS - 1), await ended(30 * DAY_MS)] as const;
    await keep(...hourly, ...monthly, present);
    await open().sweep();
    const left = (await listStored()).map(({ kid, sealed_private_jwk }) => [kid, sealed_private_jwk]);
    expect(new Map(left as [string, string][])).toEqual(
      new Map([
        [hourly[0].kid, hourly[0].sealed_private_jwk],
        [hourly[1].kid, ''],
        [monthly[0].kid, ''],
        [present.kid, present.sealed_private_jwk],
      ]),
    );
  });
});
