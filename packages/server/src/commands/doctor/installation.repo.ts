import type { Executor } from '../../storage/index.ts';

/** The last key of each kind is enough to tell; so many are read at most. */
const KEYS_MAX = 1_000;

/** What tells whether a master key is the right one; null in a database that no server has opened. */
export async function readMasterKeyCheck(exec: Executor): Promise<string | null> {
  const row = await exec
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'master_key_check')
    .executeTakeFirst();
  return row?.value ?? null;
}

/** How many can administer the default workspace. */
export async function countActiveAdmins(exec: Executor): Promise<number> {
  const { count } = await exec
    .selectFrom('accounts')
    .innerJoin('workspaces', 'workspaces.id', 'accounts.workspace_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('workspaces.is_default', '=', 1)
    .where('accounts.kind', '=', 'user')
    .where('accounts.role', '=', 'admin')
    .where('accounts.state', '=', 'active')
    .executeTakeFirstOrThrow();
  return count;
}

export interface SigningKeyTimes {
  readonly kid: string;
  readonly activates_at: number;
  readonly retires_at: number | null;
}

/** The signing keys of the default workspace, the newest first. */
export async function listSigningKeys(exec: Executor): Promise<SigningKeyTimes[]> {
  return await exec
    .selectFrom('signing_keys')
    .innerJoin('workspaces', 'workspaces.id', 'signing_keys.workspace_id')
    .select(['signing_keys.kid', 'signing_keys.activates_at', 'signing_keys.retires_at'])
    .where('workspaces.is_default', '=', 1)
    .orderBy('signing_keys.activates_at', 'desc')
    .limit(KEYS_MAX)
    .execute();
}

/** Work that was due before `before` and that no process has in hand. */
export async function countOverdue(
  exec: Executor,
  before: number,
): Promise<{
  readonly mails: number;
  readonly deliveries: number;
  readonly events: number;
  readonly tokens: number;
}> {
  const count = (row: { readonly count: number | string | bigint } | undefined) => Number(row?.count ?? 0);
  const mails = await exec
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'pending')
    .where('next_attempt_at', '<', before)
    .where('leased_until', '<', before)
    .executeTakeFirst();
  const deliveries = await exec
    .selectFrom('webhook_deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'pending')
    .where('next_attempt_at', '<', before)
    .where('leased_until', '<', before)
    .executeTakeFirst();
  const events = await exec
    .selectFrom('events')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('is_fanned_out', '=', 0)
    .where('created_at', '<', before)
    .executeTakeFirst();
  const tokens = await exec
    .selectFrom('ended_tokens')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('expires_at', '<', before)
    .executeTakeFirst();
  return { mails: count(mails), deliveries: count(deliveries), events: count(events), tokens: count(tokens) };
}
