import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { dropOneTimeLinksOfKey, inTransaction, type Tx } from '../../storage/index.ts';
import { type Account, toIdentity } from '../accounts/index.ts';
import { areLimitsLoosened, checkLimits, type KeyLimitsInput } from '../limits/index.ts';
import { type ApiKey, isExpired } from './api-key.ts';
import {
  type CreateKeyInput,
  KeyIssuer,
  type KeysDeps,
  type MintedKey,
  type RegenerateKeyInput,
} from './key-issue.ts';
import { forgetTold } from './key-notices.repo.ts';
import type { KeyChanges } from './key-notices.ts';
import { findKeyPlace, listKeyIdsOfAccount } from './key-place.repo.ts';
import { KeyStore } from './key-store.ts';
import { keyErrors } from './keys.errors.ts';
import { requireCallerHolds, requireReach, requireUnlimitedCaller, rightsOfNewKey } from './keys.policy.ts';
import * as repo from './keys.repo.ts';
import {
  checkComment,
  checkIpRanges,
  checkScopes,
  isLoosened,
  isNarrowed,
  requireSameActions,
} from './keys.rules.ts';

export interface KeyPatch {
  readonly comment?: string | undefined;
  readonly scopes?: readonly Permission[] | undefined;
  readonly ipRanges?: readonly string[] | undefined;
  /** Null lifts the limits of the key; those of its account stay. */
  readonly limits?: KeyLimitsInput | null | undefined;
  /** Fixed fields may be sent back unchanged; a change is refused by name. */
  readonly access?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly lifetimeDays?: number | null | undefined;
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
  /** Changes comment, patterns, allow list or limits. @throws key.field_immutable, request.precondition_failed and those of create */
  update(caller: Caller, keyId: string, patch: KeyPatch, ifMatch: number | null): Promise<ApiKey>;
  /**
   * A new secret for the same key, with the original lifetime from now on. The old secret dies at once, or,
   * for an active key, after `overlapHours` (0 to 168) or its own expiry, whichever is earlier.
   *
   * @throws key.not_regenerable, key.overlap_not_allowed, key.scope_exceeds_account
   */
  regenerate(caller: Caller, keyId: string, input: RegenerateKeyInput): Promise<MintedKey>;
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

class Keys implements KeysService {
  readonly #deps: KeysDeps;
  readonly #store: KeyStore;
  readonly #issuer: KeyIssuer;

  constructor(deps: KeysDeps) {
    this.#deps = deps;
    this.#store = new KeyStore(deps);
    this.#issuer = new KeyIssuer(deps, this.#store);
  }

  create(caller: Caller, accountId: string, input: CreateKeyInput): Promise<MintedKey> {
    return this.#issuer.create(caller, accountId, input);
  }

  regenerate(caller: Caller, keyId: string, input: RegenerateKeyInput): Promise<MintedKey> {
    return this.#issuer.regenerate(caller, keyId, input);
  }

  async get(caller: Caller, keyId: string): Promise<ApiKey> {
    return await this.#store.findReachableKey(this.#deps.storage.read, caller, keyId, 'read');
  }

  async update(caller: Caller, keyId: string, patch: KeyPatch, ifMatch: number | null): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#store.findReachableKey(tx, caller, keyId, 'write');
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
        limits: patch.limits === undefined ? before.limits : checkLimits(patch.limits, 'limits'),
        scopes,
      };
      const detail = changesOf(before, after);
      if (Object.keys(detail).length === 0) return before;
      // Who lifts the allow list of a key makes a copy of it usable somewhere else: he hands its rights on.
      if (isLoosened(before.ipRanges, after.ipRanges)) await this.#requireCallerHoldsKey(tx, caller, before);
      if (areLimitsLoosened(before.limits, after.limits)) requireUnlimitedCaller(caller);
      // A narrowing ends the tokens that were got before it; their text still says more than the key may.
      const isTighter =
        isNarrowed(before.scopes, after.scopes) ||
        areLimitsLoosened(after.limits, before.limits) ||
        JSON.stringify(before.ipRanges) !== JSON.stringify(after.ipRanges);
      return await this.#store.save(
        tx,
        caller,
        { ...after, epoch: before.epoch + (isTighter ? 1 : 0) },
        { action: 'key.changed', changes: detail },
        { ...detail },
      );
    });
  }

  async endOverlap(caller: Caller, keyId: string): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#store.findReachableKey(tx, caller, keyId, 'write');
      if (before.old === null || isExpired(before.old.expiresAt, this.#deps.clock.now()))
        throw keyErrors.no_overlap();
      return await this.#store.save(
        tx,
        caller,
        { ...before, old: null },
        { action: 'key.overlap_ended' },
        { generation: before.old.number },
      );
    });
  }

  async disable(caller: Caller, keyId: string, reason: string | null): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#store.findReachableKey(tx, caller, keyId, 'write');
      if (!before.isEnabled && before.disabledReason === reason) return before;
      const after = {
        ...before,
        isEnabled: false,
        disabledReason: reason,
        disabledAt: before.disabledAt ?? this.#deps.clock.now(),
        epoch: before.epoch + 1,
      };
      return await this.#store.save(tx, caller, after, { action: 'key.disabled', reason }, { reason });
    });
  }

  async enable(caller: Caller, keyId: string): Promise<ApiKey> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const before = await this.#store.findReachableKey(tx, caller, keyId, 'write');
      if (before.isEnabled) return before;
      await this.#requireCallerHoldsKey(tx, caller, before);
      return await this.#store.save(
        tx,
        caller,
        { ...before, isEnabled: true, disabledReason: null, disabledAt: null },
        { action: 'key.enabled' },
        {},
      );
    });
  }

  async remove(caller: Caller, keyId: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const place = await findKeyPlace(tx, caller.workspace.id, keyId);
      requireReach(caller, place?.accountId ?? null, 'write');
      await repo.deleteKey(tx, caller.workspace.id, keyId);
      await forgetTold(tx, keyId);
      await dropOneTimeLinksOfKey(tx, caller.workspace.id, keyId);
      await this.#deps.audit.record(tx, caller, {
        action: 'key.deleted',
        target: { kind: 'key', id: keyId, name: place?.comment ?? null },
        accountId: place?.accountId ?? null,
        keyId,
        detail: { access: place?.access },
      });
      if (place !== null)
        await this.#deps.keyNotices.tellChange(tx, caller, place, { action: 'key.deleted' });
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
      await this.#store.save(tx, caller, after, { action: 'key.revoked', reason: after.disabledReason }, {});
    });
  }

  async removeAllOf(tx: Tx, caller: Caller, account: Account): Promise<void> {
    for (const keyId of await listKeyIdsOfAccount(tx, account.workspaceId, account.id)) {
      const place = await findKeyPlace(tx, account.workspaceId, keyId);
      await repo.deleteKey(tx, account.workspaceId, keyId);
      await forgetTold(tx, keyId);
      await dropOneTimeLinksOfKey(tx, account.workspaceId, keyId);
      await this.#deps.audit.record(tx, caller, {
        action: 'key.deleted',
        target: { kind: 'key', id: keyId },
        accountId: account.id,
        keyId,
        detail: { because: 'account deleted' },
      });
      if (place !== null)
        await this.#deps.keyNotices.emitChange(tx, caller, place, account, { action: 'key.deleted' });
    }
  }

  async #requireCallerHoldsKey(tx: Tx, caller: Caller, key: ApiKey): Promise<void> {
    const account = await this.#store.requireAccount(tx, key);
    requireCallerHolds(
      requireAuthenticated(caller).principal,
      rightsOfNewKey(toIdentity(account), key.access, key.scopes),
    );
  }

  async #checkEditedScopes(
    tx: Tx,
    caller: Caller,
    before: ApiKey,
    wanted: readonly Permission[],
  ): Promise<readonly Permission[]> {
    const account = await this.#store.requireAccount(tx, before);
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

function changesOf(before: ApiKey, after: ApiKey): KeyChanges {
  const change = <Field extends 'comment' | 'scopes' | 'ipRanges' | 'limits'>(field: Field) =>
    JSON.stringify(before[field]) === JSON.stringify(after[field])
      ? {}
      : { [field]: { from: before[field], to: after[field] } };
  return { ...change('comment'), ...change('scopes'), ...change('ipRanges'), ...change('limits') };
}

/** @see KeysService */
export function createKeysService(deps: KeysDeps): KeysService {
  return new Keys(deps);
}
