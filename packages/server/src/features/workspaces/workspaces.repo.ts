import type { CursorValues } from '../../lib/page.ts';
import type { Executor, WorkspacesTable } from '../../storage/index.ts';

export type WorkspaceRow = WorkspacesTable;

const COLUMNS = ['id', 'name', 'subdomain', 'is_default', 'created_at'] as const;

export async function findDefaultWorkspace(exec: Executor): Promise<WorkspaceRow | undefined> {
  return await exec
    .selectFrom('workspaces')
    .select(COLUMNS)
    .where('is_default', '=', 1)
    .limit(1)
    .executeTakeFirst();
}

export async function findWorkspaceById(exec: Executor, id: string): Promise<WorkspaceRow | undefined> {
  return await exec.selectFrom('workspaces').select(COLUMNS).where('id', '=', id).executeTakeFirst();
}

export async function findWorkspaceBySubdomain(
  exec: Executor,
  subdomain: string,
): Promise<WorkspaceRow | undefined> {
  return await exec
    .selectFrom('workspaces')
    .select(COLUMNS)
    .where('subdomain', '=', subdomain)
    .executeTakeFirst();
}

export async function findWorkspaceByHost(exec: Executor, host: string): Promise<WorkspaceRow | undefined> {
  return await exec
    .selectFrom('workspaces')
    .innerJoin('workspace_hosts', 'workspace_hosts.workspace_id', 'workspaces.id')
    .select([
      'workspaces.id',
      'workspaces.name',
      'workspaces.subdomain',
      'workspaces.is_default',
      'workspaces.created_at',
    ])
    .where('workspace_hosts.host', '=', host)
    .executeTakeFirst();
}

export async function listHosts(
  exec: Executor,
  workspaceIds: readonly string[],
): Promise<{ host: string; workspace_id: string }[]> {
  if (workspaceIds.length === 0) return [];
  return await exec
    .selectFrom('workspace_hosts')
    .select(['host', 'workspace_id'])
    .where('workspace_id', 'in', workspaceIds)
    .orderBy('host')
    .limit(10_000)
    .execute();
}

export async function listWorkspaces(
  exec: Executor,
  after: CursorValues | null,
  limit: number,
): Promise<WorkspaceRow[]> {
  let query = exec.selectFrom('workspaces').select(COLUMNS);
  if (after !== null) query = query.where('id', '>', String(after[0]));
  return await query.orderBy('id').limit(limit).execute();
}

export async function insertWorkspace(
  exec: Executor,
  row: WorkspaceRow,
  hosts: readonly string[],
): Promise<void> {
  await exec.insertInto('workspaces').values(row).execute();
  for (const host of hosts)
    await exec.insertInto('workspace_hosts').values({ host, workspace_id: row.id }).execute();
}

export async function saveSetupCode(
  exec: Executor,
  workspaceId: string,
  codeDigest: string,
  now: number,
): Promise<void> {
  const values = { code_digest: codeDigest, created_at: now };
  await exec
    .insertInto('setup_codes')
    .values({ workspace_id: workspaceId, ...values })
    .onConflict((conflict) => conflict.column('workspace_id').doUpdateSet(values))
    .execute();
}

export async function findSetupCode(exec: Executor, workspaceId: string): Promise<string | null> {
  const row = await exec
    .selectFrom('setup_codes')
    .select('code_digest')
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row?.code_digest ?? null;
}

export async function deleteSetupCode(exec: Executor, workspaceId: string): Promise<void> {
  await exec.deleteFrom('setup_codes').where('workspace_id', '=', workspaceId).execute();
}
