import { createSecretKey } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { Caller, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../http/samples.ts';
import { DAY_MS, HOUR_MS, toIso } from '../../lib/clock.ts';
import type { Keyring } from '../../storage/index.ts';
import type { Account } from '../accounts/index.ts';
import type { Settings } from '../settings/index.ts';
import type { ApiKey } from './api-key.ts';
import { digestSecret } from './key-digest.ts';
import { checksumOf } from './key-format.ts';
import { KeyIssuer, type KeysDeps, type RegenerateKeyInput } from './key-issue.ts';
import type { KeyStore } from './key-store.ts';

const NOW = Date.UTC(2027, 2, 1, 9);
const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const LIMITS = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const ada = {
  ...SAMPLE_ACCOUNT,
  grants: [{ actions: ['package:*'], resources: ['*'] }],
} as unknown as Account;
const root = {
  ...SAMPLE_ACCOUNT,
  id: 'acc_root',
  role: 'admin',
  grants: [{ actions: ['package:*', 'iam:*'], resources: ['*'] }],
} as const;
const TARGET = { address: 'ops@example.com', accountId: null };
const SETTINGS = { customLifetimes: false, lifetimeChoicesDays: [30, 90] } as unknown as Settings;
const pepper = { id: 'dk_pepper', purpose: 'pepper', key: createSecretKey(Buffer.alloc(32, 'p')) };
const keyring = {
  current: (purpose: string) => (purpose === 'pepper' ? pepper : null),
} as unknown as Keyring;

const callerOf = (principal: Caller['principal']): Caller => ({
  workspace: SAMPLE_WORKSPACE,
  principal,
  ip: null,
  userAgent: null,
  requestId: null,
});
const caller = callerOf({ kind: 'session', account: root, sessionId: 'ses_1', managedIds: [] });
const keyCaller = (more: Partial<KeyIdentity>) =>
  callerOf({ kind: 'key', account: root, key: { ...SAMPLE_KEY, id: 'kr_other', ...more } });

const EXPIRY = NOW + 5 * HOUR_MS;
const CURRENT = { number: 4, digest: 'digest of 4', pepperId: 'dk_old', expiresAt: EXPIRY };
const BEFORE: ApiKey = {
  id: SAMPLE_KEY.id,
  workspaceId: SAMPLE_WORKSPACE.id,
  accountId: ada.id,
  ownerId: 'acc_bot',
  comment: 'CI',
  access: 'scoped',
  scopes: [PUSH],
  lifetimeDays: 30,
  createdAt: 1,
  createdBy: root.id,
  renewedAt: 2,
  updatedAt: 3,
  isEnabled: true,
  disabledReason: null,
  disabledAt: null,
  current: CURRENT,
  old: { number: 3, digest: 'digest of 3', pepperId: 'dk_old', expiresAt: NOW + 1 },
  ipRanges: ['10.0.0.0/8'],
  limits: LIMITS,
  foreignDigest: null,
  epoch: 6,
  version: 7,
};

interface Wish {
  readonly before?: Partial<ApiKey>;
  readonly settings?: Partial<Settings>;
  /** The step that refuses. */
  readonly refuses?: string;
}

function start({ before = {}, settings = {}, refuses }: Wish = {}) {
  /** What was asked of others and written, in its order. */
  const steps: string[] = [];
  const answer = <Value>(name: string, value: Value): Promise<Value> => {
    steps.push(name);
    return name === refuses ? Promise.reject(new Error(`${name} refuses`)) : Promise.resolve(value);
  };
  const fake = <Value>(name: string, value: Value) => vi.fn((..._input: unknown[]) => answer(name, value));
  const deleteFrom = (...begun: unknown[]): object => ({
    where: (...condition: unknown[]) => deleteFrom(...begun, condition),
    execute: () => fakes.drop(...begun),
  });
  const tx = { deleteFrom };
  const known: ApiKey = { ...BEFORE, ...before };
  const valid: Settings = { ...SETTINGS, ...settings };
  const fakes = {
    findReachableKey: fake('key', known),
    requireAccount: fake('account', ada),
    get: fake('settings', valid),
    requireRoom: fake('room', undefined),
    findTarget: fake('target', TARGET),
    drop: fake('drop links', []),
    save: vi.fn((_tx: unknown, _caller: Caller, key: ApiKey, _story: object, _detail: object) =>
      answer('save', { ...key, version: key.version + 1 }),
    ),
    send: fake('send', undefined),
  };
  const deps = {
    storage: {
      engine: 'sqlite',
      write: { transaction: () => ({ execute: (work: (tx: object) => unknown) => work(tx) }) },
    },
    clock: { now: () => NOW },
    random: { bytes: (count: number) => new Uint8Array(count).fill(1) },
    keyring,
    settings: fakes,
    delivery: fakes,
  } as unknown as KeysDeps;
  const issuer = new KeyIssuer(deps, fakes as unknown as KeyStore);
  const regenerate = (input: RegenerateKeyInput = {}, by = caller) => issuer.regenerate(by, BEFORE.id, input);
  return { ...fakes, tx, steps, before: known, settings: valid, regenerate };
}

async function refusalOf(work: Promise<unknown>): Promise<AppError> {
  return await work.then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
}

const SECRET = `${'1'.repeat(43)}${checksumOf(BEFORE.id, '1'.repeat(43))}`;

describe('a regenerated key', () => {
  const READ = ['key', 'account', 'settings'];
  const disabled = { isEnabled: false, disabledReason: 'lost', disabledAt: NOW - 1 };
  const expired = { current: { ...CURRENT, expiresAt: NOW } };

  it('is the same key with another secret, for its lifetime from now on', async () => {
    const at = start();
    const { key, secretKey, fullKey } = await at.regenerate();
    expect([secretKey, fullKey].map((secret) => secret.reveal())).toEqual([SECRET, `${BEFORE.id}_${SECRET}`]);
    const place = { workspaceId: 'wsp_1', keyId: BEFORE.id, generation: 5 };
    const expiresAt = NOW + 30 * DAY_MS;
    const after = {
      ...BEFORE,
      renewedAt: NOW,
      current: { number: 5, ...digestSecret(keyring, place, secretKey), expiresAt },
      old: null,
    };
    const story = { action: 'key.regenerated', oldWorksUntil: null, mailedTo: null };
    const detail = {
      generation: 5,
      overlapHours: 0,
      lifetimeDays: 30,
      expiresAt: { from: toIso(EXPIRY), to: toIso(expiresAt) },
      mailed: false,
    };
    expect(at.save.mock.calls).toStrictEqual([[at.tx, caller, after, story, detail]]);
    // As it was saved, not as it was before that.
    expect(key).toStrictEqual({ ...after, version: 8 });
    expect(at.findReachableKey.mock.calls).toEqual([[at.tx, caller, BEFORE.id, 'write']]);
    expect(at.requireAccount.mock.calls).toEqual([[at.tx, BEFORE]]);
    expect(at.get.mock.calls).toEqual([['wsp_1', at.tx]]);
    const ofKey = [
      ['workspace_id', '=', 'wsp_1'],
      ['key_id', '=', BEFORE.id],
    ];
    expect(at.drop.mock.calls).toEqual([['one_time_links', ...ofKey]]);
    expect(at.steps).toEqual([...READ, 'drop links', 'save']);
  });

  it('lives no longer than the workspace allows by now', async () => {
    for (const [lifetimeDays, days] of [
      [1, 1],
      [90, 90],
      [365, 90],
    ] as const) {
      const at = start({ before: { lifetimeDays } });
      const { key } = await at.regenerate();
      expect(key.current.expiresAt).toBe(NOW + days * DAY_MS);
      expect(key.lifetimeDays).toBe(lifetimeDays);
      expect(at.save.mock.calls[0]?.[4]).toMatchObject({ lifetimeDays: days });
    }
  });

  it('keeps the secret that it had for the overlap, at most as long as that would have lived', async () => {
    for (const [overlapHours, expiresAt, end] of [
      [1, EXPIRY, NOW + HOUR_MS],
      [5, EXPIRY, EXPIRY],
      [6, EXPIRY, EXPIRY],
      [168, null, NOW + 168 * HOUR_MS],
    ] as const) {
      const current = { ...CURRENT, expiresAt };
      const at = start({ before: { current } });
      const { key } = await at.regenerate({ overlapHours });
      expect(key.old).toStrictEqual({ ...current, expiresAt: end });
      const [, , , story, detail] = at.save.mock.calls[0] ?? [];
      expect(story).toStrictEqual({ action: 'key.regenerated', oldWorksUntil: end, mailedTo: null });
      const from = expiresAt === null ? null : toIso(expiresAt);
      expect(detail).toMatchObject({ overlapHours, expiresAt: { from } });
    }
    expect((await start().regenerate({ overlapHours: 0 })).key.old).toBeNull();
  });

  it('is one that had a secret of ours and a lifetime', async () => {
    for (const before of [{ lifetimeDays: null }, { foreignDigest: 'digest' }]) {
      const at = start({ before });
      expect((await refusalOf(at.regenerate())).code).toBe('key.not_regenerable');
      expect(at.steps).toEqual(['key']);
    }
  });

  it('that does not work has no secret worth keeping, and gets a new one only', async () => {
    for (const before of [disabled, expired, { ...disabled, ...expired }]) {
      const at = start({ before });
      expect((await refusalOf(at.regenerate({ overlapHours: 1 }))).code).toBe('key.overlap_not_allowed');
      expect(at.steps).toEqual(READ);
      const { key } = await start({ before }).regenerate({ overlapHours: 0 });
      expect(key).toMatchObject({ old: null, isEnabled: at.before.isEnabled, current: { number: 5 } });
    }
  });

  it('needs room where it had expired, and so was not counted', async () => {
    for (const [before, more] of [
      [{}, []],
      [disabled, []],
      [{ current: { ...CURRENT, expiresAt: NOW + 1 } }, []],
      [{ ...disabled, current: { ...CURRENT, expiresAt: null } }, []],
      [expired, ['room']],
      [{ ...disabled, ...expired }, ['room']],
    ] as const) {
      const at = start({ before });
      await at.regenerate();
      expect(at.steps).toEqual([...READ, ...more, 'drop links', 'save']);
      expect(at.requireRoom.mock.calls).toEqual(more.map(() => [at.tx, ada, at.settings]));
    }
    const full = start({ before: expired, refuses: 'room' });
    expect((await refusalOf(full.regenerate({ sendMail: true }))).message).toBe('room refuses');
    expect(full.steps).toEqual([...READ, 'room']);
  });

  it('has scopes within what its account is granted by now; one without any has the rights of its account', async () => {
    const stock = { actions: ['stock:read'], resources: ['*'] };
    const at = start({ before: { scopes: [PUSH, stock] } });
    const refusal = await refusalOf(at.regenerate());
    expect(refusal.code).toBe('key.scope_exceeds_account');
    expect(refusal.detail).toContain('stock:read');
    expect(at.steps).toEqual(READ);
    const empty = start({ before: { scopes: [] } });
    expect((await refusalOf(empty.regenerate())).code).toBe('key.scope_required');
    // Nothing looks at the scopes of a key that is not scoped.
    for (const scopes of [[], [stock]]) {
      const whole = await start({ before: { access: 'account', scopes } }).regenerate();
      expect(whole.key).toMatchObject({ access: 'account', scopes, current: { number: 5 } });
    }
  });

  it('hands a key that regenerates it no right which that one lacks', async () => {
    for (const [before, told] of [
      [{}, 'package:push'],
      [{ access: 'account', scopes: [] }, 'package:'],
    ] as const) {
      const at = start({ before });
      const refusal = await refusalOf(at.regenerate({}, keyCaller({ scopes: [MANAGE] })));
      expect(refusal.code).toBe('key.scope_exceeds_caller');
      expect(refusal.detail).toContain(told);
      expect(at.steps).toEqual(READ);
    }
    const holder = keyCaller({ scopes: [MANAGE, PUSH] });
    expect((await start().regenerate({}, holder)).key.current.number).toBe(5);
  });

  it('gives its secret to no other key that has limits, but to itself', async () => {
    const at = start();
    const other = keyCaller({ scopes: [MANAGE, PUSH], limits: LIMITS });
    expect((await refusalOf(at.regenerate({}, other))).code).toBe('key.limits_exceed_caller');
    expect(at.steps).toEqual(['key']);
    const itself = keyCaller({ id: BEFORE.id, scopes: [MANAGE, PUSH], limits: LIMITS });
    expect((await start().regenerate({}, itself)).key.current.number).toBe(5);
  });

  it('is mailed when that is asked for, or an address is named, after the links to its former secret are gone', async () => {
    for (const [input, oldWorksUntil] of [
      [{ sendMail: true }, null],
      [{ mailTo: TARGET.address }, null],
      [{ sendMail: false, mailTo: TARGET.address, overlapHours: 2 }, NOW + 2 * HOUR_MS],
      [{ sendMail: true, mailTo: TARGET.address, overlapHours: 0 }, null],
    ] as const) {
      const at = start();
      const { key, secretKey } = await at.regenerate(input);
      const { settings, tx } = at;
      const change = { kind: 'regenerated', oldWorksUntil };
      const mail = { key, secretKey, account: ada, settings, target: TARGET, change };
      expect(at.findTarget.mock.calls).toEqual([
        [tx, ada, settings, 'mailTo' in input ? input.mailTo : undefined],
      ]);
      expect(at.send.mock.calls).toStrictEqual([[tx, caller, mail]]);
      const [, , , story, detail] = at.save.mock.calls[0] ?? [];
      expect(story).toStrictEqual({ action: 'key.regenerated', oldWorksUntil, mailedTo: TARGET.address });
      expect(detail).toMatchObject({ mailed: true });
      // A link to the new secret would go with the former ones.
      expect(at.steps).toEqual([...READ, 'target', 'drop links', 'save', 'send']);
    }
    const unasked = start();
    await unasked.regenerate({ sendMail: false });
    expect([unasked.findTarget, unasked.send].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it('keeps its secret where no mail can go where it should, or it is not the caller’s', async () => {
    for (const [refuses, steps] of [
      ['key', ['key']],
      ['account', ['key', 'account']],
      ['target', [...READ, 'target']],
    ] as const) {
      const at = start({ refuses });
      expect((await refusalOf(at.regenerate({ sendMail: true }))).message).toBe(`${refuses} refuses`);
      expect(at.steps).toEqual(steps);
    }
  });
});
