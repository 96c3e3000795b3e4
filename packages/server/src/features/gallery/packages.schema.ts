import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';
import { AccountNameSchema } from '../accounts/index.ts';
import { DeprecationSchema } from './deprecations/deprecations.schema.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

const packageFields = {
  id: Type.String({ description: 'The id in lower case, as addresses use it.' }),
  displayId: Type.String({ description: 'The id in the casing of the first push.' }),
  description: Type.Union([Type.String(), Type.Null()], { description: 'As the newest version says it.' }),
  kind: Type.Union([Type.Literal('package'), Type.Literal('module')], {
    description: '`module` for modules and scripts of PowerShell, by the tags of the newest version.',
  }),
  owners: Type.Array(Type.String(), { description: 'Ids of the accounts that own it.' }),
  ownerAccounts: Type.Array(refTo(AccountNameSchema), { description: 'The same accounts by name.' }),
  versionCount: Type.Integer(),
  listedVersionCount: Type.Integer(),
  latestVersion: Type.Union([Type.String(), Type.Null()], {
    description:
      'The highest listed version, a prerelease only if there is nothing else; null when all are unlisted.',
  }),
  hasIcon: Type.Boolean({
    description: 'The latest version has one, at `/v3/flat/{id}/{latestVersion}/icon`, both in lower case.',
  }),
  lastPushedAt: Type.String({ format: 'date-time', description: 'Push of the newest version.' }),
  createdAt: Type.String({ format: 'date-time' }),
};

export const PackageSchema = Type.Object(packageFields, { $id: 'Package', additionalProperties: false });

export const PackageVersionSchema = Type.Object(
  {
    version: Type.String(),
    isPrerelease: Type.Boolean(),
    listed: Type.Boolean(),
    sizeBytes: Type.Integer(),
    downloads: Type.Integer(),
    sha512: Type.String({ description: 'Of the file, as lower-case hex.' }),
    pushedAt: Type.String({ format: 'date-time' }),
    pushedBy: Type.String({ description: 'Id of the account whose key pushed it.' }),
    pushedByName: Type.Union([Type.String(), Type.Null()], {
      description: 'Its name; null when the account is gone.',
    }),
    pushedKeyId: Type.Union([Type.String(), Type.Null()], {
      description: 'The API key that it was pushed with.',
    }),
    deprecation: Type.Union([refTo(DeprecationSchema), Type.Null()], {
      description: 'Why it should not be used any more; null when it may be.',
    }),
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
    mine: Type.Optional(
      Type.Boolean({ description: 'Only those that you, or service accounts that you manage, own.' }),
    ),
    listed: Type.Optional(
      Type.Union([Type.Literal('listed'), Type.Literal('unlisted'), Type.Literal('any')], {
        default: 'any',
        description: '`listed`: has a listed version; `unlisted`: has none.',
      }),
    ),
    sort: Type.Optional(
      Type.Union([Type.Literal('name'), Type.Literal('pushedAt')], {
        default: 'name',
        description: '`pushedAt`: last pushed first.',
      }),
    ),
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
export const VersionParams = Type.Object(
  { id: Type.String({ maxLength: 128 }), version: Type.String({ maxLength: 128 }) },
  { additionalProperties: false },
);

export const SummaryQuerySchema = Type.Object({ q: ListQuery.q }, { additionalProperties: false });
export const PackageSummarySchema = Type.Object(
  {
    mine: Type.Integer({ description: 'Owned by you or by those you act for.' }),
    all: Type.Integer({ description: 'All that you may see.' }),
    isPartial: Type.Boolean({ description: 'There were too many to look at each: at least so many.' }),
  },
  { $id: 'PackageSummary', additionalProperties: false },
);

export const CoverageBodySchema = Type.Object(
  {
    ownerId: Type.String({ maxLength: 64, description: 'The account whose packages the key acts for.' }),
    patterns: Type.Array(Type.String({ maxLength: 1024 }), {
      maxItems: 100,
      description: 'Package patterns, as a scope has them.',
    }),
    q: Type.Optional(
      Type.String({ maxLength: 256, description: 'Narrows the packages shown, not the counts.' }),
    ),
  },
  { additionalProperties: false },
);

const coverageGroup = {
  count: Type.Integer(),
  packages: Type.Array(
    Type.Object(
      { id: Type.String(), displayId: Type.String(), latestVersion: NullableText },
      { additionalProperties: false },
    ),
    { description: 'The first 50 by id.' },
  ),
};

export const CoverageSchema = Type.Object(
  {
    ownedCount: Type.Integer(),
    coveredCount: Type.Integer(),
    groups: Type.Array(
      Type.Object({ pattern: Type.String(), ...coverageGroup }, { additionalProperties: false }),
      { description: 'One for each pattern, in their order; a package is in the first that matches it.' },
    ),
    notCovered: Type.Object(coverageGroup, { additionalProperties: false }),
    isPartial: Type.Boolean({ description: 'The owner has more packages than the 10000 looked at.' }),
  },
  {
    $id: 'Coverage',
    additionalProperties: false,
    description: 'Which packages of an owner some patterns match now; later ones count as well.',
  },
);

export const PackageKeySchema = Type.Object(
  {
    id: Type.String({ description: 'The API key.' }),
    comment: Type.String(),
    account: refTo(AccountNameSchema),
    owner: refTo(AccountNameSchema),
    actions: Type.Array(Type.String(), {
      description:
        'What it may do to this package: `package:push` (also ids like this one that are new) or `package:pushversion`, then `package:unlist` and `package:read`.',
    }),
    pattern: Type.String({ description: 'The first pattern that lets it push.' }),
    expiresAt: NullableText,
  },
  { $id: 'PackageKey', additionalProperties: false },
);
export const PackageKeysSchema = Type.Object(
  {
    items: Type.Array(refTo(PackageKeySchema), { description: 'Newest first, at most 100.' }),
    isPartial: Type.Boolean({ description: 'There are more.' }),
  },
  { additionalProperties: false },
);
