import { nextTurn } from '../../lib/turns.ts';
import type { Executor, Keyring } from '../../storage/index.ts';
import { isRowIntact } from './key-digest.ts';
import { COLUMNS, toApiKey } from './keys.repo.ts';

const PAGE_ROWS = 500;

/** Looks at every stored key of every workspace: how many there are, and the ids of those that their MAC disowns. */
export async function checkKeyRows(
  exec: Executor,
  keyring: Keyring,
): Promise<{ readonly checked: number; readonly altered: readonly string[] }> {
  const altered: string[] = [];
  let checked = 0;
  for (let last = ''; ; ) {
    const rows = await exec
      .selectFrom('api_keys')
      .select(COLUMNS)
      .where('id', '>', last)
      .orderBy('id')
      .limit(PAGE_ROWS)
      .execute();
    checked += rows.length;
    for (const row of rows) if (!isRowIntact(keyring, toApiKey(row), row.row_mac)) altered.push(row.id);
    const end = rows.at(-1);
    if (end === undefined) return { checked, altered };
    last = end.id;
    await nextTurn();
  }
}
