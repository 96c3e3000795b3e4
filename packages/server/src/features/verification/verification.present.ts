import type { Static } from 'typebox';
import type { AccountIdentity, KeyIdentity, Workspace } from '../../http/index.ts';
import { toIsoOrNull } from '../../lib/clock.ts';
import type { Freshness } from '../../storage/index.ts';
import { presentPermissions } from '../accounts/index.ts';
import { presentLimitAnswer } from '../limits/index.ts';
import type { VerifyAnswerSchema } from './verification.schema.ts';
import type { VerifyAnswer } from './verification.service.ts';

export function presentVerifyAnswer(
  { code, subject, matched, limits }: VerifyAnswer,
  freshness: Freshness,
): Static<typeof VerifyAnswerSchema> {
  const valid = code === 'valid';
  if (subject === null) {
    const nobody = { keyId: null, account: null, access: null, scopes: null, expiresAt: null };
    return { valid, code, ...nobody, freshness };
  }
  const { account, key } = subject;
  const [permission] = presentPermissions(matched === null ? [] : [matched]);
  return {
    valid,
    code,
    keyId: key.id,
    account: { id: account.id, kind: account.kind, displayName: account.displayName, login: account.login },
    access: key.access,
    scopes: presentPermissions(key.scopes),
    expiresAt: toIsoOrNull(key.expiresAt),
    ...(permission === undefined ? {} : { matched: permission }),
    ...(limits === null || limits.states.length === 0 ? {} : { limits: presentLimitAnswer(limits) }),
    freshness,
  };
}

/** Headers are ASCII; a login that is not is percent-encoded whole. */
function toHeaderText(text: string): string {
  return /^[!-~]+$/.test(text) ? text : encodeURIComponent(text);
}

/** Who it was, for the gateway to hand on to the service behind it. */
export function presentSubjectHeaders(
  workspace: Workspace,
  account: AccountIdentity,
  key: KeyIdentity,
): Record<string, string> {
  return {
    'x-keyreeve-account': account.id,
    'x-keyreeve-account-kind': account.kind,
    'x-keyreeve-account-login': toHeaderText(account.login),
    'x-keyreeve-key-id': key.id,
    'x-keyreeve-workspace': workspace.id,
  };
}

const REASONS: Readonly<Record<string, string>> = {
  'auth.key_expired': 'expired',
  'auth.key_disabled': 'disabled',
  'auth.account_disabled': 'account_disabled',
  'auth.ip_not_allowed': 'ip_not_allowed',
};

/** `X-Keyreeve-Reason`: precise only where the auth hook was, that is, only for the right secret. */
export function presentReason(code: string): string {
  return REASONS[code] ?? 'invalid';
}
