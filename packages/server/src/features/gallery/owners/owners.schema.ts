import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../../http/index.ts';
import { AccountNameSchema } from '../../accounts/index.ts';

const AccountOrNull = Type.Union([refTo(AccountNameSchema), Type.Null()]);

export const OwnerRequestSchema = Type.Object(
  {
    id: Type.String(),
    package: Type.Object(
      { id: Type.String(), displayId: Type.String() },
      {
        additionalProperties: false,
        description: 'The id in lower case, and in the casing of its first push.',
      },
    ),
    account: refTo(AccountNameSchema),
    from: AccountOrNull,
    requestedBy: AccountOrNull,
    createdAt: Type.String({ format: 'date-time' }),
    expiresAt: Type.String({ format: 'date-time', description: 'From then on it is void.' }),
    isForYou: Type.Boolean({ description: 'You may accept and decline it.' }),
  },
  {
    $id: 'OwnerRequest',
    additionalProperties: false,
    description:
      'An account is asked to own a package: beside the others or, with `from`, in the place of one.',
  },
);
export const OwnerRequestPageSchema = pageOf(refTo(OwnerRequestSchema));
export const OwnerChangeSchema = Type.Object(
  {
    state: Type.Union([Type.Literal('done'), Type.Literal('requested')], {
      description:
        '`done`: at once, by an administrator or for an account that you act for; `requested`: it is asked.',
    }),
    requestId: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: 'OwnerChange', additionalProperties: false },
);

const account = Type.String({
  minLength: 1,
  maxLength: 254,
  description: 'Id of an account, e-mail address of a user, or technical name of a service account.',
});
export const AskOwnerSchema = Type.Object({ account }, { additionalProperties: false });
export const TransferSchema = Type.Object(
  {
    account,
    from: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Id of the owner who hands it over. Left out: the one owner that you act for.',
      }),
    ),
  },
  { additionalProperties: false },
);
export const RequestParams = Type.Object(
  { requestId: Type.String({ maxLength: 64 }) },
  { additionalProperties: false },
);
const page = { limit: ListQuery.limit, cursor: ListQuery.cursor };
export const RequestsQuerySchema = Type.Object(
  {
    ...page,
    direction: Type.Optional(
      Type.Union([Type.Literal('incoming'), Type.Literal('outgoing')], {
        default: 'incoming',
        description:
          '`incoming`: asked of you or of service accounts that you manage; `outgoing`: asked by you.',
      }),
    ),
  },
  { additionalProperties: false },
);
export const RequestsOfPackageQuerySchema = Type.Object(page, { additionalProperties: false });
