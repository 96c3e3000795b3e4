import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

const packageFields = {
  id: Type.String({ description: 'The id in lower case, as addresses use it.' }),
  displayId: Type.String({ description: 'The id in the casing of the first push.' }),
  owners: Type.Array(Type.String(), { description: 'Ids of the accounts that own it.' }),
  versionCount: Type.Integer(),
  listedVersionCount: Type.Integer(),
  latestVersion: Type.Union([Type.String(), Type.Null()], {
    description:
      'The highest listed version, a prerelease only if there is nothing else; null when all are unlisted.',
  }),
  createdAt: Type.String({ format: 'date-time' }),
};

export const PackageSchema = Type.Object(packageFields, { $id: 'Package', additionalProperties: false });

export const PackageVersionSchema = Type.Object(
  {
    version: Type.String(),
    listed: Type.Boolean(),
    sizeBytes: Type.Integer(),
    sha512: Type.String({ description: 'Of the file, as lower-case hex.' }),
    pushedAt: Type.String({ format: 'date-time' }),
    pushedBy: Type.String({ description: 'Id of the account whose key pushed it.' }),
  },
  { $id: 'PackageVersion', additionalProperties: false },
);

export const PackageDetailSchema = Type.Object(
  { ...packageFields, versions: Type.Array(refTo(PackageVersionSchema)), nextCursor: NullableText },
  {
    $id: 'PackageDetail',
    additionalProperties: false,
    description: 'A package with a page of its versions, last pushed first.',
  },
);

export const PackagePageSchema = pageOf(refTo(PackageSchema));

export const PackagesQuerySchema = Type.Object(
  {
    ...ListQuery,
    owner: Type.Optional(Type.String({ maxLength: 64, description: 'Id of an account that owns it.' })),
  },
  { additionalProperties: false },
);
export const VersionsQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
export const PackageParams = Type.Object(
  { id: Type.String({ maxLength: 128 }) },
  { additionalProperties: false },
);
export const OwnerParams = Type.Object(
  { id: Type.String({ maxLength: 128 }), accountId: Type.String({ maxLength: 64 }) },
  { additionalProperties: false },
);
