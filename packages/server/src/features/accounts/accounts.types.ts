import type { AccountIdentity, AccountKind, AccountRole, Caller } from '../../http/index.ts';
import type { KeyLimits } from '../../lib/key-limits.ts';
import type { Page } from '../../lib/page.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Executor, Tx } from '../../storage/index.ts';
import type { KeyLimitsInput } from '../limits/index.ts';
import type { Reach } from './accounts.policy.ts';
import type { Account } from './accounts.repo.ts';
import type { AccountCondition, AccountName, AccountSort, AccountSummary } from './accounts-list.repo.ts';

/** An account with the users who manage it (empty for users). */
export interface AccountView {
  readonly account: Account;
  readonly managers: readonly string[];
}

/** The keys of one account in numbers; disabled ones count in `total` alone. */
export interface KeyCounts {
  readonly total: number;
  readonly expiring: number;
  readonly expired: number;
  /** When the next of the working keys stops; null when none does. */
  readonly nextExpiresAt: number | null;
  /** When one of the keys was last used; null when none ever was. */
  readonly lastUsedAt: number | null;
}

/** `keys` is null when the caller may see the account, but not its keys. */
export type ListedAccount = AccountView & { readonly keys: KeyCounts | null };

export interface AccountQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly q?: string | undefined;
  readonly sort?: AccountSort | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly state?: 'active' | 'disabled' | undefined;
  /** Only accounts with an enabled key that has expired or is about to. */
  readonly attention?: boolean | undefined;
}

/** What the lists of accounts know of keys. Told by the keys feature, which this one may not import. */
export interface AccountKeys {
  /** Accounts whose keys the caller may not see are missing in the answer. */
  countByAccount(caller: Caller, accountIds: readonly string[]): Promise<ReadonlyMap<string, KeyCounts>>;
  /** One of the keys that the caller may see has expired or is about to. */
  needsAttention(caller: Caller): Promise<AccountCondition>;
}

export interface CreateAccountInput {
  readonly kind: AccountKind;
  readonly email?: string | null | undefined;
  readonly technicalName?: string | undefined;
  readonly displayName: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly role?: AccountRole | undefined;
  readonly locale?: string | undefined;
  readonly timeZone?: string | null | undefined;
  readonly mutedNotices?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly grants?: readonly Permission[] | undefined;
  /** The limits of each of its keys; null for none. */
  readonly keyLimits?: KeyLimitsInput | null | undefined;
  readonly managers?: readonly string[] | undefined;
  /** Already hashed and judged by the sessions feature. */
  readonly passwordHash?: string | null | undefined;
}

export type AccountPatch = Partial<Omit<CreateAccountInput, 'kind' | 'technicalName' | 'passwordHash'>> & {
  readonly state?: 'active' | 'disabled' | undefined;
  readonly disabledReason?: string | null | undefined;
};

/** What other features do, in the same transaction, when an account loses its rights or goes. */
export interface AccountHooks {
  /** Sessions and tokens must end: disabled, role or password changed. */
  readonly onRightsEnded: (tx: Tx, caller: Caller, account: Account) => Promise<void>;
  /** A user without a password was created: he needs a way in. */
  readonly onUserWithoutPassword: (tx: Tx, caller: Caller, account: Account) => Promise<void>;
  /** Last chance to refuse (sole owner of packages), then to remove what hangs on the account. */
  readonly onDelete: (tx: Tx, caller: Caller, account: Account) => Promise<void>;
}

export interface AccountsService {
  /** @throws account.login_taken, account.unknown_manager, account.grant_exceeds_own, request.invalid */
  create(caller: Caller, input: CreateAccountInput): Promise<AccountView>;
  /** The same inside the transaction of set-up or of an import; the caller's rights are not asked. */
  createInside(tx: Tx, caller: Caller, input: CreateAccountInput): Promise<Account>;
  /** @throws request.invalid for a cursor of another list or order */
  list(caller: Caller, kind: AccountKind, query: AccountQuery): Promise<Page<ListedAccount>>;
  /** How many accounts the caller may see, of those that `q` finds. */
  summarize(caller: Caller, kind: AccountKind, q: string | undefined): Promise<AccountSummary>;
  withKeys(caller: Caller, views: readonly AccountView[]): Promise<ListedAccount[]>;
  /** @throws request.not_found also for an account that the caller may not see */
  get(caller: Caller, kind: AccountKind | null, id: string): Promise<AccountView & { readonly reach: Reach }>;
  /**
   * Changes the given fields. Members change what describes them; role, grants, state and managers take an
   * administrator or a key with `iam:accounts:write`.
   *
   * @throws request.not_found, request.precondition_failed, auth.forbidden, account.*
   */
  update(
    caller: Caller,
    kind: AccountKind,
    id: string,
    patch: AccountPatch,
    ifMatch: number | null,
  ): Promise<AccountView>;
  /** Deletes the account with its keys, sessions and links. @throws account.last_admin, account.owns_packages */
  remove(caller: Caller, kind: AccountKind, id: string): Promise<void>;
  /** For decisions: the account behind a key or session, or null when it is gone. */
  findIdentity(exec: Executor, workspaceId: string, id: string): Promise<AccountIdentity | null>;
  /** The same without waiting, where the storage can (`Storage.prepareRead`). */
  readonly findIdentityNow: ((workspaceId: string, id: string) => AccountIdentity | null) | null;
  find(exec: Executor, workspaceId: string, id: string): Promise<Account | null>;
  findMany(exec: Executor, workspaceId: string, ids: readonly string[]): Promise<Account[]>;
  /** Only the names; ids of no account are left out. */
  findNames(exec: Executor, workspaceId: string, ids: readonly string[]): Promise<AccountName[]>;
  /** What each key of these accounts is limited to; null for nothing. */
  findKeyLimits(
    exec: Executor,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, KeyLimits | null>>;
  findByLogin(exec: Executor, workspaceId: string, kind: AccountKind, login: string): Promise<Account | null>;
  isManagedBy(
    exec: Executor,
    workspaceId: string,
    serviceAccountId: string,
    userId: string,
  ): Promise<boolean>;
  listManagedIds(exec: Executor, workspaceId: string, userId: string): Promise<readonly string[]>;
  /** The users who manage a service account. */
  listManagerIds(exec: Executor, workspaceId: string, serviceAccountId: string): Promise<readonly string[]>;
  findPasswordHash(exec: Executor, workspaceId: string, id: string): Promise<string | null>;
  /** Stores a new password; sessions and tokens of the account end. */
  savePasswordHash(tx: Tx, caller: Caller, account: Account, passwordHash: string): Promise<void>;
  saveLastSeen(tx: Tx, workspaceId: string, id: string): Promise<void>;
  countActiveAdmins(exec: Executor, workspaceId: string): Promise<number>;
}
