import type { Deps } from './deps.ts';

/** What a person needs to know at the first start: lines to print. */
export async function prepareFirstRun(deps: Deps): Promise<readonly string[]> {
  const { accounts, workspaces, defaultWorkspace, storage, config, setup } = deps;
  if ((await accounts.countActiveAdmins(storage.read, defaultWorkspace.id)) > 0) return [];
  if (config.admin !== null) {
    const { email, password } = config.admin;
    await setup.createFirstAdmin(defaultWorkspace, { email, password, displayName: email.split('@')[0] ?? email });
    return [`The administrator is ${email}.`];
  }
  const code = await workspaces.issueSetupCode(defaultWorkspace.id);
  return [`Set-up code (works once): ${code.reveal()}`];
}
