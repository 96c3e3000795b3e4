export { createPlainVerification } from './plain-routes.ts';
export { createRevocationHub, type RevocationHub } from './revocation-hub.ts';
export { registerRevocationRoutes } from './revocations.routes.ts';
export { registerVerificationRoutes } from './verification.routes.ts';
export { createVerificationService, type VerificationService } from './verification.service.ts';
