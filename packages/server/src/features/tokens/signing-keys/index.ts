export { type PublicJwk } from './key-pair.ts';
export { registerSigningKeyRoutes } from './signing-keys.routes.ts';
export { createSigningKeysService, type SigningKeysService } from './signing-keys.service.ts';
export { createSigningKeys, type SigningKeys } from './signing-keys.ts';
