import { AppError } from '../../errors/index.ts';
import { toIso } from '../../lib/clock.ts';
import type { KeyOutcome } from '../keys/index.ts';
import { packageErrors } from './gallery.errors.ts';

/**
 * The answer to a key that does not work. Whoever holds the right secret learns the reason; everybody else gets
 * the one text that users of nuget.org know.
 */
export function explainOutcome(outcome: KeyOutcome): AppError {
  switch (outcome.code) {
    case 'expired':
      return packageErrors.key_refused({
        detail: `This API key has expired${since(outcome.key.expiresAt)}. Regenerate it; its id and scopes stay the same.`,
      });
    case 'disabled':
      return packageErrors.key_refused({
        detail: 'This API key is disabled. Enable it in the console first.',
      });
    case 'account_disabled':
      return packageErrors.key_refused({
        detail: 'The account of this API key is disabled. Ask an administrator to enable it.',
      });
    case 'ip_not_allowed':
      return packageErrors.key_refused({ detail: 'This API key may not be used from this address.' });
    default:
      return packageErrors.key_refused();
  }
}

/** To the second: the digits of milliseconds may look like a status, which clients search the phrase for. */
function since(expiresAt: number | null): string {
  return expiresAt === null ? '' : ` (since ${toIso(expiresAt).slice(0, 19)}Z)`;
}

/** It says nothing about rights, so nobody is warned of the key for it, and the audit log has no refusal. */
export function isQuotaReached(error: AppError): boolean {
  return error.code === 'package.quota_reached';
}

/** A right that lacks. */
export function asRefusal(error: unknown): AppError | null {
  const isRefusal = error instanceof AppError && error.status === 403 && !isQuotaReached(error);
  return isRefusal ? error : null;
}
