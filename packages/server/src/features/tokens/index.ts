export { registerIamRoutes } from './iam.routes.ts';
export { createIamService, type IamService } from './iam.service.ts';
export { registerJwksRoutes } from './jwks.routes.ts';
export { registerOAuthRoutes } from './oauth/oauth.routes.ts';
export { createOAuth, type OAuth } from './oauth/oauth.ts';
export { createPlainToken } from './oauth/plain-token.ts';
export {
  createSigningKeys,
  createSigningKeysService,
  registerSigningKeyRoutes,
  type SigningKeysService,
} from './signing-keys/index.ts';
export { hasTokenShape } from './token-text.ts';
export { createTokensService, type TokensService } from './tokens.service.ts';
