import type { Static } from 'typebox';
import type { Workspace } from '../../http/index.ts';
import { toIso } from '../../lib/clock.ts';
import type { Session } from './sessions.repo.ts';
import type { SessionSchema, SignedInSchema } from './sessions.schema.ts';
import type { SessionView } from './sessions.service.ts';

export function presentSession(session: Session, currentId: string): Static<typeof SessionSchema> {
  return {
    id: session.id,
    createdAt: toIso(session.createdAt),
    lastSeenAt: toIso(session.lastSeenAt),
    ip: session.ip,
    userAgent: session.userAgent,
    isCurrent: session.id === currentId,
  };
}

export function presentSignedIn(view: SessionView, workspace: Workspace): Static<typeof SignedInSchema> {
  const { account, session } = view;
  return {
    account: {
      id: account.id,
      kind: 'user',
      displayName: account.displayName,
      email: account.email ?? '',
      role: account.role ?? 'member',
      locale: account.locale === 'ja' ? 'ja' : 'en',
    },
    workspace: { id: workspace.id, name: workspace.name, url: workspace.url },
    session: { id: session.id, createdAt: toIso(session.createdAt), expiresAt: toIso(view.expiresAt) },
    managedIds: [...view.managedIds],
  };
}
