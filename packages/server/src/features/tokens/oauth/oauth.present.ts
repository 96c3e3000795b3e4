import type { Static } from 'typebox';
import type { AppError } from '../../../errors/index.ts';
import type { Workspace } from '../../../http/index.ts';
import { dropCoveredActions } from '../../scopes/index.ts';
import { toDetails, toScope } from '../claims.ts';
import type { ActiveCredential } from './introspection.ts';
import type {
  IntrospectionSchema,
  OAuthErrorSchema,
  ServerMetadataSchema,
  TokenAnswerSchema,
} from './oauth.schema.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './token-exchange.ts';
import { CLIENT_CREDENTIALS, type Granted } from './token-grants.ts';

const SECOND_MS = 1_000;
const AREA = 'oauth.';
const DESCRIPTION_CHARACTERS_MAX = 500;
/** The only type of body that OAuth knows. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

function presentDetails(permissions: Granted['permissions']) {
  return toDetails(permissions).map(({ type, actions, identifiers }) => ({
    type,
    actions: [...actions],
    identifiers: [...identifiers],
  }));
}

/**
 * `scope` names every action, as clients compare it with what they asked for; in the token, where services read it
 * that know no resources, it names only those held on everything.
 */
export function presentToken({
  issued,
  permissions,
  isExchanged,
}: Granted): Static<typeof TokenAnswerSchema> {
  const { claims, token } = issued;
  const scope = dropCoveredActions(permissions.flatMap(({ actions }) => actions)).join(' ');
  return {
    access_token: token.reveal(),
    token_type: 'Bearer',
    expires_in: claims.exp - claims.iat,
    ...(scope === '' ? {} : { scope }),
    authorization_details: presentDetails(permissions),
    ...(isExchanged ? { issued_token_type: ACCESS_TOKEN_TYPE } : {}),
  };
}

export function presentIntrospection(
  workspace: Workspace,
  found: ActiveCredential | null,
): Static<typeof IntrospectionSchema> {
  if (found === null) return { active: false };
  const { claims, account, key, permissions } = found;
  const scope = toScope(permissions);
  const common = {
    active: true,
    ...(scope === '' ? {} : { scope }),
    client_id: key.id,
    username: account.login,
    sub: account.id,
    iss: workspace.url,
    authorization_details: presentDetails(permissions),
  };
  if (claims === null) {
    const exp = key.expiresAt === null ? {} : { exp: Math.floor(key.expiresAt / SECOND_MS) };
    return { ...common, token_type: 'api_key', aud: workspace.url, ...exp };
  }
  const { exp, iat, aud, jti, act } = claims;
  return { ...common, token_type: 'Bearer', exp, iat, aud, jti, ...(act === undefined ? {} : { act }) };
}

/** What OAuth calls the errors that are not its own. */
const OAUTH_NAMES: Readonly<Record<string, string>> = {
  'token.too_long': 'invalid_scope',
  'token.chain_too_long': 'invalid_request',
  'token.resource_not_allowed': 'invalid_target',
  'auth.key_expired': 'invalid_client',
  'auth.invalid_credential': 'invalid_request',
  'request.unavailable': 'temporarily_unavailable',
  'limit.rate_limited': 'temporarily_unavailable',
  'limit.quota_exceeded': 'temporarily_unavailable',
};

function toOAuthName({ code, status }: AppError): string {
  if (code.startsWith(AREA)) return code.slice(AREA.length);
  return OAUTH_NAMES[code] ?? (status >= 500 ? 'server_error' : 'invalid_request');
}

/** RFC 6749 5.2 has 401 for the client and 400 for all other faults of a request. */
export function toOAuthStatus(error: AppError): number {
  const isKept = error.status >= 500 || error.status === 421 || error.status === 429;
  if (isKept) return error.status;
  return ['invalid_client', 'invalid_token'].includes(toOAuthName(error)) ? 401 : 400;
}

/** RFC 6749 5.2 allows printable ASCII without quotation mark and backslash. */
function toDescription(detail: string): string {
  return detail
    .replaceAll(/["`]/g, "'")
    .replaceAll(/[^ -[\]-~]/g, '?')
    .slice(0, DESCRIPTION_CHARACTERS_MAX);
}

export function presentOAuthError(error: AppError, workspace: Workspace): Static<typeof OAuthErrorSchema> {
  // The remedy of the catalogue is that of the routes that take JSON.
  const isTypeWrong = error.code === 'request.unsupported_media_type';
  const detail = isTypeWrong ? `Send the body as ${FORM_TYPE}.` : error.detail;
  return {
    error: toOAuthName(error),
    error_description: toDescription(detail),
    error_uri: `${workspace.url}/docs/errors/${error.code}`,
  };
}

const CLIENT_METHODS = ['client_secret_basic', 'client_secret_post'];

/** RFC 8414. The addresses are those of the workspace, never of the request. What has no values is left out. */
export function presentServerMetadata({ url }: Workspace): Static<typeof ServerMetadataSchema> {
  return {
    issuer: url,
    token_endpoint: `${url}/oauth2/token`,
    token_endpoint_auth_methods_supported: CLIENT_METHODS,
    grant_types_supported: [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
    jwks_uri: `${url}/.well-known/jwks.json`,
    introspection_endpoint: `${url}/oauth2/introspect`,
    introspection_endpoint_auth_methods_supported: [...CLIENT_METHODS, 'Bearer'],
    revocation_endpoint: `${url}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: CLIENT_METHODS,
    authorization_details_types_supported: ['keyreeve'],
  };
}
