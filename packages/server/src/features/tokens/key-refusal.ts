import type { AppError } from '../../errors/index.ts';
import { authErrors } from '../../http/index.ts';
import type { KeyOutcome } from '../keys/index.ts';

/** A key whose secret was right, whatever its state. */
export type ProvenKey = Extract<KeyOutcome, { readonly key: unknown }>;

type Refused = Exclude<KeyOutcome['code'], 'valid'>;

const REASONS = {
  malformed: authErrors.invalid_credential,
  not_found: authErrors.invalid_credential,
  expired: authErrors.key_expired,
  disabled: authErrors.key_disabled,
  account_disabled: authErrors.account_disabled,
  ip_not_allowed: authErrors.ip_not_allowed,
} as const satisfies Record<Refused, () => AppError>;

/** Why a key was refused, as an error: precise only where the secret was right. */
export function toRefusal(code: Refused): AppError {
  return REASONS[code]();
}
