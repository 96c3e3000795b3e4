import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import { presentAccountName, presentPermissions } from '../accounts/index.ts';
import { presentAllowance, presentLimits } from '../limits/index.ts';
import type { MintedKey } from './key-issue.ts';
import type { KeyView } from './key-list.ts';
import type { KeySchema, MintedKeySchema } from './keys.schema.ts';
import { presentRefusal } from './usage.present.ts';

export function presentKey(view: KeyView): Static<typeof KeySchema> {
  const { key, status, lastUse } = view;
  return {
    id: key.id,
    accountId: key.accountId,
    account: presentAccountName(view.account),
    ownerId: key.ownerId,
    owner: presentAccountName(view.owner),
    comment: key.comment,
    access: key.access,
    scopes: presentPermissions(key.scopes),
    ipRanges: [...key.ipRanges],
    limits: presentLimits(key.limits),
    allowance: view.allowance === null ? null : presentAllowance(view.allowance),
    createdAt: toIso(key.createdAt),
    createdBy: key.createdBy,
    updatedAt: toIso(key.updatedAt),
    expiresAt: toIsoOrNull(key.current.expiresAt),
    lifetimeDays: key.lifetimeDays,
    status,
    disabledReason: key.disabledReason,
    disabledAt: toIsoOrNull(key.disabledAt),
    generation: key.current.number,
    overlapEndsAt: toIsoOrNull(key.old?.expiresAt ?? null),
    isImported: key.foreignDigest !== null,
    version: key.version,
    lastUsedAt: toIsoOrNull(lastUse?.at ?? null),
    lastUsedIp: lastUse?.ip ?? null,
    lastUsedAgent: lastUse?.userAgent ?? null,
    lastRefusal: presentRefusal(view.lastRefusal),
    firstRefusal: presentRefusal(view.firstRefusal),
    refusedSinceExpiry: view.refusedSinceExpiry,
  };
}

/** The one place where a secret key goes out. */
export function presentMintedKey(minted: MintedKey, view: KeyView): Static<typeof MintedKeySchema> {
  return {
    key: presentKey(view),
    apiKey: minted.key.id,
    secretKey: minted.secretKey.reveal(),
    fullKey: minted.fullKey.reveal(),
  };
}
