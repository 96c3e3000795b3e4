export { cacheHeaders, findOver, limitHeaders, toLimitError } from './limit-headers.ts';
export { presentAllowance, presentLimitAnswer, presentLimits } from './limits.present.ts';
export { areLimitsLoosened, checkLimits, type KeyLimitsInput } from './limits.rules.ts';
export {
  KeyAllowanceSchema,
  KeyLimitsInputSchema,
  KeyLimitsSchema,
  LimitAnswerSchema,
  LimitsFieldSchema,
} from './limits.schema.ts';
export {
  createLimitsService,
  isLimited,
  type KeyAllowance,
  type LimitAnswer,
  type LimitsService,
} from './limits.service.ts';
export { openRateCounter, pingRedis, registerRateCounterMetrics } from './open-rate-counter.ts';
export { listCountedKeyIds, removeQuotas } from './quota.repo.ts';
export type { RateCounter } from './rate-counter.ts';
export { serveRateCounters } from './worker-rate-counter.ts';
