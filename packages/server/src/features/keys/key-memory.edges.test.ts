import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AccountIdentity } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';
import type { EpochGuard, Keyring } from '../../storage/index.ts';
import type { ApiKey, Generation } from './api-key.ts';
import { createKeyCache, type KnownKey } from './key-cache.ts';
import {
  digestForeign,
  digestSecret,
  isRowIntact,
  isSecretOf,
  lacksPepperOf,
  listForeignDigests,
  rowMacOf,
} from './key-digest.ts';

type DataKey = ReturnType<Keyring['current']>;

function dataKey(id: string, purpose: DataKey['purpose']): DataKey {
  return { id, purpose, key: createSecretKey(randomBytes(32)) };
}

const [oldPepper, pepper, rowKey] = [
  dataKey('dk_old', 'pepper'),
  dataKey('dk_pepper', 'pepper'),
  dataKey('dk_row', 'row'),
];
const known = [pepper, oldPepper, rowKey];
const keyring = {
  current: (purpose: DataKey['purpose']) => (purpose === 'row' ? rowKey : pepper),
  find: (id: string) => known.find((one) => one.id === id) ?? null,
  list: (purpose: DataKey['purpose']) => known.filter((one) => one.purpose === purpose),
} as unknown as Keyring;

const PLACE = { workspaceId: 'wsp_1', keyId: 'kr_1', generation: 2 };
const SECRET = new Secret('the secret');
const current: Generation = { number: 2, ...digestSecret(keyring, PLACE, SECRET), expiresAt: 10 };
const key: ApiKey = {
  id: 'kr_1',
  workspaceId: 'wsp_1',
  accountId: 'acc_1',
  ownerId: 'acc_2',
  comment: 'CI',
  access: 'scoped',
  scopes: [{ actions: ['a:b'], resources: ['*'] }],
  lifetimeDays: 90,
  createdAt: 1,
  createdBy: 'acc_1',
  renewedAt: null,
  updatedAt: 1,
  isEnabled: true,
  disabledReason: null,
  disabledAt: null,
  current,
  old: null,
  ipRanges: ['10.0.0.0/8'],
  limits: null,
  foreignDigest: null,
  epoch: 1,
  version: 1,
};

describe('the stored form of a secret', () => {
  it('is known again at its own place only', () => {
    expect(isSecretOf(keyring, key, current, SECRET)).toBe(true);
    expect(isSecretOf(keyring, key, current, new Secret('another one'))).toBe(false);
    expect(isSecretOf(keyring, { ...key, workspaceId: 'wsp_2' }, current, SECRET)).toBe(false);
    expect(isSecretOf(keyring, { ...key, id: 'kr_2' }, current, SECRET)).toBe(false);
    expect(isSecretOf(keyring, key, { ...current, number: 3 }, SECRET)).toBe(false);
    expect(isSecretOf(keyring, key, { ...current, pepperId: 'dk_old' }, SECRET)).toBe(false);
  });

  it('is nothing under a pepper that is not known, and nothing once it is empty', () => {
    expect(isSecretOf(keyring, key, { ...current, pepperId: 'dk_gone' }, SECRET)).toBe(false);
    expect(isSecretOf(keyring, key, { ...current, digest: '' }, SECRET)).toBe(false);
  });

  it('lacks its pepper where one of two live secrets has one that is not known', () => {
    const gone: Generation = { ...current, pepperId: 'dk_gone' };
    expect(lacksPepperOf(keyring, key)).toBe(false);
    expect(lacksPepperOf(keyring, { ...key, old: current })).toBe(false);
    expect(lacksPepperOf(keyring, { ...key, current: gone })).toBe(true);
    expect(lacksPepperOf(keyring, { ...key, old: gone })).toBe(true);
    expect(lacksPepperOf(keyring, { ...key, current: { ...gone, digest: '' } })).toBe(false);
  });

  it('of a foreign credential is bound to its workspace, and found under each pepper, the newest first', () => {
    const stored = digestForeign(keyring, 'wsp_1', 'ABCDEF');
    const digests = listForeignDigests(keyring, 'wsp_1', 'abcdef');
    expect(stored).toEqual({ digest: digests[0], pepperId: 'dk_pepper' });
    expect(new Set(digests).size).toBe(2);
    expect(listForeignDigests(keyring, 'wsp_1', 'ABCDEF')).toEqual(digests);
    expect(listForeignDigests(keyring, 'wsp_2', 'abcdef')).not.toContain(digests[0]);
    expect(digestSecret(keyring, PLACE, SECRET).pepperId).toBe('dk_pepper');
    const asSecret = digestSecret(
      keyring,
      { workspaceId: 'wsp_1', keyId: 'abcdef', generation: 1 },
      new Secret(''),
    );
    expect(asSecret.digest).not.toBe(stored.digest);
  });
});

describe('the row of a key', () => {
  const limits = { rate: { requests: 1, windowSeconds: 60 }, quota: null };
  const old: Generation = { number: 1, digest: 'old', pepperId: 'dk_old', expiresAt: 5 };
  const full: ApiKey = { ...key, old, limits };
  const mac = rowMacOf(keyring, full);

  it('is intact as it was written, whatever was changed that decides nothing', () => {
    expect(mac).toMatch(/^dk_row:/);
    expect(isRowIntact(keyring, full, mac)).toBe(true);
    const told = { comment: 'x', updatedAt: 5, version: 9, disabledReason: 'x', createdBy: null };
    expect(isRowIntact(keyring, { ...full, ...told }, mac)).toBe(true);
    expect(isRowIntact(keyring, key, rowMacOf(keyring, key))).toBe(true);
  });

  it.each<[string, Partial<ApiKey>]>([
    ['id', { id: 'kr_2' }],
    ['workspace', { workspaceId: 'wsp_2' }],
    ['account', { accountId: 'acc_3' }],
    ['owner', { ownerId: 'acc_1' }],
    ['access', { access: 'full' }],
    ['scopes', { scopes: [{ actions: ['*'], resources: ['*'] }] }],
    ['lifetime', { lifetimeDays: 91 }],
    ['state', { isEnabled: false }],
    ['allow list', { ipRanges: [] }],
    ['foreign digest', { foreignDigest: 'x' }],
    ['epoch', { epoch: 2 }],
    ['generation', { current: { ...current, number: 3 } }],
    ['digest', { current: { ...current, digest: 'x' } }],
    ['pepper', { current: { ...current, pepperId: 'dk_old' } }],
    ['expiry', { current: { ...current, expiresAt: null } }],
    ['old generation', { old: { ...old, number: 0 } }],
    ['old digest', { old: { ...old, digest: 'x' } }],
    ['old pepper', { old: { ...old, pepperId: 'dk_pepper' } }],
    ['old expiry', { old: { ...old, expiresAt: 6 } }],
    ['old secret', { old: null }],
    ['limits', { limits: { ...limits, rate: { requests: 2, windowSeconds: 60 } } }],
    ['all limits', { limits: null }],
  ])('is not intact with another %s', (_name, change) => {
    expect(isRowIntact(keyring, { ...full, ...change }, mac)).toBe(false);
  });

  it('is not intact under a key that is unknown or for something else', () => {
    const [, text = ''] = mac.split(':');
    expect(isRowIntact(keyring, full, `dk_gone:${text}`)).toBe(false);
    expect(isRowIntact(keyring, full, `dk_pepper:${text}`)).toBe(false);
    expect(isRowIntact(keyring, full, '')).toBe(false);
    expect(isRowIntact(keyring, full, 'dk_row')).toBe(false);
    const forged = rowMacOf({ ...keyring, current: () => pepper }, full);
    expect(isRowIntact(keyring, full, forged)).toBe(false);
  });
});

describe('keys that are kept in memory', () => {
  const account = { id: 'acc_1', workspaceId: 'wsp_1' } as AccountIdentity;
  const entry = (): KnownKey => ({ key, account, provenCurrent: null, provenOld: null });
  let [epoch, reads]: [number | null, number] = [1, 0];
  const guard = {
    peek: () => epoch,
    read: () => {
      reads += 1;
      return Promise.resolve(7);
    },
  } as unknown as EpochGuard;
  const loaderOf = (value: KnownKey | null) => {
    const loads = { count: 0 };
    return {
      loads,
      load: () => {
        loads.count += 1;
        return Promise.resolve(value);
      },
    };
  };

  it('are looked up once for each state of their workspace', async () => {
    epoch = 1;
    const cache = createKeyCache(guard);
    const { loads, load } = loaderOf(entry());
    const first = await cache.find('wsp_1', 'kr_1', load);
    expect(await cache.find('wsp_1', 'kr_1', load)).toBe(first);
    expect([loads.count, reads]).toEqual([1, 0]);
    epoch = 2;
    await cache.find('wsp_1', 'kr_1', load);
    expect(loads.count).toBe(2);
    epoch = null;
    await cache.find('wsp_1', 'kr_1', load);
    expect([loads.count, reads]).toEqual([3, 1]);
  });

  it('are of no use to another workspace', async () => {
    epoch = 1;
    const cache = createKeyCache(guard);
    await cache.find('wsp_1', 'kr_1', loaderOf(entry()).load);
    expect(await cache.find('wsp_2', 'kr_1', loaderOf(null).load)).toBeNull();
    expect(cache.findNow('wsp_2', 1, 'kr_1', null)).toBeNull();
    expect(cache.findNow('wsp_1', 2, 'kr_1', null)).toBeNull();
    expect(cache.findNow('wsp_1', 1, 'kr_1', null)).not.toBeNull();
  });

  it('are not remembered as missing', async () => {
    epoch = 1;
    const cache = createKeyCache(guard);
    const { loads, load } = loaderOf(null);
    await cache.find('wsp_1', 'kr_1', load);
    await cache.find('wsp_1', 'kr_1', load);
    expect(loads.count).toBe(2);
    expect(cache.findNow('wsp_1', 1, 'kr_1', () => null)).toBeNull();
    expect(cache.findNow('wsp_1', 1, 'kr_1', null)).toBeNull();
  });

  it('are kept by who looked without waiting, too', () => {
    const cache = createKeyCache(guard);
    const found = cache.findNow('wsp_1', 1, 'kr_1', entry);
    expect(cache.findNow('wsp_1', 1, 'kr_1', null)).toBe(found);
    expect(cache.findNow('wsp_1', 1, 'kr_1', () => null)).toBe(found);
  });

  it('share their accounts, for each state of their workspace', () => {
    const cache = createKeyCache(guard);
    const rememberedBy = (workspaceId: string, at: number, name: string, value: AccountIdentity | null) => {
      let isLoaded = false;
      let found: AccountIdentity | null = null;
      cache.findNow(workspaceId, at, name, (remembered) => {
        found = remembered('acc_1', () => {
          isLoaded = true;
          return value;
        });
        return null;
      });
      return [found, isLoaded];
    };
    expect(rememberedBy('wsp_1', 1, 'kr_a', null)).toEqual([null, true]);
    expect(rememberedBy('wsp_1', 1, 'kr_a', account)).toEqual([account, true]);
    expect(rememberedBy('wsp_1', 1, 'kr_b', null)).toEqual([account, false]);
    expect(rememberedBy('wsp_1', 2, 'kr_c', null)).toEqual([null, true]);
    expect(rememberedBy('wsp_2', 1, 'kr_d', null)).toEqual([null, true]);
  });

  it('are forgotten when 12,500 others were asked about twice over since', () => {
    const cache = createKeyCache(guard);
    const ask = (from: number, count: number) => {
      for (let index = from; index < from + count; index += 1)
        cache.findNow('wsp_1', 1, `kr_${index}`, () => ({ ...entry(), key: { ...key, id: `kr_${index}` } }));
    };
    const isKept = (name: string) => cache.findNow('wsp_1', 1, name, null) !== null;
    ask(0, 12_500);
    expect(isKept('kr_0')).toBe(true);
    ask(12_500, 12_500);
    // Asked about once more: it is among the younger again.
    expect(isKept('kr_0')).toBe(true);
    ask(25_000, 12_500);
    expect([isKept('kr_0'), isKept('kr_1'), isKept('kr_30000')]).toEqual([true, false, true]);
  });
});
