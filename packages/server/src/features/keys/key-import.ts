import type { FieldFault } from '../../errors/index.ts';
import { AppError } from '../../errors/index.ts';
import { authErrors, type Caller, type KeyAccess, requireAuthenticated } from '../../http/index.ts';
import { type Clock, toIsoOrNull } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Random } from '../../lib/random.ts';
import { type Executor, inTransaction, type Keyring, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { ApiKey } from './api-key.ts';
import { digestForeign, listForeignDigests } from './key-digest.ts';
import { newApiKey } from './key-format.ts';
import { type KeyNotices, toToldKey } from './key-notices.ts';
import { keyErrors } from './keys.errors.ts';
import { requireCallerHolds, requireUnlimitedCaller, rightsOfNewKey } from './keys.policy.ts';
import { findKeyByForeignDigests, insertKey } from './keys.repo.ts';
import { checkComment, checkScopes } from './keys.rules.ts';

export interface ImportRow {
  /** Id, e-mail of a user, or technical name of a service account. */
  readonly account: string;
  readonly comment: string;
  readonly access: KeyAccess;
  readonly scopes?: readonly Permission[] | undefined;
  /** Null only for `access: "full"`. */
  readonly expiresAt: number | null;
  /** SHA-256 of the foreign credential, hexadecimal: the credential itself never comes here. */
  readonly sha256: string;
}

export interface KeyImporter {
  /**
   * Imports foreign keys, the only way to keys with full access and without expiry. A batch is imported whole
   * or not at all; every faulty row is named.
   *
   * @throws key.import_faulty listing `rows[n].field`
   */
  importKeys(caller: Caller, rows: readonly ImportRow[], isDryRun: boolean): Promise<readonly string[]>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly keyNotices: KeyNotices;
  readonly accounts: AccountsService;
  readonly keyPrefix: string;
}

export function createKeyImporter(deps: Deps): KeyImporter {
  return {
    importKeys: async (caller, rows, isDryRun) => {
      requireImporter(caller);
      requireUnlimitedCaller(caller);
      // Without the newest pepper, what another process has just imported under it would count as new.
      await deps.keyring.refresh();
      return await inTransaction(deps.storage, async (tx) => {
        const faults: FieldFault[] = [];
        const keys: ApiKey[] = [];
        const seen = new Set<string>();
        for (const [index, row] of rows.entries()) {
          const result = await toImportedKey(tx, deps, caller, row, seen);
          if ('key' in result) keys.push(result.key);
          else faults.push({ field: `rows[${index}]${result.field}`, message: result.message });
        }
        if (faults.length > 0)
          throw keyErrors.import_faulty({
            fields: faults,
            detail: `${faults.length} of ${rows.length} rows are faulty; nothing was imported.`,
          });
        if (isDryRun) return [];
        for (const key of keys) {
          await insertKey(tx, deps.keyring, key);
          await deps.audit.record(tx, caller, {
            action: 'key.imported',
            target: { kind: 'key', id: key.id, name: key.comment },
            accountId: key.accountId,
            keyId: key.id,
            detail: { access: key.access, scopes: key.scopes, expiresAt: toIsoOrNull(key.current.expiresAt) },
          });
          await deps.keyNotices.tellChange(tx, caller, toToldKey(key), { action: 'key.imported' });
        }
        return keys.map((key) => key.id);
      });
    },
  };
}

function requireImporter(caller: Caller): void {
  const { principal } = requireAuthenticated(caller);
  if (principal.kind === 'session' && principal.account.role !== 'admin') throw authErrors.forbidden();
}

type RowResult = { readonly key: ApiKey } | { readonly field: string; readonly message: string };

async function findAccount(
  exec: Executor,
  deps: Deps,
  workspaceId: string,
  name: string,
): Promise<Account | null> {
  return (
    (await deps.accounts.find(exec, workspaceId, name)) ??
    (await deps.accounts.findByLogin(exec, workspaceId, 'user', name)) ??
    (await deps.accounts.findByLogin(exec, workspaceId, 'service', name))
  );
}

async function toImportedKey(
  tx: Tx,
  deps: Deps,
  caller: Caller,
  row: ImportRow,
  seen: Set<string>,
): Promise<RowResult> {
  const workspaceId = caller.workspace.id;
  const account = await findAccount(tx, deps, workspaceId, row.account);
  if (account === null) return { field: '.account', message: 'is not an account of this workspace' };
  if (row.expiresAt === null && row.access !== 'full')
    return { field: '.expiresAt', message: 'is required: only access "full" may be without expiry' };
  if (row.expiresAt !== null && row.expiresAt <= deps.clock.now())
    return { field: '.expiresAt', message: 'is in the past' };
  const { digest, pepperId } = digestForeign(deps.keyring, workspaceId, row.sha256);
  const digests = listForeignDigests(deps.keyring, workspaceId, row.sha256);
  if (seen.has(digest) || (await findKeyByForeignDigests(tx, deps.keyring, workspaceId, digests)) !== null)
    return { field: '.sha256', message: 'is already imported' };
  seen.add(digest);
  try {
    const scopes = checkScopes(toIdentity(account), row.access, row.scopes);
    requireCallerHolds(
      requireAuthenticated(caller).principal,
      rightsOfNewKey(toIdentity(account), row.access, scopes),
    );
    return {
      key: newImportedKey(
        deps,
        account,
        { ...row, scopes, comment: checkComment(row.comment) },
        { digest, pepperId },
      ),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { field: error.fields[0] === undefined ? '' : `.${error.fields[0].field}`, message: error.detail };
  }
}

function newImportedKey(
  deps: Deps,
  account: Account,
  row: ImportRow & { scopes: readonly Permission[] },
  stored: { digest: string; pepperId: string },
): ApiKey {
  const now = deps.clock.now();
  return {
    id: newApiKey(deps.random, deps.keyPrefix),
    workspaceId: account.workspaceId,
    accountId: account.id,
    ownerId: account.id,
    comment: row.comment,
    access: row.access,
    scopes: row.scopes,
    lifetimeDays: null,
    createdAt: now,
    createdBy: null,
    renewedAt: null,
    updatedAt: now,
    isEnabled: true,
    disabledReason: null,
    disabledAt: null,
    current: { number: 1, ...stored, expiresAt: row.expiresAt },
    old: null,
    ipRanges: [],
    limits: null,
    foreignDigest: stored.digest,
    epoch: 1,
    version: 1,
  };
}
