import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';
import { MUTABLE_NOTICES } from '../../jobs/index.ts';
import { KeyLimitsSchema, LimitsFieldSchema } from '../limits/index.ts';
import { PermissionSchema } from '../scopes/index.ts';

const Name = Type.String({ minLength: 1, maxLength: 256 });
const OptionalName = Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()]));
const Email = Type.String({ minLength: 3, maxLength: 254, description: 'One plain address.' });
const Role = Type.Union([Type.Literal('admin'), Type.Literal('member')]);
const Locale = Type.Union([Type.Literal('en'), Type.Literal('ja')]);
const TimeZone = Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()], {
  description: 'IANA name like `Asia/Tokyo`, for the times in mails; null for that of the workspace.',
});
const MutedNotices = Type.Array(Type.Enum([...MUTABLE_NOTICES]), {
  uniqueItems: true,
  description: 'Notices that the account does not want. Those about security cannot be muted.',
});
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 20, uniqueItems: true });
const Grants = Type.Array(refTo(PermissionSchema), {
  maxItems: 1000,
  description: 'What the account, and so its keys at most, may do.',
});
const NullableText = Type.Union([Type.String(), Type.Null()]);
const State = Type.Union([Type.Literal('active'), Type.Literal('disabled')]);

export const KeyCountsSchema = Type.Object(
  {
    total: Type.Integer(),
    expiring: Type.Integer({
      description: 'Enabled and about to expire, by the largest of the notice days.',
    }),
    expired: Type.Integer({ description: 'Enabled, and expired all the same.' }),
    nextExpiresAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'When the next of the working keys stops.',
    }),
    lastUsedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'When one of the keys was last used; null when none of those that are left ever was.',
    }),
  },
  { $id: 'KeyCounts', additionalProperties: false },
);

const common = {
  id: Type.String(),
  displayName: Type.String(),
  state: State,
  disabledReason: NullableText,
  locale: Locale,
  timeZone: TimeZone,
  mutedNotices: MutedNotices,
  tags: Type.Array(Type.String()),
  grants: Type.Array(refTo(PermissionSchema)),
  keyLimits: Type.Union([refTo(KeyLimitsSchema), Type.Null()], {
    description: 'What each of its keys is limited to, beside limits of its own.',
  }),
  version: Type.Integer(),
  lastSeenAt: NullableText,
  createdAt: Type.String({ format: 'date-time' }),
  createdBy: NullableText,
  updatedAt: Type.String({ format: 'date-time' }),
  keys: Type.Union([refTo(KeyCountsSchema), Type.Null()], {
    description: 'Null for keys and tokens without `iam:keys:read` on the account.',
  }),
};

export const AccountNameSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.Union([Type.Literal('user'), Type.Literal('service')]),
    displayName: Type.String(),
  },
  { $id: 'AccountName', additionalProperties: false },
);

export const UserSchema = Type.Object(
  {
    ...common,
    email: Type.String(),
    firstName: NullableText,
    lastName: NullableText,
    role: Role,
    hasPassword: Type.Boolean(),
    passwordChangedAt: NullableText,
  },
  { $id: 'User', additionalProperties: false },
);
export const ServiceAccountSchema = Type.Object(
  {
    ...common,
    technicalName: Type.String(),
    email: NullableText,
    description: NullableText,
    managers: Type.Array(Type.String()),
  },
  { $id: 'ServiceAccount', additionalProperties: false },
);
export const UserPageSchema = pageOf(refTo(UserSchema));
export const ServiceAccountPageSchema = pageOf(refTo(ServiceAccountSchema));

export const AccountListQuery = Type.Object(
  {
    ...ListQuery,
    sort: Type.Optional(
      Type.Union(
        [Type.Literal('login'), Type.Literal('name'), Type.Literal('lastSeenAt'), Type.Literal('createdAt')],
        {
          description:
            'E-mail address or technical name (the default), display name, last seen, or creation.',
        },
      ),
    ),
    order: Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')])),
    state: Type.Optional(State),
    attention: Type.Optional(
      Type.Boolean({ description: 'Only accounts with an enabled key that has expired or is about to.' }),
    ),
  },
  { additionalProperties: false },
);
export const AccountSummaryQuery = Type.Object({ q: ListQuery.q }, { additionalProperties: false });
export const AccountSummarySchema = Type.Object(
  {
    all: Type.Integer(),
    active: Type.Integer(),
    disabled: Type.Integer(),
    attention: Type.Integer({ description: 'With an enabled key that has expired or is about to.' }),
  },
  { $id: 'AccountSummary', additionalProperties: false },
);

const edits = {
  state: Type.Optional(State),
  disabledReason: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
};
const userFields = {
  firstName: OptionalName,
  lastName: OptionalName,
  role: Type.Optional(Role),
  locale: Type.Optional(Locale),
  timeZone: Type.Optional(TimeZone),
  mutedNotices: Type.Optional(MutedNotices),
  tags: Type.Optional(Tags),
  grants: Type.Optional(Grants),
  keyLimits: LimitsFieldSchema,
};
const serviceFields = {
  email: Type.Optional(Type.Union([Email, Type.Null()])),
  description: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Null()])),
  managers: Type.Optional(
    Type.Array(Type.String({ maxLength: 64 }), {
      maxItems: 100,
      uniqueItems: true,
      description: 'Ids of the users who manage it.',
    }),
  ),
  locale: Type.Optional(Locale),
  timeZone: Type.Optional(TimeZone),
  mutedNotices: Type.Optional(MutedNotices),
  tags: Type.Optional(Tags),
  grants: Type.Optional(Grants),
  keyLimits: LimitsFieldSchema,
};

export const CreateUserSchema = Type.Object(
  {
    email: Email,
    displayName: Name,
    ...userFields,
    password: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'Without one, the user is invited by mail.',
      }),
    ),
  },
  { additionalProperties: false },
);
export const UpdateUserSchema = Type.Object(
  { email: Type.Optional(Email), displayName: Type.Optional(Name), ...userFields, ...edits },
  { additionalProperties: false, minProperties: 1 },
);
export const CreateServiceAccountSchema = Type.Object(
  {
    technicalName: Type.String({
      pattern: '^[a-z][a-z0-9_-]{0,62}[a-z0-9]$',
      description: 'Unique, cannot be changed later.',
    }),
    displayName: Name,
    ...serviceFields,
  },
  { additionalProperties: false },
);
export const UpdateServiceAccountSchema = Type.Object(
  { displayName: Type.Optional(Name), ...serviceFields, ...edits },
  { additionalProperties: false, minProperties: 1 },
);
export const AccountParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
