import type { AccountIdentity, Caller, KeyIdentity } from '../../../http/index.ts';
import type { Permission } from '../../../lib/permission.ts';
import { effectivePermissions } from '../../scopes/index.ts';
import { groupByResources, permissionsOf } from '../claims.ts';
import type { IssuedToken, TokensService } from '../tokens.service.ts';
import type { ClientAuthenticator, PresentedClient } from './client-authentication.ts';
import { type Form, requireParameter } from './form.ts';
import { narrowRights, readAskedRights, readResource } from './narrowing.ts';
import { oauthErrors } from './oauth.errors.ts';
import { type ExchangeToken, TOKEN_EXCHANGE, TOKEN_ROUTE } from './token-exchange.ts';

export const CLIENT_CREDENTIALS = 'client_credentials';

/** A token as the token endpoint answers it. */
export interface Granted {
  readonly issued: IssuedToken;
  /** What the token permits, also where it is too long to tell. */
  readonly permissions: readonly Permission[];
  readonly isExchanged: boolean;
  /** When the key behind it stops; null when it never does. Milliseconds. */
  readonly keyExpiresAt: number | null;
}

export interface TokenGrants {
  /**
   * Answers `POST /oauth2/token`: client_credentials (RFC 6749 4.4) with an API key as client id and its secret key
   * as client secret, and token exchange (RFC 8693).
   *
   * @throws oauth.*, token.resource_not_allowed, token.too_long, token.chain_too_long
   */
  grant(caller: Caller, form: Form, presented: PresentedClient | null): Promise<Granted>;
}

interface Deps {
  readonly tokens: TokensService;
  readonly clients: ClientAuthenticator;
  readonly exchange: ExchangeToken;
}

function toGranted(
  issued: IssuedToken,
  holder: { readonly account: AccountIdentity; readonly key: KeyIdentity },
  isExchanged: boolean,
): Granted {
  return {
    issued,
    permissions:
      permissionsOf(issued.claims) ?? groupByResources(effectivePermissions(holder.account, holder.key)),
    isExchanged,
    keyExpiresAt: holder.key.expiresAt,
  };
}

export function createTokenGrants({ tokens, clients, exchange }: Deps): TokenGrants {
  return {
    grant: async (caller, form, presented) => {
      const type = requireParameter(form, 'grant_type');
      if (type === CLIENT_CREDENTIALS) {
        const proven = await clients.require(caller, presented, TOKEN_ROUTE);
        const held = effectivePermissions(proven.account, proven.key);
        const wish = { resource: readResource(form), permissions: narrowRights(held, readAskedRights(form)) };
        return toGranted(await tokens.issue(caller.workspace, proven, wish), proven, false);
      }
      if (type === TOKEN_EXCHANGE) {
        const client = presented === null ? null : await clients.require(caller, presented, TOKEN_ROUTE);
        const { issued, subject } = await exchange(caller, form, client);
        return toGranted(issued, subject.principal, true);
      }
      throw oauthErrors.unsupported_grant_type({
        detail: `grant_type must be ${CLIENT_CREDENTIALS} or ${TOKEN_EXCHANGE}.`,
      });
    },
  };
}
