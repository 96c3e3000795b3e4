import type { Caller } from '../../http/index.ts';
import type { AuditRow } from './audit.repo.ts';
import type { AuditAction } from './audit-actions.ts';

/** What happened to what. `detail` never holds a secret, a token or a password. */
export interface AuditEvent {
  readonly action: AuditAction;
  readonly target: { readonly kind: string; readonly id: string; readonly name?: string | null };
  readonly accountId?: string | null;
  readonly keyId?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

function actorOf(caller: Caller): Pick<AuditRow, 'actor_kind' | 'actor_id' | 'actor_name' | 'actor_key_id'> {
  const { principal } = caller;
  if (principal.kind === 'anonymous')
    return { actor_kind: 'anonymous', actor_id: null, actor_name: null, actor_key_id: null };
  if (principal.kind === 'system')
    return { actor_kind: 'system', actor_id: null, actor_name: principal.name, actor_key_id: null };
  const keyId = principal.kind === 'session' ? null : principal.key.id;
  return {
    actor_kind: principal.kind,
    actor_id: principal.account.id,
    actor_name: principal.account.login,
    actor_key_id: keyId,
  };
}

/** The row of an event: who, from where, in which request, did what. */
export function toAuditRow(caller: Caller, event: AuditEvent, at: number): AuditRow {
  return {
    ...actorOf(caller),
    workspace_id: caller.workspace.id,
    at,
    action: event.action,
    target_kind: event.target.kind,
    target_id: event.target.id,
    target_name: event.target.name ?? null,
    account_id: event.accountId ?? null,
    key_id: event.keyId ?? null,
    ip: caller.ip,
    user_agent: caller.userAgent,
    request_id: caller.requestId,
    detail: JSON.stringify(event.detail ?? {}),
  };
}
