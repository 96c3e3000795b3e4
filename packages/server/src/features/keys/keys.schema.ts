import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';
import { AccountNameSchema } from '../accounts/index.ts';
import { KeyAllowanceSchema, KeyLimitsSchema, LimitsFieldSchema } from '../limits/index.ts';
import { PermissionSchema } from '../scopes/index.ts';
import { keyRefusalRef } from './usage.schema.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const NullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);
const Access = Type.Union([Type.Literal('account'), Type.Literal('scoped'), Type.Literal('full')]);
const NewAccess = Type.Union([Type.Literal('account'), Type.Literal('scoped')]);
const Status = Type.Union([
  Type.Literal('active'),
  Type.Literal('expiring'),
  Type.Literal('expired'),
  Type.Literal('disabled'),
]);
const Scopes = Type.Array(refTo(PermissionSchema), { maxItems: 1000 });
const IpRanges = Type.Array(Type.String({ maxLength: 64 }), {
  maxItems: 1000,
  description: 'Addresses and ranges from which the key may be used; empty: from everywhere.',
});
// The exact limit (256) is told by the rules, which also look at blanks and hidden characters.
const Comment = Type.String({ maxLength: 2000, description: 'What the key is for: 1 to 256 characters.' });

export const KeySchema = Type.Object(
  {
    id: Type.String({ description: 'The API key: the public half.' }),
    accountId: Type.String(),
    account: refTo(AccountNameSchema),
    ownerId: Type.String({
      description:
        'The account whose packages it acts for. `owner` tells its name to those who may see it, to others the id.',
    }),
    owner: refTo(AccountNameSchema),
    comment: Type.String(),
    access: Access,
    scopes: Type.Array(refTo(PermissionSchema)),
    ipRanges: Type.Array(Type.String()),
    limits: Type.Union([refTo(KeyLimitsSchema), Type.Null()], {
      description: 'Its own limits; those of its account hold it as well.',
    }),
    allowance: Type.Union([refTo(KeyAllowanceSchema), Type.Null()], {
      description: 'All limits that hold it, and what its quotas have left; null without any.',
    }),
    createdAt: Type.String({ format: 'date-time' }),
    createdBy: NullableText,
    updatedAt: Type.String({ format: 'date-time' }),
    expiresAt: NullableTime,
    lifetimeDays: Type.Union([Type.Integer(), Type.Null()]),
    status: Status,
    disabledReason: NullableText,
    disabledAt: NullableTime,
    generation: Type.Integer(),
    overlapEndsAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'Until then the secret before the newest works too.',
    }),
    isImported: Type.Boolean(),
    version: Type.Integer(),
    lastUsedAt: NullableTime,
    lastUsedIp: NullableText,
    lastUsedAgent: NullableText,
    lastRefusal: Type.Union([keyRefusalRef, Type.Null()], {
      description: 'The last time that it was presented with the right secret, and refused.',
    }),
    firstRefusal: Type.Union([keyRefusalRef, Type.Null()], {
      description: 'Its first refusal since it was last changed: when an attack or a break began.',
    }),
    refusedSinceExpiry: Type.Integer({
      description: 'How often an expired key was presented all the same; 0 for others.',
    }),
  },
  { $id: 'Key', additionalProperties: false },
);

export const MintedKeySchema = Type.Object(
  {
    key: refTo(KeySchema),
    apiKey: Type.String(),
    secretKey: Type.String({ 'x-secret': true, description: 'Shown here and never again.' }),
    fullKey: Type.String({
      'x-secret': true,
      description: '`<API key>_<secret key>`: the same credential in one string.',
    }),
  },
  { $id: 'MintedKey', additionalProperties: false },
);

export const KeyPageSchema = pageOf(refTo(KeySchema));

const MailTo = Type.Optional(
  Type.String({ maxLength: 254, description: 'Address for the key of a service account.' }),
);
const SendMail = Type.Optional(Type.Boolean({ description: 'Mail the key to the account.' }));

export const CreateKeySchema = Type.Object(
  {
    comment: Comment,
    access: NewAccess,
    scopes: Type.Optional(Scopes),
    ownerId: Type.Optional(Type.String({ maxLength: 64 })),
    lifetimeDays: Type.Optional(Type.Integer({ description: 'Days; one of the choices in the settings.' })),
    ipRanges: Type.Optional(IpRanges),
    limits: LimitsFieldSchema,
    sendMail: SendMail,
    mailTo: MailTo,
  },
  { additionalProperties: false },
);

export const UpdateKeySchema = Type.Object(
  {
    comment: Type.Optional(Comment),
    scopes: Type.Optional(Scopes),
    ipRanges: Type.Optional(IpRanges),
    limits: LimitsFieldSchema,
    access: Type.Optional(Type.String({ maxLength: 32, description: 'Fixed; a change is refused.' })),
    ownerId: Type.Optional(Type.String({ maxLength: 64, description: 'Fixed; a change is refused.' })),
    accountId: Type.Optional(Type.String({ maxLength: 64, description: 'Fixed; a change is refused.' })),
    lifetimeDays: Type.Optional(
      Type.Union([Type.Integer(), Type.Null()], { description: 'Fixed; a change is refused.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);

export const RegenerateKeySchema = Type.Object(
  {
    overlapHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 168,
        description: 'Hours for which the old secret of an active key keeps working.',
      }),
    ),
    sendMail: SendMail,
    mailTo: MailTo,
  },
  { additionalProperties: false },
);

export const DisableKeySchema = Type.Object(
  { reason: Type.Optional(Type.String({ maxLength: 256 })) },
  { additionalProperties: false },
);

export const KeyParams = Type.Object({ keyId: Type.String({ maxLength: 64 }) });
export const AccountKeysParams = Type.Object({ id: Type.String({ maxLength: 64 }) });

export const AccountKeysQuerySchema = Type.Object(ListQuery, { additionalProperties: false });
export const KeysQuerySchema = Type.Object(
  {
    ...ListQuery,
    status: Type.Optional(
      Type.Union([...Status.anyOf, Type.Literal('working')], {
        description: '`working`: `active` or `expiring`.',
      }),
    ),
    account: Type.Optional(Type.String({ maxLength: 64 })),
    expiresBefore: Type.Optional(Type.String({ format: 'date-time' })),
    unusedSince: Type.Optional(
      Type.String({ format: 'date-time', description: 'Keys not used since then (or never).' }),
    ),
    neverUsed: Type.Optional(Type.Boolean({ description: 'Only keys that were never used.' })),
    stillCalledSince: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Only keys that were last refused as expired, since then.',
      }),
    ),
    lifetimeOverDays: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100_000, description: 'Keys with a longer lifetime than that.' }),
    ),
    sort: Type.Optional(
      Type.Union([Type.Literal('createdAt'), Type.Literal('expiresAt')], {
        description:
          'By creation, the newest first (the default), or by expiry, the next to stop first and those that never do last.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const SelfSchema = Type.Object(
  {
    key: refTo(KeySchema),
    account: Type.Object(
      { id: Type.String(), kind: Type.String(), displayName: Type.String(), login: Type.String() },
      { additionalProperties: false },
    ),
    permissions: Type.Array(refTo(PermissionSchema), { description: 'What the key may do right now.' }),
  },
  { $id: 'KeySelf', additionalProperties: false },
);

export const OpenLinkSchema = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);
export const OpenedKeySchema = Type.Object(
  {
    keyId: Type.String(),
    comment: Type.String(),
    expiresAt: NullableTime,
    apiKey: Type.String(),
    secretKey: Type.String({ 'x-secret': true }),
    fullKey: Type.String({ 'x-secret': true }),
  },
  { $id: 'OpenedKey', additionalProperties: false },
);

const ImportRow = Type.Object(
  {
    account: Type.String({ minLength: 1, maxLength: 254, description: 'Id, e-mail or technical name.' }),
    comment: Comment,
    access: Access,
    scopes: Type.Optional(Scopes),
    expiresAt: NullableTime,
    sha256: Type.String({
      pattern: '^[0-9A-Fa-f]{64}$',
      description: 'SHA-256 of the foreign credential, in hexadecimal.',
    }),
  },
  { additionalProperties: false },
);
export const ImportKeysSchema = Type.Object(
  {
    dryRun: Type.Optional(Type.Boolean({ description: 'Check everything, store nothing.' })),
    rows: Type.Array(ImportRow, { minItems: 1, maxItems: 200 }),
  },
  { additionalProperties: false },
);
export const ImportedKeysSchema = Type.Object(
  { dryRun: Type.Boolean(), count: Type.Integer(), keyIds: Type.Array(Type.String()) },
  { $id: 'ImportedKeys', additionalProperties: false },
);
