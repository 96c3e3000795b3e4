import type { Deps } from './deps.ts';

/** What a person needs to know at the first start: lines to print. */
export async function prepareFirstRun(deps: Deps, _isDemo: boolean): Promise<readonly string[]> {
  const { accounts, workspaces, defaultWorkspace, storage } = deps;
  if ((await accounts.countActiveAdmins(storage.read, defaultWorkspace.id)) > 0) return [];
  const code = await workspaces.issueSetupCode(defaultWorkspace.id);
  return [`Set-up code (works once): ${code.reveal()}`];
}
