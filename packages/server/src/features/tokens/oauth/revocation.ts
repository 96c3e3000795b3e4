import { AppError, requestErrors } from '../../../errors/index.ts';
import type { Caller } from '../../../http/index.ts';
import type { Secret } from '../../../lib/secret.ts';
import { hasFullKeyShape, type KeyAuthenticator } from '../../keys/index.ts';
import type { ProvenKey } from '../key-refusal.ts';
import { hasTokenShape } from '../token-text.ts';
import type { TokensService } from '../tokens.service.ts';
import { oauthErrors } from './oauth.errors.ts';

interface Deps {
  readonly tokens: TokensService;
  readonly keyAuthenticator: KeyAuthenticator;
}

/**
 * Answers `POST /oauth2/revoke` (RFC 7009): ends the token, and all that were exchanged for it, if the client got it.
 * A token that is no good, or another's, needs no answer but 200. Durable when it returns.
 *
 * @throws oauth.unsupported_token_type for a key; request.unavailable whenever it is not sure that the token has
 * ended: a 200 would tell the owner of a stolen one that he is safe
 */
export async function revokeToken(
  { tokens, keyAuthenticator }: Deps,
  caller: Caller,
  client: ProvenKey,
  token: Secret,
): Promise<void> {
  const { workspace } = caller;
  try {
    // Taken for an unknown token, a key would be answered with 200 and stay alive: one of ours, or an imported one.
    const isKey =
      hasFullKeyShape(token.reveal()) ||
      (!hasTokenShape(token.reveal()) &&
        'key' in (await keyAuthenticator.authenticate(workspace.id, { fullKey: token }, null)));
    if (isKey) throw oauthErrors.unsupported_token_type();
    const claims = await tokens.read(workspace, token);
    if (claims === null) return;
    if (client.key.id !== claims.client_id && client.key.id !== claims.act?.client_id) return;
    const principal = { kind: 'key', account: client.account, key: client.key } as const;
    await tokens.endRead({ ...caller, principal }, claims);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw requestErrors.unavailable({ headers: { 'retry-after': '5' }, cause: error });
  }
}
