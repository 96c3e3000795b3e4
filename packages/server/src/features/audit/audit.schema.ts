import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';

const Nullable = Type.Union([Type.String(), Type.Null()]);

export const AuditEntrySchema = Type.Object(
  {
    seq: Type.Integer(),
    at: Type.String({ format: 'date-time' }),
    action: Type.String(),
    outcome: Type.Union([Type.Literal('done'), Type.Literal('refused')]),
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
    detail: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What else there is to say. Of a change: each changed field with `{ from, to }`.',
    }),
  },
  { $id: 'AuditEntry', additionalProperties: false },
);

export const AuditPageSchema = pageOf(refTo(AuditEntrySchema));

const filters = {
  q: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Text in the name of actor or target, or in the id of target or key.',
    }),
  ),
  account: Type.Optional(Type.String({ maxLength: 64, description: 'Entries about this account.' })),
  actor: Type.Optional(Type.String({ maxLength: 64, description: 'What this account did.' })),
  key: Type.Optional(Type.String({ maxLength: 64, description: 'Entries about this API key.' })),
  action: Type.Optional(
    Type.String({ maxLength: 64, description: 'For instance `key.created`, or `key.` for all about keys.' }),
  ),
  outcome: Type.Optional(
    Type.Union([Type.Literal('done'), Type.Literal('refused')], {
      description: '`refused`: somebody was turned away.',
    }),
  ),
  since: Type.Optional(Type.String({ format: 'date-time' })),
  until: Type.Optional(Type.String({ format: 'date-time' })),
};

export const AuditQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor, ...filters },
  { additionalProperties: false },
);
export const AuditExportQuerySchema = Type.Object(filters, { additionalProperties: false });

export const AuditActionsSchema = Type.Object(
  { actions: Type.Array(Type.String()) },
  { additionalProperties: false },
);

const Bytes = (bytes: number, description: string) =>
  Type.String({ description: `${description} ${bytes} bytes, base64url.` });

export const AuditChainSchema = Type.Object(
  {
    number: Type.Integer({ description: 'How many rows the log has.' }),
    hash: Type.String({ description: 'Of the last row: SHA-256, base64url. Empty without one.' }),
    publicKeys: Type.Array(
      Type.Object(
        {
          keyId: Type.String({ description: 'The fingerprint of the key: `SHA256:` and base64.' }),
          algorithm: Type.Literal('Ed25519'),
          publicKey: Bytes(32, 'As `x` in a JWK of RFC 8037.'),
        },
        { additionalProperties: false },
      ),
    ),
    checkpoints: Type.Array(
      Type.Object(
        {
          workspaceId: Type.String(),
          number: Type.Integer({ description: 'Of the row that is signed.' }),
          previous: Type.Integer({ description: 'Of the row that was signed before; 0 for none.' }),
          seq: Type.Integer(),
          hash: Type.String(),
          at: Type.String({ format: 'date-time' }),
          keyId: Type.String(),
          signature: Bytes(64, 'Ed25519.'),
        },
        { additionalProperties: false },
      ),
      { description: 'The newest 20, the newest first.' },
    ),
  },
  { additionalProperties: false },
);
