import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, type KeyAccess, requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { HOUR_MS } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Random } from '../../lib/random.ts';
import type { Secret } from '../../lib/secret.ts';
import {
  dropOneTimeLinksOfKey,
  type Executor,
  inTransaction,
  type Keyring,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { Settings, SettingsService } from '../settings/index.ts';
import { type ApiKey, isExpired } from './api-key.ts';
import type { KeyDelivery } from './key-delivery.ts';
import { digestSecret } from './key-digest.ts';
import { newApiKey, newSecretKey, toFullKey } from './key-format.ts';
import { keyErrors } from './keys.errors.ts';
import { requireCallerHolds, requireReach, rightsOfNewKey } from './keys.policy.ts';
import * as repo from './keys.repo.ts';
import { checkComment, checkIpRanges, checkScopes, isNarrowed, requireSameActions } from './keys.rules.ts';
import { chooseLifetimeDays, expiryOf, maxLifetimeDays } from './lifetimes.ts';

export interface CreateKeyInput {
  readonly comment: string;
  readonly access: Exclude<KeyAccess, 'full'>;
  readonly scopes?: readonly Permission[] | undefined;
  /** The account whose packages the key acts for; default: its own account. */
  readonly ownerId?: string | undefined;
  readonly lifetimeDays?: number | undefined;
  readonly ipRanges?: readonly string[] | undefined;
  readonly sendMail?: boolean | undefined;
  readonly mailTo?: string | undefined;
}

export interface KeyPatch {
  readonly comment?: string | undefined;
  readonly scopes?: readonly Permission[] | undefined;
  readonly ipRanges?: readonly string[] | undefined;
  /** Fixed fields may be sent back unchanged; a change is refused by name. */
  readonly access?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly lifetimeDays?: number | null | undefined;
}

/** A key with its secret: the answer of create and regenerate, and the only place where the secret exists. */
export interface MintedKey {
  readonly key: ApiKey;
  readonly secretKey: Secret;
  readonly fullKey: Secret;
}

export interface KeysService {
  /**
   * Makes a key for an account. The secret is in this answer only.
   *
   * @throws request.not_found, request.invalid, key.scope_*, key.lifetime_not_allowed, key.too_many,
   *   key.owner_not_allowed, key.mail_*, key.account_disabled
   */
  create(caller: Caller, accountId: string, input: CreateKeyInput): Promise<MintedKey>;
  /** @throws request.not_found also for a key that the caller may not see */
  get(caller: Caller, keyId: string): Promise<ApiKey>;
  /** Changes comment, patterns or allow list. @throws key.field_immutable, request.precondition_failed and those of create */
  update(caller: Caller, keyId: string, patch: KeyPatch, ifMatch: number | null): Promise<ApiKey>;
  /**
   * A new secret for the same key, with the original lifetime from now on. The old secret dies at once, or,
   * for an active key, after `overlapHours` (0 to 168) or its own expiry, whichever is earlier.
   *
   * @throws key.not_regenerable, key.overlap_not_allowed, key.scope_exceeds_account
   */
  regenerate(
    caller: Caller,
    keyId: string,
    input: { overlapHours?: number | undefined; sendMail?: boolean | undefined; mailTo?: string | undefined },
  ): Promise<MintedKey>;
  /** Ends the overlap of a regenerated key early. @throws key.no_overlap */
  endOverlap(caller: Caller, keyId: string): Promise<ApiKey>;
  disable(caller: Caller, keyId: string, reason: string | null): Promise<ApiKey>;
  enable(caller: Caller, keyId: string): Promise<ApiKey>;
  /** Permanent. Works on altered rows too. */
  remove(caller: Caller, keyId: string): Promise<void>;
  /** Kills the secret of the presented key for good; whoever holds a leaked key can do so. */
  revokeSelf(caller: Caller): Promise<void>;
  /** Deletes all keys of an account, and those that act for it, when it goes. */
  removeAllOf(tx: Tx, caller: Caller, account: Account): Promise<void>;
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
  readonly keyPrefix: string;
}

class Keys implements KeysService {
  readonly #deps: KeysDeps;

  constructor(deps: KeysDeps) {
    this.#deps = deps;
  }

  async create(caller: Caller, accountId: string, input: CreateKeyInput): Promise<MintedKey> {
    const comment = checkComment(input.comment);
    const ipRanges = checkIpRanges(input.ipRanges ?? []);
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
      await this.#requireRoom(tx, account, settings);
      const target =
        input.sendMail === true || input.mailTo !== undefined
          ? this.#deps.delivery.findTarget(account, settings, input.mailTo)
          : null;
      const minted = this.#mint(
        account,
        { comment, access: input.access, scopes, ownerId, lifetimeDays, ipRanges },
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
        });
      await this.#record(tx, caller, 'key.created', minted.key, {
        access: input.access,
        scopes,
        ownerId,
        lifetimeDays,
        mailed: target !== null,
      });
      return minted;
    });
  }

  async get(caller: Caller, keyId: string): Promise<ApiKey> {
    return await this.#findReachableKey(this.#deps.storage.read, caller, keyId, 'read');
  }

  async update(caller: Caller, keyId: string, patch: KeyPatch, ifMatch: number | null): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#findReachableKey(tx, caller, keyId, 'write');
      if (ifMatch !== null && ifMatch !== before.version)
        throw requestErrors.precondition_failed({ extra: { version: before.version } });
      requireFixedFields(before, patch);
      const scopes =
        patch.scopes === undefined
          ? before.scopes
          : await this.#checkEditedScopes(tx, caller, before, patch.scopes);
      const after: ApiKey = {
        ...before,
        comment: patch.comment === undefined ? before.comment : checkComment(patch.comment),
        ipRanges: patch.ipRanges === undefined ? before.ipRanges : checkIpRanges(patch.ipRanges),
        scopes,
      };
      const detail = changesOf(before, after);
      if (Object.keys(detail).length === 0) return before;
      // A narrowing ends the tokens that were got before it; their text still says more than the key may.
      const isTighter =
        isNarrowed(before.scopes, after.scopes) ||
        JSON.stringify(before.ipRanges) !== JSON.stringify(after.ipRanges);
      return await this.#save(
        tx,
        caller,
        { ...after, epoch: before.epoch + (isTighter ? 1 : 0) },
        'key.changed',
        detail,
      );
    });
  }

  async regenerate(
    caller: Caller,
    keyId: string,
    input: { overlapHours?: number | undefined; sendMail?: boolean | undefined; mailTo?: string | undefined },
  ): Promise<MintedKey> {
    const { storage, clock, settings: settingsService, delivery } = this.#deps;
    const overlapHours = input.overlapHours ?? 0;
    return await inTransaction(storage, async (tx) => {
      const before = await this.#findReachableKey(tx, caller, keyId, 'write');
      if (before.lifetimeDays === null || before.foreignDigest !== null) throw keyErrors.not_regenerable();
      const account = await this.#requireAccount(tx, before);
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
        await this.#requireRoom(tx, account, settings);
      const target =
        input.sendMail === true || input.mailTo !== undefined
          ? delivery.findTarget(account, settings, input.mailTo)
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
        current: { number, ...stored, expiresAt: expiryOf(now, lifetimeDays) },
        old: overlapHours > 0 ? { ...before.current, expiresAt: overlapEnd } : null,
      };
      await dropOneTimeLinksOfKey(tx, before.workspaceId, before.id);
      const key = await this.#save(tx, caller, after, 'key.regenerated', {
        generation: number,
        overlapHours,
        lifetimeDays,
        mailed: target !== null,
      });
      if (target !== null) await delivery.send(tx, caller, { key, secretKey, account, settings, target });
      return { key, secretKey, fullKey: toFullKey(key.id, secretKey) };
    });
  }

  async endOverlap(caller: Caller, keyId: string): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#findReachableKey(tx, caller, keyId, 'write');
      if (before.old === null || isExpired(before.old.expiresAt, this.#deps.clock.now()))
        throw keyErrors.no_overlap();
      return await this.#save(tx, caller, { ...before, old: null }, 'key.overlap_ended', {
        generation: before.old.number,
      });
    });
  }

  async disable(caller: Caller, keyId: string, reason: string | null): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#findReachableKey(tx, caller, keyId, 'write');
      if (!before.isEnabled && before.disabledReason === reason) return before;
      const after = {
        ...before,
        isEnabled: false,
        disabledReason: reason,
        disabledAt: before.disabledAt ?? this.#deps.clock.now(),
        epoch: before.epoch + 1,
      };
      return await this.#save(tx, caller, after, 'key.disabled', { reason });
    });
  }

  async enable(caller: Caller, keyId: string): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#findReachableKey(tx, caller, keyId, 'write');
      if (before.isEnabled) return before;
      const account = await this.#requireAccount(tx, before);
      requireCallerHolds(
        requireAuthenticated(caller).principal,
        rightsOfNewKey(toIdentity(account), before.access, before.scopes),
      );
      return await this.#save(
        tx,
        caller,
        { ...before, isEnabled: true, disabledReason: null, disabledAt: null },
        'key.enabled',
        {},
      );
    });
  }

  async remove(caller: Caller, keyId: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const place = await repo.findKeyPlace(tx, caller.workspace.id, keyId);
      requireReach(caller, place?.accountId ?? null, 'write');
      await repo.deleteKey(tx, caller.workspace.id, keyId);
      await dropOneTimeLinksOfKey(tx, caller.workspace.id, keyId);
      await this.#deps.audit.record(tx, caller, {
        action: 'key.deleted',
        target: { kind: 'key', id: keyId, name: place?.comment ?? null },
        accountId: place?.accountId ?? null,
        keyId,
      });
    });
  }

  async revokeSelf(caller: Caller): Promise<void> {
    const { principal, workspace } = requireAuthenticated(caller);
    if (principal.kind !== 'key') throw authErrors.kind_not_accepted({ extra: { accepted: ['key'] } });
    await inTransaction(this.#deps.storage, async (tx) => {
      const before = await repo.findKey(tx, this.#deps.keyring, workspace.id, principal.key.id);
      if (before === null) return;
      const now = this.#deps.clock.now();
      // Without a digest no text can match any more, also not after somebody enables the key again.
      const after: ApiKey = {
        ...before,
        current: { ...before.current, number: before.current.number + 1, digest: '' },
        old: null,
        isEnabled: false,
        disabledReason: 'Revoked by its holder',
        disabledAt: now,
        epoch: before.epoch + 1,
      };
      await dropOneTimeLinksOfKey(tx, workspace.id, before.id);
      await this.#save(tx, caller, after, 'key.revoked', {});
    });
  }

  async removeAllOf(tx: Tx, caller: Caller, account: Account): Promise<void> {
    for (const keyId of await repo.listKeyIdsOfAccount(tx, account.workspaceId, account.id)) {
      await repo.deleteKey(tx, account.workspaceId, keyId);
      await dropOneTimeLinksOfKey(tx, account.workspaceId, keyId);
      await this.#deps.audit.record(tx, caller, {
        action: 'key.deleted',
        target: { kind: 'key', id: keyId },
        accountId: account.id,
        keyId,
        detail: { because: 'account deleted' },
      });
    }
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

  async #save(
    tx: Tx,
    caller: Caller,
    key: ApiKey,
    action: string,
    detail: Record<string, unknown>,
  ): Promise<ApiKey> {
    const saved = { ...key, version: key.version + 1, updatedAt: this.#deps.clock.now() };
    await repo.updateKey(tx, this.#deps.keyring, saved);
    await this.#record(tx, caller, action, saved, detail);
    return saved;
  }

  async #record(
    tx: Tx,
    caller: Caller,
    action: string,
    key: ApiKey,
    detail: Record<string, unknown>,
  ): Promise<void> {
    await this.#deps.audit.record(tx, caller, {
      action,
      target: { kind: 'key', id: key.id, name: key.comment },
      accountId: key.accountId,
      keyId: key.id,
      detail,
    });
  }

  async #findReachableKey(
    exec: Executor,
    caller: Caller,
    keyId: string,
    intent: 'read' | 'write',
  ): Promise<ApiKey> {
    const place = await repo.findKeyPlace(exec, caller.workspace.id, keyId);
    requireReach(caller, place?.accountId ?? null, intent);
    const key = await repo.findKey(exec, this.#deps.keyring, caller.workspace.id, keyId);
    if (key === null)
      throw requestErrors.not_found({ detail: 'There is no such key, or you may not see it.' });
    return key;
  }

  async #findReachableAccount(tx: Tx, caller: Caller, accountId: string): Promise<Account> {
    const account = await this.#deps.accounts.find(tx, caller.workspace.id, accountId);
    requireReach(caller, account?.id ?? null, 'write');
    if (account === null) throw requestErrors.not_found();
    if (!account.isActive) throw keyErrors.account_disabled();
    return account;
  }

  async #requireAccount(tx: Tx, key: ApiKey): Promise<Account> {
    const account = await this.#deps.accounts.find(tx, key.workspaceId, key.accountId);
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

  async #requireRoom(tx: Tx, account: Account, settings: Settings): Promise<void> {
    const count = await repo.countLiveKeys(tx, account.workspaceId, account.id, this.#deps.clock.now());
    if (count >= settings.maxKeysPerAccount) {
      throw keyErrors.too_many({
        detail: `The account has ${count} live keys; the limit (maxKeysPerAccount) is ${settings.maxKeysPerAccount}. Delete keys that are no longer used.`,
      });
    }
  }

  async #checkEditedScopes(
    tx: Tx,
    caller: Caller,
    before: ApiKey,
    wanted: readonly Permission[],
  ): Promise<readonly Permission[]> {
    const account = await this.#requireAccount(tx, before);
    const scopes = checkScopes(toIdentity(account), before.access, wanted);
    if (before.access !== 'scoped') return scopes;
    requireSameActions(before.scopes, scopes);
    requireCallerHolds(requireAuthenticated(caller).principal, scopes);
    return scopes;
  }
}

/** @throws key.field_immutable naming the field */
function requireFixedFields(before: ApiKey, patch: KeyPatch): void {
  for (const field of ['access', 'ownerId', 'accountId', 'lifetimeDays'] as const) {
    if (patch[field] !== undefined && patch[field] !== before[field]) {
      throw keyErrors.field_immutable({
        detail: `${field} is fixed when a key is made. Create another key instead.`,
        fields: [{ field, message: 'cannot be changed' }],
      });
    }
  }
}

function changesOf(before: ApiKey, after: ApiKey): Record<string, { from: unknown; to: unknown }> {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  for (const field of ['comment', 'scopes', 'ipRanges'] as const) {
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field]))
      changes[field] = { from: before[field], to: after[field] };
  }
  return changes;
}

/** @see KeysService */
export function createKeysService(deps: KeysDeps): KeysService {
  return new Keys(deps);
}
