import { requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Executor, Keyring, Tx } from '../../storage/index.ts';
import type { Account, AccountsService } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { Settings } from '../settings/index.ts';
import type { ApiKey } from './api-key.ts';
import { type KeyChangeStory, type KeyChanges, type KeyNotices, toToldKey } from './key-notices.ts';
import { findKeyAccountId } from './key-place.repo.ts';
import { keyErrors } from './keys.errors.ts';
import { requireReach } from './keys.policy.ts';
import * as repo from './keys.repo.ts';

interface KeyStoreDeps {
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly keyNotices: KeyNotices;
}

/** What every change of a key needs: find it for this caller, save it with its version, and write down what happened. */
export class KeyStore {
  readonly #deps: KeyStoreDeps;

  constructor(deps: KeyStoreDeps) {
    this.#deps = deps;
  }

  async save(
    tx: Tx,
    caller: Caller,
    key: ApiKey,
    story: KeyChangeStory,
    detail: Record<string, unknown>,
  ): Promise<ApiKey> {
    const saved = { ...key, version: key.version + 1, updatedAt: this.#deps.clock.now() };
    const isAnswerKept = story.action === 'key.changed' && isCommentOnly(story.changes);
    await repo.updateKey(tx, this.#deps.keyring, saved, { isAnswerKept });
    await this.record(tx, caller, saved, story, detail);
    return saved;
  }

  async record(
    tx: Tx,
    caller: Caller,
    key: ApiKey,
    story: KeyChangeStory,
    detail: Record<string, unknown>,
  ): Promise<void> {
    await this.#deps.audit.record(tx, caller, {
      action: story.action,
      target: { kind: 'key', id: key.id, name: key.comment },
      accountId: key.accountId,
      keyId: key.id,
      detail,
    });
    await this.#deps.keyNotices.tellChange(tx, caller, toToldKey(key), story);
  }

  async findReachableKey(
    exec: Executor,
    caller: Caller,
    keyId: string,
    intent: 'read' | 'write',
  ): Promise<ApiKey> {
    requireReach(caller, await findKeyAccountId(exec, caller.workspace.id, keyId), intent);
    const key = await repo.findKey(exec, this.#deps.keyring, caller.workspace.id, keyId);
    if (key === null)
      throw requestErrors.not_found({ detail: 'There is no such key, or you may not see it.' });
    return key;
  }

  async requireAccount(tx: Tx, key: ApiKey): Promise<Account> {
    const account = await this.#deps.accounts.find(tx, key.workspaceId, key.accountId);
    if (account === null) throw requestErrors.not_found();
    if (!account.isActive) throw keyErrors.account_disabled();
    return account;
  }

  async requireRoom(tx: Tx, account: Account, settings: Settings): Promise<void> {
    const count = await repo.countLiveKeys(tx, account.workspaceId, account.id, this.#deps.clock.now());
    if (count >= settings.maxKeysPerAccount) {
      throw keyErrors.too_many({
        detail: `The account has ${count} live keys; the limit (maxKeysPerAccount) is ${settings.maxKeysPerAccount}. Delete keys that are no longer used.`,
      });
    }
  }
}

/** No answer about a key tells its comment. */
function isCommentOnly(changes: KeyChanges): boolean {
  return Object.keys(changes).every((field) => field === 'comment');
}
