import type { Storage } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { KeyAuthenticator, UsageRecorder } from '../../keys/index.ts';
import type { LimitsService } from '../../limits/index.ts';
import type { TokensService } from '../tokens.service.ts';
import { type ClientAuthenticator, createClientAuthenticator } from './client-authentication.ts';
import { createIntrospection, type Introspection } from './introspection.ts';
import { createTokenExchange } from './token-exchange.ts';
import { createTokenGrants, type TokenGrants } from './token-grants.ts';

/** The services behind the OAuth endpoints. */
export interface OAuth {
  readonly clients: ClientAuthenticator;
  readonly grants: TokenGrants;
  readonly introspection: Introspection;
}

export function createOAuth(deps: {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly tokens: TokensService;
  readonly keyAuthenticator: KeyAuthenticator;
}): OAuth {
  const clients = createClientAuthenticator(deps);
  return {
    clients,
    grants: createTokenGrants({ ...deps, clients, exchange: createTokenExchange(deps) }),
    introspection: createIntrospection({ ...deps, clients }),
  };
}
