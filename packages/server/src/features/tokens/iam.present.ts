import type { Static } from 'typebox';
import type { AppError } from '../../errors/index.ts';
import { toIso } from '../../lib/clock.ts';
import { toIdentity } from '../accounts/index.ts';
import type { IamErrorSchema, IamSessionSchema } from './iam.schema.ts';
import type { IamSession } from './iam.service.ts';

const SECOND_MS = 1_000;

export function presentIamSession(session: IamSession, now: number): Static<typeof IamSessionSchema> {
  const { account, token, issuedAt, expiresAt } = session;
  return {
    uid: account.id,
    user: account.displayName,
    name: account.displayName,
    firstname: account.firstName,
    lastname: account.lastName,
    civility: null,
    email: account.email,
    login: toIdentity(account).login,
    type: account.kind,
    authentication_type: 'apikey',
    isAdmin: account.role === 'admin',
    password_renew: false,
    password_expiration: null,
    token: token.reveal(),
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor((expiresAt - now) / SECOND_MS)),
    token_expire: toIso(expiresAt),
    token_duration: (expiresAt - issuedAt) / SECOND_MS,
    token_refreshed_at: toIso(issuedAt),
  };
}

/** The error shape of the first seed. Every 401 is the same, whatever the reason was. */
export function presentIamError(error: AppError, durationSeconds: number): Static<typeof IamErrorSchema> {
  const text = error.status === 401 ? 'Unauthorized' : error.status >= 500 ? error.entry.title : error.detail;
  return { error: text, success: false, status: error.status, duration: durationSeconds };
}
