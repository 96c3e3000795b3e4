import type { TokenClaims } from './claims.ts';

/** When the token of the tests is got, in seconds. */
export const SAMPLE_SECONDS = Date.UTC(2027, 2, 1, 9, 0, 0) / 1000;
export const SAMPLE_ISSUER = 'https://keys.test';

/** The claims of a token that is good for an hour and permits nothing. */
export const SAMPLE_CLAIMS: TokenClaims = {
  iss: SAMPLE_ISSUER,
  aud: SAMPLE_ISSUER,
  sub: 'acc_ada',
  iat: SAMPLE_SECONDS,
  exp: SAMPLE_SECONDS + 3600,
  jti: 'jti-1',
  client_id: 'kr_0123456789ABCDEF',
  kgen: 1,
  kepo: 1,
  aepo: 1,
  workspace: 'wsp_1',
  authorization_details: [],
};
