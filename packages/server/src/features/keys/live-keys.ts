import type { KeyIdentity } from '../../http/index.ts';
import type { Executor, Keyring } from '../../storage/index.ts';
import { toKeyIdentity } from './api-key.ts';
import { listLiveKeysOfOwners } from './keys.repo.ts';

/** A key that works now, and whose it is; what it may do is another question. */
export interface LiveKey {
  readonly accountId: string;
  readonly createdAt: number;
  readonly identity: KeyIdentity;
}

const STRETCH_ROWS = 200;

/** Stretch by stretch, the keys that act for one of these owners and would be let in now. */
export async function* listLiveKeys(
  exec: Executor,
  keyring: Keyring,
  filter: { readonly workspaceId: string; readonly ownerIds: readonly string[]; readonly now: number },
): AsyncGenerator<readonly LiveKey[]> {
  for (let after = ''; ; ) {
    const { keys, rowCount, end } = await listLiveKeysOfOwners(exec, keyring, filter, after, STRETCH_ROWS);
    // A key that its holder has revoked has no digest left, and no text is its secret any more.
    const live = keys.filter((key) => key.current.digest !== '');
    yield live.map((key) => ({
      accountId: key.accountId,
      createdAt: key.createdAt,
      identity: toKeyIdentity(key, key.current),
    }));
    // Stryker disable next-line ConditionalExpression: a whole stretch has an end, which the compiler cannot know
    if (rowCount < STRETCH_ROWS || end === null) return;
    after = String(end[0]);
  }
}
