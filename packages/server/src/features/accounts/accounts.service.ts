import { requestErrors } from '../../errors/index.ts';
import {
  type AccountIdentity,
  type AccountKind,
  type AccountRole,
  authErrors,
  type Caller,
  requireAuthenticated,
} from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { Page } from '../../lib/page.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Random } from '../../lib/random.ts';
import {
  dropOneTimeLinksOfAccount,
  type Executor,
  inTransaction,
  isUniqueViolation,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import { areLimitsLoosened, checkLimits } from '../limits/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { prepareFindIdentity } from './account-identity.repo.ts';
import { type AccountList, createAccountList } from './account-list.ts';
import { accountErrors } from './accounts.errors.ts';
import { coversAccount, findGrantExcess, type Reach, reachOf, toIdentity } from './accounts.policy.ts';
import type { Account } from './accounts.repo.ts';
import * as repo from './accounts.repo.ts';
import { checkAccountTexts, DEFAULT_GRANTS } from './accounts.rules.ts';
import type {
  AccountHooks,
  AccountKeys,
  AccountPatch,
  AccountQuery,
  AccountsService,
  AccountView,
  CreateAccountInput,
  ListedAccount,
} from './accounts.types.ts';
import { type AccountSummary, listAccountNames } from './accounts-list.repo.ts';
import { changedFields, findForbiddenField } from './edit-rules.ts';

export interface AccountsDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  /** Wired in `deps.ts` once the other features exist. */
  readonly hooks: () => AccountHooks;
  readonly accountKeys: AccountKeys;
}

const ADMIN_RIGHTS: readonly Permission[] = [{ actions: ['iam:*'], resources: ['*'] }];

class Accounts implements AccountsService {
  readonly #deps: AccountsDeps;

  readonly #lists: AccountList;

  readonly findIdentityNow: AccountsService['findIdentityNow'];

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
    this.findIdentityNow = prepareFindIdentity(deps.storage);
    this.#lists = createAccountList(deps);
  }

  async create(caller: Caller, input: CreateAccountInput): Promise<AccountView> {
    checkAccountTexts(input);
    // An account without stated grants gets the default ones, which the caller then hands out as well.
    this.#checkHandedOut(caller, { ...input, grants: input.grants ?? DEFAULT_GRANTS });
    try {
      return await inTransaction(this.#deps.storage, async (tx) => {
        const account = await this.createInside(tx, caller, input);
        if (account.kind === 'user' && !account.hasPassword) {
          await this.#deps.hooks().onUserWithoutPassword(tx, caller, account);
        }
        return { account, managers: input.managers ?? [] };
      });
    } catch (error) {
      if (isUniqueViolation(error)) throw accountErrors.login_taken({ cause: error });
      throw error;
    }
  }

  async createInside(tx: Tx, caller: Caller, input: CreateAccountInput): Promise<Account> {
    const account = await this.#toNewAccount(tx, caller, input);
    await repo.insertAccount(tx, account, input.passwordHash ?? null);
    if (input.managers !== undefined) await this.#saveManagers(tx, account, input.managers);
    await this.#deps.audit.record(tx, caller, {
      action: 'account.created',
      target: { kind: account.kind, id: account.id, name: toIdentity(account).login },
      accountId: account.id,
      detail: { role: account.role, grants: account.grants, managers: input.managers ?? [] },
    });
    return account;
  }

  async list(caller: Caller, kind: AccountKind, query: AccountQuery): Promise<Page<ListedAccount>> {
    return await this.#lists.list(caller, kind, query);
  }

  async summarize(caller: Caller, kind: AccountKind, q: string | undefined): Promise<AccountSummary> {
    return await this.#lists.summarize(caller, kind, q);
  }

  async withKeys(caller: Caller, views: readonly AccountView[]): Promise<ListedAccount[]> {
    return await this.#lists.withKeys(caller, views);
  }

  async get(
    caller: Caller,
    kind: AccountKind | null,
    id: string,
  ): Promise<AccountView & { readonly reach: Reach }> {
    const { account, reach } = await this.#findVisible(this.#deps.storage.read, caller, kind, id);
    return { account, managers: await this.#managersOf(this.#deps.storage.read, account), reach };
  }

  async update(
    caller: Caller,
    kind: AccountKind,
    id: string,
    patch: AccountPatch,
    ifMatch: number | null,
  ): Promise<AccountView> {
    checkAccountTexts(patch);
    try {
      return await inTransaction(this.#deps.storage, (tx) =>
        this.#updateInside(tx, caller, kind, id, patch, ifMatch),
      );
    } catch (error) {
      if (isUniqueViolation(error)) throw accountErrors.login_taken({ cause: error });
      throw error;
    }
  }

  async #updateInside(
    tx: Tx,
    caller: Caller,
    kind: AccountKind,
    id: string,
    patch: AccountPatch,
    ifMatch: number | null,
  ): Promise<AccountView> {
    const { account: before, reach } = await this.#findVisible(tx, caller, kind, id);
    const forbidden = findForbiddenField(patch, reach);
    if (forbidden !== null)
      throw authErrors.forbidden({
        detail: `You may not change ${forbidden} of this account. Ask an administrator.`,
      });
    this.#checkHandedOut(caller, patch);
    const isBroughtBack = patch.state === 'active' && !before.isActive;
    if (
      patch.email !== undefined ||
      patch.role !== undefined ||
      patch.managers !== undefined ||
      isBroughtBack
    )
      this.#checkCovers(caller, before);
    if (ifMatch !== null && ifMatch !== before.version)
      throw requestErrors.precondition_failed({ extra: { version: before.version } });
    const after = this.#applyPatch(before, patch);
    if (areLimitsLoosened(before.keyLimits, after.keyLimits)) requireFreeCaller(caller, before);
    if (after.role !== 'admin' || !after.isActive) await this.#keepAnAdmin(tx, before);
    const managersBefore = await this.#managersOf(tx, before);
    const managers = patch.managers ?? managersBefore;
    const detail = {
      ...changedFields(before, after),
      ...(patch.managers === undefined ? {} : { managers: { from: managersBefore, to: managers } }),
    };
    if (Object.keys(detail).length === 0) return { account: before, managers };
    const isRightsEnded = before.isActive !== after.isActive || before.role !== after.role;
    const isNarrowed =
      isRightsEnded ||
      areLimitsLoosened(after.keyLimits, before.keyLimits) ||
      JSON.stringify(before.grants) !== JSON.stringify(after.grants);
    const saved = {
      ...after,
      version: before.version + 1,
      epoch: before.epoch + (isNarrowed ? 1 : 0),
      updatedAt: this.#deps.clock.now(),
    };
    await repo.updateAccount(tx, saved);
    if (patch.managers !== undefined) await this.#saveManagers(tx, saved, patch.managers);
    if (isRightsEnded) await this.#deps.hooks().onRightsEnded(tx, caller, saved);
    await this.#deps.audit.record(tx, caller, {
      action:
        before.isActive === after.isActive
          ? 'account.changed'
          : after.isActive
            ? 'account.enabled'
            : 'account.disabled',
      target: { kind, id, name: toIdentity(saved).login },
      accountId: id,
      detail,
    });
    return { account: saved, managers };
  }

  async remove(caller: Caller, kind: AccountKind, id: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const { account, reach } = await this.#findVisible(tx, caller, kind, id);
      if (reach !== 'full')
        throw authErrors.forbidden({ detail: 'Only an administrator can delete an account.' });
      await this.#keepAnAdmin(tx, account);
      await this.#deps.hooks().onDelete(tx, caller, account);
      await dropOneTimeLinksOfAccount(tx, account.workspaceId, account.id);
      await repo.deleteAccount(tx, account.workspaceId, account.id);
      await this.#deps.audit.record(tx, caller, {
        action: 'account.deleted',
        target: { kind, id, name: toIdentity(account).login },
        accountId: id,
        detail: { role: account.role, grants: account.grants },
      });
    });
  }

  async findIdentity(exec: Executor, workspaceId: string, id: string): Promise<AccountIdentity | null> {
    const account = await repo.findAccount(exec, workspaceId, id);
    return account === null ? null : toIdentity(account);
  }

  readonly find = repo.findAccount;
  readonly findMany = repo.findAccounts;
  readonly findNames = listAccountNames;
  readonly findKeyLimits = repo.findKeyLimits;
  readonly findByLogin = repo.findAccountByLogin;
  readonly isManagedBy = repo.isManagedBy;
  readonly listManagedIds = repo.listManagedIds;
  readonly findPasswordHash = repo.findPasswordHash;

  async listManagerIds(exec: Executor, workspaceId: string, serviceAccountId: string) {
    const rows = await repo.listManagers(exec, workspaceId, [serviceAccountId]);
    return rows.map((row) => row.user_id);
  }

  async savePasswordHash(tx: Tx, caller: Caller, account: Account, passwordHash: string): Promise<void> {
    await repo.savePasswordHash(tx, account, passwordHash, this.#deps.clock.now());
    await this.#deps.hooks().onRightsEnded(tx, caller, account);
  }

  async saveLastSeen(tx: Tx, workspaceId: string, id: string): Promise<void> {
    await repo.saveLastSeen(tx, workspaceId, id, this.#deps.clock.now());
  }

  async countActiveAdmins(exec: Executor, workspaceId: string): Promise<number> {
    return await repo.countActiveAdmins(exec, workspaceId, null);
  }

  async #findVisible(
    exec: Executor,
    caller: Caller,
    kind: AccountKind | null,
    id: string,
  ): Promise<{ account: Account; reach: Reach }> {
    const { principal, workspace } = requireAuthenticated(caller);
    const account = await repo.findAccount(exec, workspace.id, id);
    const reach =
      account === null || (kind !== null && account.kind !== kind) ? 'none' : reachOf(principal, account);
    if (account === null || reach === 'none')
      throw requestErrors.not_found({ detail: 'There is no such account, or you may not see it.' });
    return { account, reach };
  }

  async #managersOf(exec: Executor, account: Account): Promise<readonly string[]> {
    if (account.kind === 'user') return [];
    return (await repo.listManagers(exec, account.workspaceId, [account.id])).map((row) => row.user_id);
  }

  async #saveManagers(tx: Tx, account: Account, userIds: readonly string[]): Promise<void> {
    if (account.kind === 'user')
      throw accountErrors.not_for_kind({
        fields: [{ field: 'managers', message: 'users have no managers' }],
      });
    const users = await repo.findAccounts(tx, account.workspaceId, userIds);
    const unknown = userIds.find(
      (id) => !users.some((user) => user.id === id && user.kind === 'user' && user.isActive),
    );
    if (unknown !== undefined)
      throw accountErrors.unknown_manager({
        fields: [
          { field: 'managers', message: `${unknown.slice(0, 64)} is not an active user of this workspace` },
        ],
      });
    await repo.replaceManagers(tx, account.workspaceId, account.id, userIds);
  }

  async #toNewAccount(tx: Tx, caller: Caller, input: CreateAccountInput): Promise<Account> {
    const { random, clock, settings } = this.#deps;
    const now = clock.now();
    const { principal, workspace } = caller;
    return {
      id: newId(random, 'account'),
      workspaceId: workspace.id,
      kind: input.kind,
      isActive: true,
      disabledReason: null,
      role: input.kind === 'user' ? (input.role ?? 'member') : null,
      email: input.email ?? null,
      displayName: input.displayName.trim(),
      firstName: input.firstName ?? null,
      lastName: input.lastName ?? null,
      technicalName: input.technicalName ?? null,
      description: input.description ?? null,
      locale: input.locale ?? (await settings.get(workspace.id, tx)).defaultLocale,
      timeZone: input.timeZone ?? null,
      mutedNotices: input.mutedNotices ?? [],
      tags: input.tags ?? [],
      grants: input.grants ?? DEFAULT_GRANTS,
      keyLimits: checkLimits(input.keyLimits ?? null, 'keyLimits'),
      hasPassword: input.passwordHash != null,
      passwordChangedAt: input.passwordHash == null ? null : now,
      epoch: 1,
      version: 1,
      lastSeenAt: null,
      createdAt: now,
      createdBy: 'account' in principal ? principal.account.id : null,
      updatedAt: now,
    };
  }

  #applyPatch(before: Account, patch: AccountPatch): Account {
    const isActive = patch.state === undefined ? before.isActive : patch.state === 'active';
    const keep = <Value>(value: Value | undefined, old: Value): Value => (value === undefined ? old : value);
    return {
      ...before,
      isActive,
      disabledReason: isActive ? null : keep(patch.disabledReason, before.disabledReason),
      role: before.kind === 'user' ? keep<AccountRole | null>(patch.role, before.role) : null,
      email: keep(patch.email, before.email),
      displayName: keep(patch.displayName?.trim(), before.displayName),
      firstName: keep(patch.firstName, before.firstName),
      lastName: keep(patch.lastName, before.lastName),
      description: keep(patch.description, before.description),
      locale: keep(patch.locale, before.locale),
      timeZone: keep(patch.timeZone, before.timeZone),
      mutedNotices: keep(patch.mutedNotices, before.mutedNotices),
      tags: keep(patch.tags, before.tags),
      grants: keep(patch.grants, before.grants),
      keyLimits: patch.keyLimits === undefined ? before.keyLimits : checkLimits(patch.keyLimits, 'keyLimits'),
    };
  }

  async #keepAnAdmin(tx: Tx, before: Account): Promise<void> {
    if (before.role !== 'admin' || !before.isActive) return;
    if ((await repo.countActiveAdmins(tx, before.workspaceId, before.id)) === 0)
      throw accountErrors.last_admin();
  }

  #checkHandedOut(
    caller: Caller,
    input: { readonly grants?: readonly Permission[] | undefined; readonly role?: AccountRole | undefined },
  ): void {
    const { principal } = caller;
    if (principal.kind === 'system') return;
    const authenticated = requireAuthenticated(caller).principal;
    const wanted = [...(input.grants ?? []), ...(input.role === 'admin' ? ADMIN_RIGHTS : [])];
    const excess = findGrantExcess(authenticated, wanted);
    if (excess !== null)
      throw accountErrors.grant_exceeds_own({
        detail: `You do not hold ${excess.action} on ${excess.resource} yourself.`,
      });
  }

  #checkCovers(caller: Caller, target: Account): void {
    if (!coversAccount(requireAuthenticated(caller).principal, toIdentity(target))) {
      throw authErrors.forbidden({
        detail:
          'This account holds rights that you lack, so you may not change its e-mail address, role or managers, and not enable it.',
      });
    }
  }
}

/** No key lifts what holds itself, and one with limits of its own lifts none. @throws auth.forbidden */
function requireFreeCaller(caller: Caller, target: Account): void {
  const { principal } = requireAuthenticated(caller);
  if (principal.kind === 'session') return;
  if (principal.account.id === target.id || principal.key.limits !== null)
    throw authErrors.forbidden({
      detail:
        'A key cannot loosen the limits that hold it. Use a console session, or a key of another account.',
    });
}

/** @see AccountsService */
export function createAccountsService(deps: AccountsDeps): AccountsService {
  return new Accounts(deps);
}
