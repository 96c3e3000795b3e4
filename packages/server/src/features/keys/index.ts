export { createAccountKeys } from './account-keys.ts';
export type { KeyOutcome } from './api-key.ts';
export { createExpiryHint, EXPIRY_HEADER, type ExpiryHint } from './expiry-hint.ts';
export { createExpirySweep, type ExpirySweep, type FindKeyStops } from './expiry-sweep.ts';
export { registerFeedRoutes } from './feeds.routes.ts';
export { createFeedsService, type FeedsService } from './feeds.service.ts';
export {
  createKeyAuthenticator,
  type KeyAuthenticator,
  type PresentedKey,
  type RecognizedKey,
} from './key-auth.ts';
export { checkKeyRows } from './key-check.repo.ts';
export { createKeyDelivery, type KeyDelivery } from './key-delivery.ts';
export { hasFullKeyShape } from './key-format.ts';
export { createKeyImporter, type KeyImporter } from './key-import.ts';
export { createKeyLister, type KeyLister } from './key-list.ts';
export { createKeyNotices } from './key-notices.ts';
export { rightsOfNewKey } from './keys.policy.ts';
export { findKey } from './keys.repo.ts';
export { registerKeyRoutes } from './keys.routes.ts';
export { createKeysService, type KeysService } from './keys.service.ts';
export { type LiveKey, listLiveKeys } from './live-keys.ts';
export { registerOverviewRoutes } from './overview.routes.ts';
export { createOverviewService, type OverviewService } from './overview.service.ts';
export { createPlainPlaces, type PlainPlace, type PlainPlaces, toHeaderLines } from './plain-places.ts';
export { createQuotaSweep, type QuotaSweep } from './quota-sweep.ts';
export { createRefusalNotices, type RefusalNotices } from './refusal-notices.ts';
export { registerSelfRoutes } from './self.routes.ts';
export { registerUsageRoutes } from './usage.routes.ts';
export { createUsageRecorder, type UsageRecorder } from './usage.ts';
export { createUsageReader, type UsageReader } from './usage-history.ts';
export { createUsageRetention, type UsageRetention } from './usage-retention.ts';
