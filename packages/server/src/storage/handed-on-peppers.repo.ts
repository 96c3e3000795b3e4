import type { Executor } from './database.ts';
import type { Tx } from './transaction.ts';

/**
 * A pepper for processes that run: sealed under a data key that they hold, since they have forgotten the master key.
 * Rows of `meta`, named by the id of the pepper.
 */
const PREFIX = 'handed_on_pepper/';
const PEPPERS_MAX = 1_000;

/** Where a pepper is sealed: it opens nowhere else. */
export function handOnPlace(id: string): string {
  return `meta/${PREFIX}${id}`;
}

export async function handOnPepper(tx: Tx, id: string, sealed: string): Promise<void> {
  await tx
    .insertInto('meta')
    .values({ name: `${PREFIX}${id}`, value: sealed })
    .execute();
}

/** Those that were handed on and not yet withdrawn, the oldest first. */
export async function readHandedOnPeppers(
  exec: Executor,
): Promise<readonly { readonly id: string; readonly sealed: string }[]> {
  const peppers = await exec
    .selectFrom('data_keys')
    .select(['id', 'created_at'])
    .where('purpose', '=', 'pepper')
    .orderBy('created_at')
    .orderBy('id')
    .limit(PEPPERS_MAX)
    .execute();
  const names = peppers.map(({ id }) => `${PREFIX}${id}`);
  const rows = await exec
    .selectFrom('meta')
    .select(['name', 'value'])
    .where('name', 'in', names)
    .limit(PEPPERS_MAX)
    .execute();
  const sealed = new Map(rows.map(({ name, value }) => [name, value]));
  return peppers.flatMap(({ id }) => {
    const value = sealed.get(`${PREFIX}${id}`);
    return value === undefined ? [] : [{ id, sealed: value }];
  });
}

/** @param madeBefore epoch milliseconds: of peppers that are older */
export async function withdrawPeppers(exec: Executor, madeBefore: number): Promise<void> {
  const old = await exec
    .selectFrom('data_keys')
    .select('id')
    .where('purpose', '=', 'pepper')
    .where('created_at', '<', madeBefore)
    .limit(PEPPERS_MAX)
    .execute();
  if (old.length === 0) return;
  const names = old.map(({ id }) => `${PREFIX}${id}`);
  await exec.deleteFrom('meta').where('name', 'in', names).execute();
}
