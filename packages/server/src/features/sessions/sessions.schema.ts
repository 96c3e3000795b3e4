import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';

const Time = Type.String({ format: 'date-time' });
const NullableText = Type.Union([Type.String(), Type.Null()]);

const EmailField = Type.String({
  minLength: 1,
  maxLength: 254,
  description: 'E-mail address of the user.',
});
/** Longer than any password may be: whether it fits is said in words by the rules, in bytes. */
const PasswordField = Type.String({ minLength: 1, maxLength: 1024 });
const NewPasswordField = Type.String({
  minLength: 1,
  maxLength: 1024,
  description:
    'At least 12 characters, at most 1024 bytes, none of the widely known passwords. No kind of character is required.',
});
const TokenField = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'What stands behind `#` in the mailed link.',
});

export const SessionSchema = Type.Object(
  {
    id: Type.String(),
    createdAt: Time,
    lastSeenAt: Type.String({ format: 'date-time', description: 'Exact to five minutes.' }),
    ip: Type.String({ description: 'Address that signed in.' }),
    userAgent: NullableText,
    isCurrent: Type.Boolean({ description: 'The session of this request.' }),
  },
  { $id: 'Session', additionalProperties: false },
);

/** What the console asks for at its start, and the answer to everything that signs in. */
export const SignedInSchema = Type.Object(
  {
    account: Type.Object(
      {
        id: Type.String(),
        kind: Type.Literal('user'),
        displayName: Type.String(),
        email: Type.String(),
        role: Type.Union([Type.Literal('admin'), Type.Literal('member')]),
        locale: Type.Union([Type.Literal('en'), Type.Literal('ja')]),
      },
      { additionalProperties: false },
    ),
    workspace: Type.Object(
      { id: Type.String(), name: Type.String(), url: Type.String() },
      { additionalProperties: false },
    ),
    session: Type.Object(
      {
        id: Type.String(),
        createdAt: Time,
        expiresAt: Type.String({
          format: 'date-time',
          description: 'When it ends if it is not used again.',
        }),
      },
      { additionalProperties: false },
    ),
    managedIds: Type.Array(Type.String(), {
      description: 'Ids of the service accounts that the user manages.',
    }),
  },
  { $id: 'SignedIn', additionalProperties: false },
);

export const SessionPageSchema = pageOf(refTo(SessionSchema));
export const SessionListQuery = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
export const SessionParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const EndedSchema = Type.Object(
  { ended: Type.Integer({ description: 'How many sessions were ended.' }) },
  { additionalProperties: false },
);

export const SignInSchema = Type.Object(
  { email: EmailField, password: PasswordField },
  { additionalProperties: false },
);
export const SetupSchema = Type.Object(
  {
    code: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'The one-time code printed at the first start.',
    }),
    email: EmailField,
    password: NewPasswordField,
    displayName: Type.String({ minLength: 1, maxLength: 256 }),
  },
  { additionalProperties: false },
);
export const ChangePasswordSchema = Type.Object(
  { currentPassword: PasswordField, newPassword: NewPasswordField },
  { additionalProperties: false },
);
export const RequestPasswordSchema = Type.Object({ email: EmailField }, { additionalProperties: false });
export const SetPasswordSchema = Type.Object(
  { token: TokenField, password: NewPasswordField },
  { additionalProperties: false },
);
