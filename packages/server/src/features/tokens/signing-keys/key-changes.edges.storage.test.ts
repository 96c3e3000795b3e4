import { type Harness, startHarness } from '@keyreeve/testkit';
import { calculateJwkThumbprint } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, systemCaller } from '../../../http/index.ts';
import { DAY_MS, MINUTE_MS, toIso } from '../../../lib/clock.ts';
import type { SigningKeysTable } from '../../../storage/index.ts';
import {
  createFirstKey,
  findSigningRow,
  isRetired,
  publishSuccessor,
  retireKeyAtOnce,
} from './key-changes.ts';
import { insertSigningKey } from './signing-keys.repo.ts';

const DELAY_MS = 20 * MINUTE_MS;

let harness: Harness;
let caller: Caller;
let now: number;
beforeAll(async () => {
  harness = await startHarness();
  caller = systemCaller(harness.deps.defaultWorkspace, 'a test');
  now = harness.clock.now();
});
afterAll(() => harness.close());

let lastSeq = 0;
beforeEach(async () => {
  await harness.deps.storage.write.deleteFrom('signing_keys').execute();
  const rows = await harness.deps.storage.read.selectFrom('audit').select('seq').execute();
  lastSeq = Math.max(0, ...rows.map(({ seq }) => seq));
});

function rowOf(kid: string, begins: number, more: Partial<SigningKeysTable> = {}): SigningKeysTable {
  return {
    kid,
    workspace_id: harness.deps.defaultWorkspace.id,
    algorithm: 'ES256',
    public_jwk: '{}',
    sealed_private_jwk: `sealed ${kid}`,
    created_at: 7,
    activates_at: now + begins,
    retires_at: null,
    ...more,
  };
}
const old = () => rowOf('old', -3, { retires_at: now + 5 });
const present = () => rowOf('present', -2);
const waiting = () => rowOf('waiting', 2);
const later = () => rowOf('later', 9);

async function keep(...rows: SigningKeysTable[]): Promise<void> {
  await harness.deps.storage.write.deleteFrom('signing_keys').execute();
  for (const row of rows) await insertSigningKey(harness.deps.storage.write, row);
}
const everything = () =>
  harness.deps.storage.read
    .selectFrom('signing_keys')
    .selectAll()
    .orderBy('activates_at')
    .orderBy('kid')
    .execute();
const find = async (kid: string) => (await everything()).find((row) => row.kid === kid);

/** When each key begins and ends, from now on. */
async function times() {
  const fromNow = (at: number | null) => (at === null ? null : at - now);
  return Object.fromEntries(
    (await everything()).map((row) => [row.kid, [fromNow(row.activates_at), fromNow(row.retires_at)]]),
  );
}

/** What was written down since the test began. */
async function listEvents() {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .selectAll()
    .where('seq', '>', lastSeq)
    .orderBy('seq')
    .execute();
  for (const row of rows)
    expect(row).toMatchObject({
      workspace_id: caller.workspace.id,
      actor_kind: 'system',
      actor_name: 'a test',
      target_kind: 'signing_key',
    });
  return rows.map(({ action, target_id, detail }) => [action, target_id, JSON.parse(detail) as unknown]);
}
const created = (kid: string | null | undefined, begins: number, algorithm = 'ES256') => [
  'signing_key.created',
  kid,
  { algorithm, activatesAt: toIso(now + begins) },
];
const retired = (kid: string, successor: string, algorithm = 'ES256') => [
  'signing_key.retired',
  kid,
  { algorithm, successor },
];
const epoch = () => harness.deps.storage.epochGuard.read(caller.workspace.id);

describe('the key that signs', () => {
  it('is the last that has begun, or the first while none has', () => {
    const rows = [old(), present(), waiting()];
    expect(findSigningRow(rows, now)).toBe(rows[1]);
    expect(findSigningRow(rows, now + 1)).toBe(rows[1]);
    expect(findSigningRow(rows, now + 2)).toBe(rows[2]);
    expect(findSigningRow(rows, now - 4)).toBe(rows[0]);
    expect(findSigningRow([], now)).toBeUndefined();
  });

  it('is retired from the instant of its end on, or without its private half', () => {
    expect(isRetired(present(), now)).toBe(false);
    expect(isRetired({ ...present(), sealed_private_jwk: '' }, now)).toBe(true);
    expect(isRetired({ ...present(), retires_at: now + 1 }, now)).toBe(false);
    expect(isRetired({ ...present(), retires_at: now }, now)).toBe(true);
    expect(isRetired({ ...present(), retires_at: now - 1 }, now)).toBe(true);
  });
});

describe('the first key', () => {
  it('is stored sealed, signs at once, and is written down', async () => {
    const others = [rowOf('foreign', -9, { workspace_id: 'wsp_2' }), rowOf('gone', -9, { retires_at: now })];
    await keep(...others);
    await createFirstKey(harness.deps, caller, 'EdDSA');
    const rows = await everything();
    expect(rows.slice(0, 2)).toEqual(others);
    expect(rows).toHaveLength(3);
    const row = rows[2] ?? rowOf('none', 0);
    expect(row).toMatchObject({
      workspace_id: caller.workspace.id,
      algorithm: 'EdDSA',
      created_at: now,
      activates_at: now,
      retires_at: null,
    });
    const open = JSON.parse(row.public_jwk) as Record<string, string>;
    expect(open).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.any(String),
      alg: 'EdDSA',
      use: 'sig',
      kid: row.kid,
    });
    const { keyring } = harness.deps;
    const own = JSON.parse(keyring.open(row.sealed_private_jwk, `signing_keys/${row.kid}/private`)) as Record<
      string,
      string
    >;
    expect(own).toEqual({ kty: 'OKP', crv: 'Ed25519', x: open['x'], d: expect.any(String) });
    expect(await calculateJwkThumbprint({ kty: 'OKP', ...own })).toBe(row.kid);
    expect(row.sealed_private_jwk).not.toContain(own['d']);
    expect(await listEvents()).toEqual([created(row.kid, 0, 'EdDSA')]);
  });

  it('is not made when another process has made one meanwhile', async () => {
    await keep(present());
    await createFirstKey(harness.deps, caller, 'ES256');
    expect(await everything()).toEqual([present()]);
    expect(await listEvents()).toEqual([]);
  });
});

describe('a successor', () => {
  it('signs after twenty minutes, and the present key verifies for a day longer', async () => {
    for (const [begins, rows] of [
      [-2, [old(), present()]],
      [0, [old(), rowOf('present', 0)]],
      [0, [rowOf('present', 0)]],
    ] as const) {
      await keep(...rows);
      const kid = (await publishSuccessor(harness.deps, caller, 'ES256')) ?? '';
      expect(await times()).toEqual({
        ...(rows.length === 1 ? {} : { old: [-3, 5] }),
        present: [begins, DELAY_MS + DAY_MS],
        [kid]: [DELAY_MS, null],
      });
      expect(await find(kid)).toMatchObject({ algorithm: 'ES256', created_at: now });
      expect((await listEvents()).at(-1)).toEqual(created(kid, DELAY_MS));
    }
    expect(await listEvents()).toHaveLength(3);
  });

  it('signs at once where there is no key', async () => {
    const kid = (await publishSuccessor(harness.deps, caller, 'ES256')) ?? '';
    expect(await times()).toEqual({ [kid]: [0, null] });
  });

  it('is not published while one of its algorithm waits', async () => {
    for (const rows of [[old(), present(), waiting()], [waiting()], [present(), rowOf('other', 1)]]) {
      await keep(...rows);
      expect(await publishSuccessor(harness.deps, caller, 'ES256')).toBeNull();
      expect(await everything()).toEqual(rows);
    }
    expect(await listEvents()).toEqual([]);
  });

  it('is published behind one of another algorithm, and each key ends after the next has begun', async () => {
    await keep(old(), present(), waiting());
    const kid = (await publishSuccessor(harness.deps, caller, 'EdDSA')) ?? '';
    expect(await times()).toEqual({
      old: [-3, 5],
      present: [-2, 2 + DAY_MS],
      waiting: [2, DELAY_MS + DAY_MS],
      [kid]: [DELAY_MS, null],
    });
  });
});

describe('a key that is retired at once', () => {
  const retire = (kid: string, algorithm: 'ES256' | 'EdDSA' = 'ES256') =>
    retireKeyAtOnce(harness.deps, caller, kid, algorithm);

  it('must be there, in this workspace, and not retired yet', async () => {
    const rows = [
      rowOf('ended', -9, { retires_at: now }),
      rowOf('foreign', -8, { workspace_id: 'wsp_2' }),
      rowOf('hollow', -7, { sealed_private_jwk: '' }),
      present(),
    ];
    await keep(...rows);
    const before = await epoch();
    for (const [kid, code] of [
      ['none', 'request.not_found'],
      ['foreign', 'request.not_found'],
      ['ended', 'signing_key.already_retired'],
      ['hollow', 'signing_key.already_retired'],
    ] as const) {
      await expect(retire(kid)).rejects.toMatchObject({ code });
    }
    expect(await everything()).toEqual(rows);
    expect(await listEvents()).toEqual([]);
    expect(await epoch()).toBe(before);
  });

  it('hands over to the next that waits, and those behind keep their turn', async () => {
    await keep(old(), present(), waiting(), later());
    const before = await epoch();
    expect(await retire('present')).toBe('waiting');
    expect(await times()).toEqual({
      old: [-3, 5],
      present: [-2, 0],
      waiting: [0, 9 + DAY_MS],
      later: [9, null],
    });
    expect((await find('present'))?.sealed_private_jwk).toBe('');
    expect((await find('waiting'))?.sealed_private_jwk).toBe('sealed waiting');
    expect(await epoch()).not.toBe(before);
    expect(await listEvents()).toEqual([retired('present', 'waiting')]);
  });

  it('has a fresh successor that signs at once where none waits', async () => {
    // One that begins this very moment waits no more.
    for (const other of [old(), rowOf('a', 0)]) {
      await keep(other, rowOf('b', 0, { algorithm: 'RS256' }));
      const kid = await retire('b', 'EdDSA');
      expect(await times()).toEqual({
        [other.kid]: [other.activates_at - now, other.retires_at === null ? null : 5],
        b: [0, 0],
        [kid]: [0, null],
      });
      expect((await find(kid))?.algorithm).toBe('EdDSA');
      expect((await listEvents()).slice(-2)).toEqual([created(kid, 0, 'EdDSA'), retired('b', kid, 'RS256')]);
    }
    expect(await listEvents()).toHaveLength(4);
  });

  it('that only verifies leaves the present key signing', async () => {
    await keep(old(), present(), waiting());
    expect(await retire('old')).toBe('present');
    expect(await times()).toEqual({
      old: [-3, 0],
      present: [-2, 2 + DAY_MS],
      waiting: [2, null],
    });
    expect(await listEvents()).toEqual([retired('old', 'present')]);
  });

  it('that waits leaves the present key signing, which then has no end', async () => {
    await keep({ ...present(), retires_at: now + 2 + DAY_MS }, waiting());
    expect(await retire('waiting')).toBe('present');
    expect(await times()).toEqual({ present: [-2, null], waiting: [2, 0] });
    expect(await listEvents()).toEqual([retired('waiting', 'present')]);
  });
});
