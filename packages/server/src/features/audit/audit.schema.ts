import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';

const Nullable = Type.Union([Type.String(), Type.Null()]);

export const AuditEntrySchema = Type.Object(
  {
    seq: Type.Integer(),
    at: Type.String({ format: 'date-time' }),
    action: Type.String(),
    actor: Type.Object(
      { kind: Type.String(), id: Nullable, name: Nullable, keyId: Nullable },
      { additionalProperties: false },
    ),
    target: Type.Object(
      { kind: Type.String(), id: Type.String(), name: Nullable },
      { additionalProperties: false },
    ),
    accountId: Nullable,
    keyId: Nullable,
    ip: Nullable,
    userAgent: Nullable,
    requestId: Nullable,
    detail: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'AuditEntry', additionalProperties: false },
);

export const AuditPageSchema = pageOf(refTo(AuditEntrySchema));

export const AuditQuerySchema = Type.Object(
  {
    limit: ListQuery.limit,
    cursor: ListQuery.cursor,
    account: Type.Optional(Type.String({ maxLength: 64, description: 'Entries about this account.' })),
    key: Type.Optional(Type.String({ maxLength: 64, description: 'Entries about this API key.' })),
    action: Type.Optional(Type.String({ maxLength: 64, description: 'For instance `key.created`.' })),
    since: Type.Optional(Type.String({ format: 'date-time' })),
    until: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false },
);
