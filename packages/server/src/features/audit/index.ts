export { registerAuditRoutes } from './audit.routes.ts';
export { type AuditService, createAuditService } from './audit.service.ts';
export type { AuditAction } from './audit-actions.ts';
export { listRefusalHours } from './refusal-hours.repo.ts';
