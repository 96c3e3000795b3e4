import type { Static } from 'typebox';
import { toIso } from '../../lib/clock.ts';
import type { StoredAuditRow } from './audit.repo.ts';
import type { AuditEntrySchema } from './audit.schema.ts';
import { REFUSED_ACTIONS } from './audit-actions.ts';

export function presentAuditEntry(row: StoredAuditRow): Static<typeof AuditEntrySchema> {
  return {
    seq: row.seq,
    at: toIso(row.at),
    action: row.action,
    outcome: REFUSED_ACTIONS.some((action) => action === row.action) ? 'refused' : 'done',
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, keyId: row.actor_key_id },
    target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
    accountId: row.account_id,
    keyId: row.key_id,
    ip: row.ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  };
}
