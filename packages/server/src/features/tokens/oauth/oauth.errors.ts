import { defineErrors } from '../../../errors/index.ts';

/**
 * The reasons are the error codes of OAuth itself (RFC 6749 5.2, 7009 2.2.1, 8707 2, 9396 5), so that the presenter
 * only has to cut off the area.
 */
export const oauthErrors = defineErrors('oauth', {
  invalid_request: {
    status: 400,
    title: 'The OAuth request cannot be read',
    remedy:
      'Send a POST with `application/x-www-form-urlencoded` parameters, each of them once; the description names the one that is at fault.',
  },
  invalid_client: {
    status: 401,
    title: 'The client is not authenticated',
    remedy:
      'Send the API key as client id and its secret key as client secret, either with Basic or as `client_id` and `client_secret` in the body.',
  },
  invalid_token: {
    status: 401,
    title: 'The bearer credential is not valid',
    remedy: 'Authenticate with a key or token that works, or with Basic.',
  },
  invalid_scope: {
    status: 400,
    title: 'The key does not hold the scope that was asked for',
    remedy: 'Ask only for actions that the key holds, separated by single spaces, or leave `scope` out.',
  },
  invalid_authorization_details: {
    status: 400,
    title: 'The authorization details are not within what the key holds',
    remedy:
      'Send a JSON array of objects with `type` "keyreeve", `actions` and `identifiers`, each of which the key holds.',
  },
  invalid_target: {
    status: 400,
    title: 'No tokens are issued for this resource',
    remedy: 'Ask for one resource of the workspace setting `tokenResources`, or leave `resource` out.',
  },
  unsupported_grant_type: {
    status: 400,
    title: 'This grant type is not supported',
    remedy: 'Use `client_credentials` or `urn:ietf:params:oauth:grant-type:token-exchange`.',
  },
  unsupported_token_type: {
    status: 400,
    title: 'A key cannot be revoked here',
    remedy: 'Revoke a key with POST /v1/keys/self/revoke, or disable it in the console.',
  },
});
