export { registerVerificationRoutes } from './verification.routes.ts';
export { createVerificationService, type VerificationService } from './verification.service.ts';
