export { registerAuditRoutes } from './audit.routes.ts';
export { type AuditService, createAuditService } from './audit.service.ts';
export type { AuditAction } from './audit-actions.ts';
export { AuditKeysMissing } from './chain/chain-keys.ts';
export type { ChainReport } from './chain/chain-verifier.ts';
export { fingerprintsOf, verifyDatabase, verifyEnds } from './chain/verify-database.ts';
export { ChainFileUnreadable, toCheckpoint, verifyChainFile } from './chain/verify-file.ts';
export { listRefusalHours } from './refusal-hours.repo.ts';
