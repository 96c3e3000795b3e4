import type { Workspace } from './caller.ts';
import type { AccountIdentity, KeyIdentity } from './principal.ts';

export const SAMPLE_WORKSPACE: Workspace = {
  id: 'wsp_1',
  name: 'Default',
  subdomain: null,
  isDefault: true,
  url: 'https://keys.test',
};

/** Ada, a member who is granted nothing. */
export const SAMPLE_ACCOUNT: AccountIdentity = {
  id: 'acc_ada',
  workspaceId: SAMPLE_WORKSPACE.id,
  kind: 'user',
  displayName: 'Ada',
  login: 'ada@example.com',
  role: 'member',
  isActive: true,
  grants: [],
  keyLimits: null,
  epoch: 1,
};

/** A key of hers that has no scopes and does not expire. */
export const SAMPLE_KEY: KeyIdentity = {
  id: 'kr_0123456789ABCDEF',
  ownerId: SAMPLE_ACCOUNT.id,
  comment: '',
  access: 'scoped',
  scopes: [],
  limits: null,
  generation: 1,
  expiresAt: null,
};
