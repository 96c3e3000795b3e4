import { requestErrors } from '../../errors/index.ts';
import { type Caller, type KeyAccess, requireAuthenticated } from '../../http/index.ts';
import { type Clock, HOUR_MS, toIsoOrNull } from '../../lib/clock.ts';
import type { KeyLimits } from '../../lib/key-limits.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Random } from '../../lib/random.ts';
import type { Secret } from '../../lib/secret.ts';
import {
  dropOneTimeLinksOfKey,
  inTransaction,
  type Keyring,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import { checkLimits, type KeyLimitsInput } from '../limits/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type ApiKey, isExpired } from './api-key.ts';
import type { KeyDelivery } from './key-delivery.ts';
import { digestSecret } from './key-digest.ts';
import { newApiKey, newSecretKey, toFullKey } from './key-format.ts';
import type { KeyNotices } from './key-notices.ts';
import type { KeyStore } from './key-store.ts';
import { keyErrors } from './keys.errors.ts';
import { requireCallerHolds, requireReach, requireUnlimitedCaller, rightsOfNewKey } from './keys.policy.ts';
import * as repo from './keys.repo.ts';
import { checkComment, checkIpRanges, checkScopes } from './keys.rules.ts';
import { chooseLifetimeDays, expiryOf, maxLifetimeDays } from './lifetimes.ts';

export interface CreateKeyInput {
  readonly comment: string;
  readonly access: Exclude<KeyAccess, 'full'>;
  readonly scopes?: readonly Permission[] | undefined;
  /** The account whose packages the key acts for; default: its own account. */
  readonly ownerId?: string | undefined;
  readonly lifetimeDays?: number | undefined;
  readonly ipRanges?: readonly string[] | undefined;
  readonly limits?: KeyLimitsInput | null | undefined;
  readonly sendMail?: boolean | undefined;
  readonly mailTo?: string | undefined;
}

export interface RegenerateKeyInput {
  readonly overlapHours?: number | undefined;
  readonly sendMail?: boolean | undefined;
  readonly mailTo?: string | undefined;
}

/** A key with its secret: the answer of create and regenerate, and the only place where the secret exists. */
export interface MintedKey {
  readonly key: ApiKey;
  readonly secretKey: Secret;
  readonly fullKey: Secret;
}

export interface KeysDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly accounts: AccountsService;
  readonly delivery: KeyDelivery;
  readonly keyNotices: KeyNotices;
  readonly keyPrefix: string;
}

/** Makes secrets: new keys, and new generations of known ones. */
export class KeyIssuer {
  readonly #deps: KeysDeps;
  readonly #store: KeyStore;

  constructor(deps: KeysDeps, store: KeyStore) {
    this.#deps = deps;
    this.#store = store;
  }

  async create(caller: Caller, accountId: string, input: CreateKeyInput): Promise<MintedKey> {
    const comment = checkComment(input.comment);
    const ipRanges = checkIpRanges(input.ipRanges ?? []);
    const limits = checkLimits(input.limits ?? null, 'limits');
    requireUnlimitedCaller(caller);
    return await inTransaction(this.#deps.storage, async (tx) => {
      const account = await this.#findReachableAccount(tx, caller, accountId);
      const identity = toIdentity(account);
      const settings = await this.#deps.settings.get(account.workspaceId, tx);
      const lifetimeDays = chooseLifetimeDays(settings, input.lifetimeDays);
      const scopes = checkScopes(identity, input.access, input.scopes);
      requireCallerHolds(
        requireAuthenticated(caller).principal,
        rightsOfNewKey(identity, input.access, scopes),
      );
      const ownerId = await this.#findOwner(tx, account, input.ownerId);
      await this.#store.requireRoom(tx, account, settings);
      const target =
        input.sendMail === true || input.mailTo !== undefined
          ? await this.#deps.delivery.findTarget(tx, account, settings, input.mailTo)
          : null;
      const minted = this.#mint(
        account,
        { comment, access: input.access, scopes, ownerId, lifetimeDays, ipRanges, limits },
        caller,
      );
      await repo.insertKey(tx, this.#deps.keyring, minted.key);
      if (target !== null)
        await this.#deps.delivery.send(tx, caller, {
          key: minted.key,
          secretKey: minted.secretKey,
          account,
          settings,
          target,
          change: { kind: 'created' },
        });
      const story = { action: 'key.created', mailedTo: target?.address ?? null } as const;
      await this.#store.record(tx, caller, minted.key, story, {
        access: input.access,
        scopes,
        ownerId,
        lifetimeDays,
        ...(limits === null ? {} : { limits }),
        mailed: target !== null,
      });
      return minted;
    });
  }

  async regenerate(caller: Caller, keyId: string, input: RegenerateKeyInput): Promise<MintedKey> {
    const { storage, clock, settings: settingsService, delivery } = this.#deps;
    const overlapHours = input.overlapHours ?? 0;
    return await inTransaction(storage, async (tx) => {
      const before = await this.#store.findReachableKey(tx, caller, keyId, 'write');
      requireUnlimitedCaller(caller, before.id);
      if (before.lifetimeDays === null || before.foreignDigest !== null) throw keyErrors.not_regenerable();
      const account = await this.#store.requireAccount(tx, before);
      const settings = await settingsService.get(before.workspaceId, tx);
      const now = clock.now();
      const isActive = before.isEnabled && !isExpired(before.current.expiresAt, now);
      if (overlapHours > 0 && !isActive) throw keyErrors.overlap_not_allowed();
      checkScopes(toIdentity(account), before.access, before.access === 'scoped' ? before.scopes : undefined);
      requireCallerHolds(
        requireAuthenticated(caller).principal,
        rightsOfNewKey(toIdentity(account), before.access, before.scopes),
      );
      if (!isActive && isExpired(before.current.expiresAt, now))
        await this.#store.requireRoom(tx, account, settings);
      const target =
        input.sendMail === true || input.mailTo !== undefined
          ? await delivery.findTarget(tx, account, settings, input.mailTo)
          : null;
      const lifetimeDays = Math.min(before.lifetimeDays, maxLifetimeDays(settings));
      const secretKey = newSecretKey(this.#deps.random, before.id);
      const number = before.current.number + 1;
      const stored = digestSecret(
        this.#deps.keyring,
        { workspaceId: before.workspaceId, keyId: before.id, generation: number },
        secretKey,
      );
      const overlapEnd = Math.min(
        before.current.expiresAt ?? Number.POSITIVE_INFINITY,
        now + overlapHours * HOUR_MS,
      );
      const after: ApiKey = {
        ...before,
        renewedAt: now,
        current: { number, ...stored, expiresAt: expiryOf(now, lifetimeDays) },
        old: overlapHours > 0 ? { ...before.current, expiresAt: overlapEnd } : null,
      };
      await dropOneTimeLinksOfKey(tx, before.workspaceId, before.id);
      const story = {
        action: 'key.regenerated',
        oldWorksUntil: after.old?.expiresAt ?? null,
        mailedTo: target?.address ?? null,
      } as const;
      const key = await this.#store.save(tx, caller, after, story, {
        generation: number,
        overlapHours,
        lifetimeDays,
        expiresAt: {
          from: toIsoOrNull(before.current.expiresAt),
          to: toIsoOrNull(after.current.expiresAt),
        },
        mailed: target !== null,
      });
      if (target !== null) {
        const change = { kind: 'regenerated', oldWorksUntil: story.oldWorksUntil } as const;
        await delivery.send(tx, caller, { key, secretKey, account, settings, target, change });
      }
      return { key, secretKey, fullKey: toFullKey(key.id, secretKey) };
    });
  }

  #mint(
    account: Account,
    input: {
      comment: string;
      access: KeyAccess;
      scopes: readonly Permission[];
      ownerId: string;
      lifetimeDays: number;
      ipRanges: readonly string[];
      limits: KeyLimits | null;
    },
    caller: Caller,
  ): MintedKey {
    const { random, keyring, clock, keyPrefix } = this.#deps;
    const id = newApiKey(random, keyPrefix);
    const secretKey = newSecretKey(random, id);
    const now = clock.now();
    const stored = digestSecret(
      keyring,
      { workspaceId: account.workspaceId, keyId: id, generation: 1 },
      secretKey,
    );
    const key: ApiKey = {
      ...input,
      id,
      workspaceId: account.workspaceId,
      accountId: account.id,
      createdAt: now,
      createdBy: 'account' in caller.principal ? caller.principal.account.id : null,
      renewedAt: null,
      updatedAt: now,
      isEnabled: true,
      disabledReason: null,
      disabledAt: null,
      current: { number: 1, ...stored, expiresAt: expiryOf(now, input.lifetimeDays) },
      old: null,
      foreignDigest: null,
      epoch: 1,
      version: 1,
    };
    return { key, secretKey, fullKey: toFullKey(id, secretKey) };
  }

  async #findReachableAccount(tx: Tx, caller: Caller, accountId: string): Promise<Account> {
    const account = await this.#deps.accounts.find(tx, caller.workspace.id, accountId);
    requireReach(caller, account?.id ?? null, 'write');
    // Stryker disable next-line ConditionalExpression: it was refused above, which the compiler cannot know
    if (account === null) throw requestErrors.not_found();
    if (!account.isActive) throw keyErrors.account_disabled();
    return account;
  }

  async #findOwner(tx: Tx, account: Account, ownerId: string | undefined): Promise<string> {
    if (ownerId === undefined || ownerId === account.id) return account.id;
    const owner = await this.#deps.accounts.find(tx, account.workspaceId, ownerId);
    const isAllowed =
      owner?.kind === 'service' &&
      owner.isActive &&
      (await this.#deps.accounts.isManagedBy(tx, account.workspaceId, ownerId, account.id));
    if (!isAllowed)
      throw keyErrors.owner_not_allowed({
        fields: [
          { field: 'ownerId', message: 'must be the account itself or a service account that it manages' },
        ],
      });
    return ownerId;
  }
}
