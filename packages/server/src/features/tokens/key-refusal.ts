import type { AppError } from '../../errors/index.ts';
import { authErrors } from '../../http/index.ts';
import type { KeyOutcome } from '../keys/index.ts';

/** A key whose secret was right, whatever its state. */
export type ProvenKey = Extract<KeyOutcome, { readonly key: unknown }>;

const REASONS = {
  valid: authErrors.invalid_credential,
  malformed: authErrors.invalid_credential,
  not_found: authErrors.invalid_credential,
  expired: authErrors.key_expired,
  disabled: authErrors.key_disabled,
  account_disabled: authErrors.account_disabled,
  ip_not_allowed: authErrors.ip_not_allowed,
} as const satisfies Record<KeyOutcome['code'], () => AppError>;

/** Why a key was refused, as an error: precise only where the secret was right. */
export function toRefusal(code: Exclude<KeyOutcome['code'], 'valid'>): AppError {
  return REASONS[code]();
}
