export { presentLimits } from './limits.present.ts';
export { areLimitsLoosened, checkLimits, type KeyLimitsInput } from './limits.rules.ts';
export {
  KeyLimitsInputSchema,
  KeyLimitsSchema,
  LimitsFieldSchema,
} from './limits.schema.ts';
