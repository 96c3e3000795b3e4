import { ConfigError } from './config/index.ts';
import type { Deps } from './deps.ts';
import { AppError } from './errors/index.ts';

/** What a person needs to know at the first start: lines to print. */
export async function prepareFirstRun(deps: Deps): Promise<readonly string[]> {
  const { accounts, workspaces, defaultWorkspace, storage, config } = deps;
  if ((await accounts.countActiveAdmins(storage.read, defaultWorkspace.id)) > 0) return [];
  if (config.admin !== null) {
    await createAdmin(deps, config.admin);
    return [`The administrator is ${config.admin.email}.`];
  }
  const code = await workspaces.issueSetupCode(defaultWorkspace.id);
  return [`Set-up code (works once): ${code.reveal()}`];
}

/** @throws ConfigError when the rules for accounts and passwords refuse what the configuration says */
async function createAdmin(
  { setup, defaultWorkspace }: Deps,
  admin: NonNullable<Deps['config']['admin']>,
): Promise<void> {
  const { email, password } = admin;
  try {
    await setup.createFirstAdmin(defaultWorkspace, {
      email,
      password,
      displayName: email.split('@')[0] ?? email,
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new ConfigError([`KEYREEVE_ADMIN_EMAIL and KEYREEVE_ADMIN_PASSWORD: ${error.detail}`]);
  }
}
