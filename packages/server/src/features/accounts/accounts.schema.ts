import Type from 'typebox';
import { pageOf, refTo } from '../../http/index.ts';
import { PermissionSchema } from '../scopes/index.ts';

const Name = Type.String({ minLength: 1, maxLength: 256 });
const OptionalName = Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()]));
const Email = Type.String({ minLength: 3, maxLength: 254, description: 'One plain address.' });
const Role = Type.Union([Type.Literal('admin'), Type.Literal('member')]);
const Locale = Type.Union([Type.Literal('en'), Type.Literal('ja')]);
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 20, uniqueItems: true });
const Grants = Type.Array(refTo(PermissionSchema), {
  maxItems: 1000,
  description: 'What the account, and so its keys at most, may do.',
});
const NullableText = Type.Union([Type.String(), Type.Null()]);
const State = Type.Union([Type.Literal('active'), Type.Literal('disabled')]);

const common = {
  id: Type.String(),
  displayName: Type.String(),
  state: State,
  disabledReason: NullableText,
  locale: Locale,
  tags: Type.Array(Type.String()),
  grants: Type.Array(refTo(PermissionSchema)),
  version: Type.Integer(),
  lastSeenAt: NullableText,
  createdAt: Type.String({ format: 'date-time' }),
  createdBy: NullableText,
  updatedAt: Type.String({ format: 'date-time' }),
};

export const UserSchema = Type.Object(
  {
    ...common,
    email: Type.String(),
    firstName: NullableText,
    lastName: NullableText,
    role: Role,
    hasPassword: Type.Boolean(),
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

const edits = {
  state: Type.Optional(State),
  disabledReason: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
};
const userFields = {
  firstName: OptionalName,
  lastName: OptionalName,
  role: Type.Optional(Role),
  locale: Type.Optional(Locale),
  tags: Type.Optional(Tags),
  grants: Type.Optional(Grants),
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
  tags: Type.Optional(Tags),
  grants: Type.Optional(Grants),
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
