export { accountErrors } from './accounts.errors.ts';
export { reachOf, toIdentity } from './accounts.policy.ts';
export { presentAccountName, presentPermissions } from './accounts.present.ts';
export type { Account } from './accounts.repo.ts';
export { registerAccountRoutes } from './accounts.routes.ts';
export { AccountNameSchema } from './accounts.schema.ts';
export { createAccountsService } from './accounts.service.ts';
export type { AccountHooks, AccountKeys, AccountsService, KeyCounts } from './accounts.types.ts';
export type { AccountCondition, AccountName } from './accounts-list.repo.ts';
