import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../../http/index.ts';
import { AccountNameSchema } from '../../accounts/index.ts';
import { PREFIX_ACCOUNTS_MAX } from './prefixes.repo.ts';

const AccountIds = Type.Array(Type.String({ maxLength: 64 }), {
  maxItems: PREFIX_ACCOUNTS_MAX,
  description: 'The accounts that may push new packages under it; empty for nobody.',
});

export const PackagePrefixSchema = Type.Object(
  {
    id: Type.String(),
    pattern: Type.String({ description: 'A package id, or the beginning of ids and a `*`.' }),
    accounts: Type.Array(refTo(AccountNameSchema)),
    createdAt: Type.String({ format: 'date-time' }),
    createdBy: Type.Union([Type.String(), Type.Null()]),
    version: Type.Integer(),
  },
  {
    $id: 'PackagePrefix',
    additionalProperties: false,
    description: 'Ids that new packages of other accounts may not have. Existing packages are not touched.',
  },
);
export const PackagePrefixPageSchema = pageOf(refTo(PackagePrefixSchema));
export const CreatePrefixSchema = Type.Object(
  { pattern: Type.String({ minLength: 1, maxLength: 101 }), accountIds: AccountIds },
  { additionalProperties: false },
);
export const PrefixPatchSchema = Type.Object({ accountIds: AccountIds }, { additionalProperties: false });
export const PrefixParams = Type.Object(
  { id: Type.String({ maxLength: 64 }) },
  { additionalProperties: false },
);
export const PrefixQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
