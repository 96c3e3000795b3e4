import type { ApiKey } from './api-key.ts';

/** When the sample keys were made. */
export const SAMPLE_MS = Date.UTC(2027, 2, 1, 9, 0, 0);

let made = 0;

/** Each test has a workspace of its own, in which there is nothing else. */
export function sampleWorkspaceId(): string {
  made += 1;
  return `wsp_sample_${made}`;
}

/** Another key each time, with ids that grow: as it is when it is made, with no more than every key has. */
export function sampleApiKey(workspaceId: string, more: Partial<ApiKey> = {}): ApiKey {
  made += 1;
  return {
    id: `kr_${String(made).padStart(16, '0')}`,
    workspaceId,
    accountId: 'acc_robot',
    ownerId: 'acc_robot',
    comment: 'CI',
    access: 'account',
    scopes: [],
    lifetimeDays: null,
    createdAt: SAMPLE_MS,
    createdBy: null,
    renewedAt: null,
    updatedAt: SAMPLE_MS,
    isEnabled: true,
    disabledReason: null,
    disabledAt: null,
    current: { number: 1, digest: `digest ${made}`, pepperId: 'dk_new', expiresAt: SAMPLE_MS + 90_000 },
    old: null,
    ipRanges: [],
    limits: null,
    foreignDigest: null,
    epoch: 1,
    version: 1,
    ...more,
  };
}
