import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Caller, systemCaller, type Workspace } from '../../../http/index.ts';
import { DAY_MS, MINUTE_MS } from '../../../lib/clock.ts';
import { encodeCursor } from '../../../lib/page.ts';
import type { SigningKeysTable } from '../../../storage/index.ts';
import { insertSigningKey } from './signing-keys.repo.ts';
import { createSigningKeysService } from './signing-keys.service.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';

const DAYS = 30;
const MONTH_MS = DAYS * DAY_MS;
const DELAY_MS = 20 * MINUTE_MS;

let harness: Harness;
let caller: Caller;
let now: number;
let workspaces: Workspace[];
beforeAll(async () => {
  harness = await startHarness();
  caller = systemCaller(harness.deps.defaultWorkspace, 'a test');
  now = harness.clock.now();
  workspaces = [caller.workspace];
  for (const subdomain of ['b', 'c', 'd']) {
    const input = { name: subdomain, subdomain, aliases: [] };
    workspaces.push((await harness.deps.workspaces.create(caller, input)).workspace);
  }
  for (const workspace of workspaces)
    await harness.deps.settings.update(
      { ...caller, workspace },
      { signingAlgorithm: 'EdDSA', signingKeyDays: DAYS },
      null,
    );
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.deps.storage.write.deleteFrom('signing_keys').execute();
});

function rowOf(kid: string, begins: number, more: Partial<SigningKeysTable> = {}): SigningKeysTable {
  return {
    kid,
    workspace_id: caller.workspace.id,
    algorithm: 'ES256',
    public_jwk: '{}',
    sealed_private_jwk: `sealed ${kid}`,
    created_at: 7,
    activates_at: now + begins,
    retires_at: null,
    ...more,
  };
}
async function keep(...rows: SigningKeysTable[]): Promise<void> {
  for (const row of rows) await insertSigningKey(harness.deps.storage.write, row);
}

function open(more: (keys: SigningKeys) => Partial<SigningKeys> = () => ({})) {
  const { storage, clock, keyring, audit, settings, workspaces: all } = harness.deps;
  const keys = createSigningKeys({ storage, clock, keyring, audit });
  const signingKeys: SigningKeys = {
    findSigner: (...input) => keys.findSigner(...input),
    peekSigner: (...input) => keys.peekSigner(...input),
    findVerifier: (...input) => keys.findVerifier(...input),
    listPublic: (...input) => keys.listPublic(...input),
    rotate: (...input) => keys.rotate(...input),
    retireAtOnce: (...input) => keys.retireAtOnce(...input),
    sweep: () => keys.sweep(),
    ...more(keys),
  };
  const service = createSigningKeysService({ storage, clock, settings, signingKeys, workspaces: all });
  return { service, rotate: vi.spyOn(signingKeys, 'rotate'), retire: vi.spyOn(signingKeys, 'retireAtOnce') };
}

const viewOf = (row: SigningKeysTable, state: string, rotatesAt: number | null) => ({
  kid: row.kid,
  algorithm: row.algorithm,
  state,
  createdAt: 7,
  activatesAt: row.activates_at,
  rotatesAt,
  retiresAt: row.retires_at,
});

describe('administrators of signing keys', () => {
  it('see what each is there for, the newest first, page by page', async () => {
    const later = rowOf('later', 9);
    const present = rowOf('present', -2);
    const old = rowOf('old', -3, { retires_at: now + 5 });
    const hollow = rowOf('hollow', -4, { retires_at: now + 5, sealed_private_jwk: '' });
    const gone = rowOf('gone', -5, { retires_at: now, algorithm: 'RS256' });
    const foreign = rowOf('foreign', -1, { workspace_id: workspaces[1]?.id ?? '' });
    await keep(present, gone, old, later, hollow, foreign);
    const views = [
      viewOf(later, 'waiting', now + 9 + MONTH_MS),
      viewOf(present, 'signing', now - 2 + MONTH_MS),
      viewOf(old, 'verifying', null),
      viewOf(hollow, 'retired', null),
      viewOf(gone, 'retired', null),
    ];
    const { service } = open();
    expect(await service.list(caller, { limit: 5 })).toEqual({ items: views, nextCursor: null });
    const first = await service.list(caller, { limit: 2 });
    const cursor = encodeCursor([now - 2, 'present']);
    expect(first).toEqual({ items: views.slice(0, 2), nextCursor: cursor });
    const second = await service.list(caller, { limit: 3, cursor });
    expect(second).toEqual({ items: views.slice(2), nextCursor: null });
    for (const values of [['a name', 'present'], [3, 4], [3], [3, 'present', 'more']])
      await expect(service.list(caller, { limit: 2, cursor: encodeCursor(values) })).rejects.toMatchObject({
        code: 'request.invalid',
        fields: [{ field: 'cursor' }],
      });
  });

  it('see a key that begins this very moment sign, and the one before it verify', async () => {
    await keep(rowOf('a', 0, { retires_at: now + 1 }), rowOf('begins', 0));
    const { items } = await open().service.list(caller, { limit: 9 });
    expect(items.map(({ kid, state }) => [kid, state])).toEqual([
      ['begins', 'signing'],
      ['a', 'verifying'],
    ]);
  });

  it('see nothing where there is none, and also those that are retired where no other is left', async () => {
    const { service } = open();
    expect(await service.list(caller, { limit: 9 })).toEqual({ items: [], nextCursor: null });
    const gone = rowOf('gone', -5, { retires_at: now });
    await keep(gone);
    expect((await service.list(caller, { limit: 9 })).items).toEqual([viewOf(gone, 'retired', null)]);
  });

  it('publish a successor of the algorithm of the workspace, unless one waits', async () => {
    await keep(rowOf('present', -2));
    const { service, rotate } = open();
    const made = await service.rotate(caller);
    expect(made).toEqual({
      kid: expect.any(String),
      algorithm: 'EdDSA',
      state: 'waiting',
      createdAt: now,
      activatesAt: now + DELAY_MS,
      rotatesAt: now + DELAY_MS + MONTH_MS,
      retiresAt: null,
    });
    expect(rotate.mock.calls).toEqual([[caller, 'EdDSA']]);
    expect((await service.list(caller, { limit: 9 })).items.map(({ kid }) => kid)).toEqual([
      made.kid,
      'present',
    ]);
    await expect(service.rotate(caller)).rejects.toMatchObject({ code: 'signing_key.successor_waiting' });
  });

  it('are told when the successor is gone as soon as it was published', async () => {
    await keep(rowOf('present', -2));
    const { service } = open((keys) => ({
      rotate: async (...input) => {
        const kid = await keys.rotate(...input);
        await harness.deps.storage.write.deleteFrom('signing_keys').execute();
        return kid;
      },
    }));
    await expect(service.rotate(caller)).rejects.toThrow(/^The signing key .{43} was just there\.$/);
  });

  it('retire a key and see which one signs', async () => {
    const gone = rowOf('gone', -5, { retires_at: now + 1 });
    const present = rowOf('present', -2);
    await keep(gone, present);
    const { service, retire } = open();
    expect(await service.retire(caller, 'gone')).toEqual({
      retired: viewOf({ ...gone, retires_at: now }, 'retired', null),
      signing: viewOf(present, 'signing', now - 2 + MONTH_MS),
    });
    const { retired, signing } = await service.retire(caller, 'present');
    expect(retired).toEqual(viewOf({ ...present, retires_at: now }, 'retired', null));
    expect(signing).toMatchObject({ algorithm: 'EdDSA', state: 'signing', activatesAt: now });
    expect(retire.mock.calls).toEqual([
      [caller, 'gone', 'EdDSA'],
      [caller, 'present', 'EdDSA'],
    ]);
  });
});

describe('the job that rotates', () => {
  const due = -MONTH_MS;
  const never = () => new AbortController().signal;
  const idOf = (index: number) => workspaces[index]?.id ?? '';
  const keyOf = (index: number, begins: number) =>
    rowOf(`key ${index}`, begins, { workspace_id: idOf(index) });
  const by = (index: number) => [
    systemCaller(workspaces[index] ?? caller.workspace, 'signing keys'),
    'EdDSA',
  ];
  /** In what order the workspaces come is nobody's business. */
  const sorted = (calls: readonly unknown[]) => calls.map((call) => JSON.stringify(call)).toSorted();

  it('publishes successors of the keys that have signed for their days, and of no others', async () => {
    await keep(keyOf(0, due - 1), keyOf(1, due), keyOf(2, due + 1));
    await keep(keyOf(3, due - 1), { ...keyOf(3, due + 2), kid: 'successor' });
    const { service, rotate } = open();
    await service.rotateDue(never());
    expect(sorted(rotate.mock.calls)).toEqual(sorted([by(0), by(1)]));
    const rows = await harness.deps.storage.read.selectFrom('signing_keys').selectAll().execute();
    const made = rows.filter(({ activates_at }) => activates_at === now + DELAY_MS);
    expect(made.map(({ workspace_id }) => workspace_id).toSorted()).toEqual([idOf(0), idOf(1)].toSorted());
  });

  it('goes by the days that each workspace has set', async () => {
    await keep(keyOf(0, due), keyOf(1, due));
    const other = { ...caller, workspace: workspaces[1] ?? caller.workspace };
    const { settings } = harness.deps;
    await settings.update(other, { signingKeyDays: DAYS + 1 }, null);
    const { service, rotate } = open();
    await service.rotateDue(never());
    expect(rotate.mock.calls).toEqual([by(0)]);
    await settings.update(other, { signingKeyDays: DAYS }, null);
  });

  it('leaves keys of a workspace that is not there alone', async () => {
    // It has no settings of its own, by which a key would sign for fewer days.
    const lost = rowOf('lost', -100 * DAY_MS, { workspace_id: 'wsp_lost' });
    await keep(lost, keyOf(1, due));
    const { service, rotate } = open();
    await service.rotateDue(never());
    expect(rotate.mock.calls).toEqual([by(1)]);
  });

  it('stops when it is told to, before the next workspace', async () => {
    await keep(keyOf(0, due), keyOf(1, due), keyOf(2, due));
    const stop = new AbortController();
    const { service, rotate } = open((keys) => ({
      rotate: (...input) => {
        stop.abort();
        return keys.rotate(...input);
      },
    }));
    await service.rotateDue(stop.signal);
    expect(rotate).toHaveBeenCalledTimes(1);
    await service.rotateDue(stop.signal);
    expect(rotate).toHaveBeenCalledTimes(1);
  });
});
