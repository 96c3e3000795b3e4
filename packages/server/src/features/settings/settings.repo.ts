import { type Executor, raiseRevocationEpoch, type Tx } from '../../storage/index.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.schema.ts';

export interface StoredSettings {
  readonly settings: Settings;
  /** 0 while the workspace has never changed anything. */
  readonly version: number;
}

export async function findSettings(exec: Executor, workspaceId: string): Promise<StoredSettings> {
  const row = await exec
    .selectFrom('settings')
    .select(['document', 'version'])
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (row === undefined) return { settings: DEFAULT_SETTINGS, version: 0 };
  // Settings that a newer release has added are missing in the stored document and take their defaults.
  return {
    settings: { ...DEFAULT_SETTINGS, ...(JSON.parse(row.document) as Partial<Settings>) },
    version: row.version,
  };
}

/** Some settings decide answers. They change so seldom that telling which would save nothing. */
export async function saveSettings(
  tx: Tx,
  workspaceId: string,
  stored: StoredSettings,
  now: number,
): Promise<void> {
  const values = { document: JSON.stringify(stored.settings), version: stored.version, updated_at: now };
  await tx
    .insertInto('settings')
    .values({ workspace_id: workspaceId, ...values })
    .onConflict((conflict) => conflict.column('workspace_id').doUpdateSet(values))
    .execute();
  await raiseRevocationEpoch(tx, workspaceId);
}
