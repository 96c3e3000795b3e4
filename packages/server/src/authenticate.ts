import type { KeyAuthenticator, PresentedKey, UsageRecorder } from './features/keys/index.ts';
import { hasTokenShape } from './features/tokens/index.ts';
import { type AuthenticatedPrincipal, authErrors, type HttpAppOptions } from './http/index.ts';
import type { Secret } from './lib/secret.ts';

type Authenticate = HttpAppOptions['authenticate'];
type RequestFacts = Parameters<Authenticate>[1];

export interface AuthenticateDeps {
  readonly keys: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly authenticateSession: (cookie: Secret, facts: RequestFacts) => Promise<AuthenticatedPrincipal>;
  readonly authenticateToken: (token: Secret, facts: RequestFacts) => Promise<AuthenticatedPrincipal>;
}

const REASONS = {
  expired: authErrors.key_expired,
  disabled: authErrors.key_disabled,
  account_disabled: authErrors.account_disabled,
  ip_not_allowed: authErrors.ip_not_allowed,
} as const;

/**
 * The one place where a presented credential becomes a principal, for every route. The holder of a right
 * secret is told precisely why it does not work; everybody else gets the same answer for everything. Refusals
 * are counted here; what came of a good key is known only when the route has been asked.
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const fromKey = async (presented: PresentedKey, facts: RequestFacts): Promise<AuthenticatedPrincipal> => {
    const outcome = await deps.keys.authenticate(facts.workspace.id, presented, facts.ip);
    if (outcome.code === 'malformed' || outcome.code === 'not_found') throw authErrors.invalid_credential();
    if (outcome.code === 'valid') return { kind: 'key', account: outcome.account, key: outcome.key };
    if (facts.isCounted) {
      deps.usage.record({
        workspaceId: facts.workspace.id,
        keyId: outcome.key.id,
        action: facts.action,
        outcome: outcome.code,
        ip: facts.ip,
        userAgent: facts.userAgent,
      });
    }
    throw REASONS[outcome.code]();
  };
  return async (credential, facts) => {
    if (credential.kind === 'cookie') return await deps.authenticateSession(credential.value, facts);
    if (credential.kind === 'pair')
      return await fromKey({ apiKey: credential.apiKey, secretKey: credential.secretKey }, facts);
    if (hasTokenShape(credential.value.reveal()))
      return await deps.authenticateToken(credential.value, facts);
    return await fromKey({ fullKey: credential.value }, facts);
  };
}
