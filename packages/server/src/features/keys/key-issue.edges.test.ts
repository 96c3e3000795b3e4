import { createSecretKey } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { Caller, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from '../../http/samples.ts';
import { DAY_MS } from '../../lib/clock.ts';
import type { Keyring } from '../../storage/index.ts';
import type { Account } from '../accounts/index.ts';
import type { Settings } from '../settings/index.ts';
import { digestSecret, isRowIntact } from './key-digest.ts';
import { checksumOf } from './key-format.ts';
import { type CreateKeyInput, KeyIssuer, type KeysDeps, type MintedKey } from './key-issue.ts';
import type { KeyStore } from './key-store.ts';
import { toKeyRow } from './keys.repo.ts';

const NOW = Date.UTC(2027, 2, 1, 9);
const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const LIMITS = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const ALL = [{ actions: ['package:*', 'iam:*'], resources: ['*'] }];
const ada = { ...SAMPLE_ACCOUNT, grants: ALL, email: 'ada@example.com' } as unknown as Account;
const bot: Account = { ...ada, id: 'acc_bot', kind: 'service', role: null };
const root = { ...SAMPLE_ACCOUNT, id: 'acc_root', role: 'admin', grants: ALL } as const;
const TARGET = { address: 'ops@example.com', accountId: null };
const SETTINGS = {
  customLifetimes: false,
  lifetimeChoicesDays: [30, 90],
  defaultLifetimeDays: 90,
  maxLifetimeDays: 400,
} as unknown as Settings;

const dataKey = (id: string, purpose: string) => ({
  id,
  purpose,
  key: createSecretKey(Buffer.alloc(32, id)),
});
const pepper = dataKey('dk_pepper', 'pepper');
const rowKey = dataKey('dk_row', 'row');
const keyring = {
  current: (purpose: string) => (purpose === 'row' ? rowKey : pepper),
  find: (id: string) => [pepper, rowKey].find((one) => one.id === id) ?? null,
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
  callerOf({ kind: 'key', account: root, key: { ...SAMPLE_KEY, scopes: [MANAGE], ...more } });

interface Wish {
  /** The accounts that there are. */
  readonly accounts?: readonly Account[];
  readonly isManaged?: boolean;
  /** The step that refuses. */
  readonly refuses?: string;
}

function start({ accounts = [ada, bot], isManaged = true, refuses }: Wish = {}) {
  /** What was asked of others and written, in its order. */
  const steps: string[] = [];
  const answer = <Value>(name: string, value: Value): Promise<Value> => {
    steps.push(name);
    return name === refuses ? Promise.reject(new Error(`${name} refuses`)) : Promise.resolve(value);
  };
  const fake = <Value>(name: string, value: Value) => vi.fn((..._input: unknown[]) => answer(name, value));
  const statements: unknown[] = [];
  const begin = (...begun: unknown[]) => {
    const chain = {
      values: (row: unknown) => begin(...begun, row),
      execute: () => {
        statements.push(begun);
        return answer(begun.slice(0, 2).join(' '), []);
      },
    };
    return chain as { readonly [Name in keyof typeof chain]: (...input: unknown[]) => unknown };
  };
  const tx = {
    insertInto: (table: string) => begin('insert', table),
  };
  const fakes = {
    find: vi.fn((_tx: unknown, _workspaceId: string, id: string) =>
      answer('account', accounts.find((one) => one.id === id) ?? null),
    ),
    isManagedBy: fake('managed', isManaged),
    get: fake('settings', SETTINGS),
    findTarget: fake('target', TARGET),
    send: fake('send', undefined),
    requireRoom: fake('room', undefined),
    record: fake('record', undefined),
  };
  let filled = 0;
  const deps = {
    storage: {
      engine: 'sqlite',
      write: { transaction: () => ({ execute: (work: (tx: object) => unknown) => work(tx) }) },
    },
    clock: { now: () => NOW },
    // Each request for randomness is told from the one before.
    random: { bytes: (count: number) => new Uint8Array(count).fill((filled += 1)) },
    keyring,
    settings: fakes,
    accounts: fakes,
    delivery: fakes,
    keyPrefix: 'kr',
  } as unknown as KeysDeps;
  const issuer = new KeyIssuer(deps, fakes as unknown as KeyStore);
  return { ...fakes, tx, steps, statements, settings: SETTINGS, issuer };
}

async function refusalOf(work: Promise<unknown>): Promise<AppError> {
  return await work.then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
}

const ID = `kr_${'1'.repeat(16)}`;
const secretOf = (id: string, digit: string) => `${digit.repeat(43)}${checksumOf(id, digit.repeat(43))}`;
const reveal = ({ secretKey, fullKey }: MintedKey) => [secretKey.reveal(), fullKey.reveal()];

describe('a new key', () => {
  const ASKED: CreateKeyInput = { comment: ' CI ', access: 'scoped', scopes: [PUSH] };
  const create = (at: ReturnType<typeof start>, more: Partial<CreateKeyInput> = {}, by = caller) =>
    at.issuer.create(by, ada.id, { ...ASKED, ...more });

  it('is what was asked for, stored without its secret, which only the answer has', async () => {
    const at = start();
    const more = { ownerId: bot.id, lifetimeDays: 30, ipRanges: ['10.0.0.0/8'], limits: LIMITS };
    const minted = await create(at, more);
    const secret = secretOf(ID, '2');
    expect(reveal(minted)).toEqual([secret, `${ID}_${secret}`]);
    const place = { workspaceId: 'wsp_1', keyId: ID, generation: 1 };
    expect(minted.key).toStrictEqual({
      id: ID,
      workspaceId: 'wsp_1',
      accountId: ada.id,
      ...more,
      comment: 'CI',
      access: 'scoped',
      scopes: [PUSH],
      createdAt: NOW,
      createdBy: root.id,
      renewedAt: null,
      updatedAt: NOW,
      isEnabled: true,
      disabledReason: null,
      disabledAt: null,
      current: {
        number: 1,
        ...digestSecret(keyring, place, minted.secretKey),
        expiresAt: NOW + 30 * DAY_MS,
      },
      old: null,
      foreignDigest: null,
      epoch: 1,
      version: 1,
    });
    const row = toKeyRow(keyring, minted.key);
    expect(at.statements).toEqual([['insert', 'api_keys', row]]);
    expect(isRowIntact(keyring, minted.key, row.row_mac)).toBe(true);
    expect(at.record.mock.calls).toStrictEqual([
      [
        at.tx,
        caller,
        minted.key,
        { action: 'key.created', mailedTo: null },
        {
          access: 'scoped',
          scopes: [PUSH],
          ownerId: bot.id,
          lifetimeDays: 30,
          limits: LIMITS,
          mailed: false,
        },
      ],
    ]);
    expect(at.steps).toEqual([
      'account',
      'settings',
      'account',
      'managed',
      'room',
      'insert api_keys',
      'record',
    ]);
    expect(at.get.mock.calls).toEqual([['wsp_1', at.tx]]);
    expect(at.requireRoom.mock.calls).toEqual([[at.tx, ada, at.settings]]);
  });

  it('acts for its own account, from anywhere, without limits, for the usual time, when nothing else is said', async () => {
    const at = start();
    const { key } = await create(at);
    expect(key).toMatchObject({ ownerId: ada.id, ipRanges: [], limits: null, lifetimeDays: 90 });
    expect(key.current.expiresAt).toBe(NOW + 90 * DAY_MS);
    expect(at.record.mock.calls[0]?.[4]).toStrictEqual({
      access: 'scoped',
      scopes: [PUSH],
      ownerId: ada.id,
      lifetimeDays: 90,
      mailed: false,
    });
    expect((await create(start(), { limits: null })).key.limits).toBeNull();
  });

  it('with a fault in what was asked is refused by name before anything is read', async () => {
    for (const [more, field] of [
      [{ comment: ' ' }, 'comment'],
      [{ ipRanges: ['here'] }, 'ipRanges[0]'],
      [{ limits: { rate: { requests: 0, windowSeconds: 1 } } }, 'limits.rate.requests'],
    ] as const) {
      const at = start();
      const refusal = await refusalOf(create(at, more));
      expect(refusal).toMatchObject({ code: 'request.invalid', fields: [{ field }] });
      expect(refusal.detail).toContain(field);
      expect(at.steps).toEqual([]);
    }
  });

  it('is not made by a key that has limits, nor by nobody', async () => {
    for (const [by, code] of [
      [keyCaller({ limits: LIMITS }), 'key.limits_exceed_caller'],
      [callerOf({ kind: 'anonymous' }), 'auth.required'],
    ] as const) {
      const at = start();
      expect((await refusalOf(create(at, {}, by))).code).toBe(code);
      expect(at.steps).toEqual([]);
    }
  });

  it('is made only for an account of this workspace that the caller reaches and that is active', async () => {
    const member = { ...root, role: 'member' } as const;
    const stranger = callerOf({ kind: 'session', account: member, sessionId: 'ses_1', managedIds: [] });
    const reader = keyCaller({ scopes: [{ actions: ['iam:keys:read'], resources: ['*'] }] });
    for (const [accounts, by, code] of [
      [[], caller, 'request.not_found'],
      [[ada], stranger, 'request.not_found'],
      [[ada], reader, 'key.write_not_permitted'],
      [[{ ...ada, isActive: false }], caller, 'key.account_disabled'],
    ] as const) {
      const at = start({ accounts });
      expect((await refusalOf(create(at, {}, by))).code).toBe(code);
      expect(at.find.mock.calls).toEqual([[at.tx, 'wsp_1', ada.id]]);
      expect(at.steps).toEqual(['account']);
    }
  });

  it('lives as long as the workspace allows, within the grants of its account and the rights of a key that makes it', async () => {
    const manager = keyCaller({});
    const stock = { actions: ['stock:read'], resources: ['*'] };
    for (const [more, by, code, told] of [
      [{ lifetimeDays: 31 }, caller, 'key.lifetime_not_allowed', 'lifetimeDays is 31'],
      [{ scopes: [stock] }, caller, 'key.scope_exceeds_account', 'stock:read'],
      [{ scopes: undefined }, caller, 'key.scope_required', 'scope'],
      [{ access: 'account' }, caller, 'key.scopes_not_allowed', 'scopes'],
      [{}, manager, 'key.scope_exceeds_caller', 'package:push'],
      [{ access: 'account', scopes: [] }, manager, 'key.scope_exceeds_caller', 'package:'],
    ] as const) {
      const at = start();
      const refusal = await refusalOf(create(at, more, by));
      expect(refusal.code).toBe(code);
      expect(refusal.detail).toContain(told);
      expect(at.steps).toEqual(['account', 'settings']);
    }
    const handedOn = await create(start(), { scopes: [MANAGE] }, manager);
    expect(handedOn.key).toMatchObject({ scopes: [MANAGE], createdBy: root.id });
    expect((await create(start(), { access: 'account', scopes: undefined })).key.scopes).toEqual([]);
  });

  it('acts for the account that it belongs to, which nobody has to be asked about', async () => {
    for (const ownerId of [undefined, ada.id]) {
      const at = start({ isManaged: false });
      expect((await create(at, { ownerId })).key.ownerId).toBe(ada.id);
      expect(at.steps.slice(0, 3)).toEqual(['account', 'settings', 'room']);
    }
  });

  it('acts for another account only if that is an active service account that its account manages', async () => {
    const at = start();
    expect((await create(at, { ownerId: bot.id })).key.ownerId).toBe(bot.id);
    expect(at.find.mock.calls[1]).toEqual([at.tx, 'wsp_1', bot.id]);
    expect(at.isManagedBy.mock.calls).toEqual([[at.tx, 'wsp_1', bot.id, ada.id]]);
    for (const [owner, isManaged, asked] of [
      [null, true, []],
      [{ ...bot, kind: 'user' }, true, []],
      [{ ...bot, isActive: false }, true, []],
      [bot, false, ['managed']],
    ] as const) {
      const other = start({ accounts: owner === null ? [ada] : [ada, owner], isManaged });
      const refusal = await refusalOf(create(other, { ownerId: bot.id }));
      expect(refusal).toMatchObject({
        code: 'key.owner_not_allowed',
        fields: [{ field: 'ownerId', message: expect.stringContaining('manages') as string }],
      });
      expect(other.steps).toEqual(['account', 'settings', 'account', ...asked]);
    }
  });

  it('is not made where there is no room for it, or no mail can go where it should', async () => {
    for (const [refuses, steps] of [
      ['room', ['account', 'settings', 'room']],
      ['target', ['account', 'settings', 'room', 'target']],
    ] as const) {
      const at = start({ refuses });
      expect((await refusalOf(create(at, { sendMail: true }))).message).toBe(`${refuses} refuses`);
      expect(at.steps).toEqual(steps);
    }
  });

  it('is mailed when that is asked for, or an address is named', async () => {
    for (const more of [
      { sendMail: true },
      { mailTo: TARGET.address },
      { sendMail: false, mailTo: TARGET.address },
      { sendMail: true, mailTo: TARGET.address },
    ]) {
      const at = start();
      const { key, secretKey } = await create(at, more);
      const { settings, tx } = at;
      const mail = {
        key,
        secretKey,
        account: ada,
        settings,
        target: TARGET,
        change: { kind: 'created' },
      };
      expect(at.findTarget.mock.calls).toEqual([[tx, ada, settings, more.mailTo]]);
      expect(at.send.mock.calls).toStrictEqual([[tx, caller, mail]]);
      expect(at.record.mock.calls[0]?.slice(3)).toMatchObject([
        { action: 'key.created', mailedTo: TARGET.address },
        { mailed: true },
      ]);
      expect(at.steps.slice(3)).toEqual(['target', 'insert api_keys', 'send', 'record']);
    }
    const unasked = start();
    await create(unasked, { sendMail: false });
    expect([unasked.findTarget, unasked.send].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });
});
