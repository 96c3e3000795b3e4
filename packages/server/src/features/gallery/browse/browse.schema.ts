import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../../http/index.ts';
import { DeprecationSchema } from '../deprecations/deprecations.schema.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const Texts = Type.Array(Type.String());
const Link = (description: string) =>
  Type.Union([Type.String(), Type.Null()], { description: `${description} An http or https address.` });

const summaryFields = {
  id: Type.String({ description: 'In the casing of this version.' }),
  version: Type.String({ description: 'Normalised.' }),
  title: NullableText,
  description: Type.String(),
  authors: Type.String({ description: 'As the manifest says it; nobody has checked it.' }),
  kind: Type.Union([Type.Literal('package'), Type.Literal('module'), Type.Literal('script')], {
    description: '`module` and `script` are PowerShell’s.',
  }),
  tags: Type.Array(Type.String(), { description: 'Without those that say what a PowerShell package holds.' }),
  isPrerelease: Type.Boolean(),
  publishedAt: Type.String({ format: 'date-time' }),
  totalDownloads: Type.Integer({ description: 'Of all versions.' }),
  hasIcon: Type.Boolean({ description: 'At `/v3/flat/{id}/{version}/icon`, both in lower case.' }),
};

export const GalleryPackageSchema = Type.Object(summaryFields, {
  $id: 'GalleryPackage',
  additionalProperties: false,
  description: 'A package by its latest listed version.',
});

const DependencyGroup = Type.Object(
  {
    targetFramework: Type.Union([Type.String(), Type.Null()], { description: 'Null: any.' }),
    dependencies: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          range: Type.String({ description: 'In NuGet’s notation, normalised.' }),
          isHere: Type.Boolean({ description: 'You find it in this gallery.' }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const ItemTypesSchema = Type.Object(
  {
    editions: Texts,
    functions: Texts,
    cmdlets: Texts,
    commands: Type.Array(Type.String(), { description: 'Functions and cmdlets among them.' }),
    dscResources: Texts,
    roleCapabilities: Texts,
    workflows: Texts,
  },
  { additionalProperties: false },
);

export const GalleryVersionSchema = Type.Object(
  {
    ...summaryFields,
    latestVersion: Type.Union([Type.String(), Type.Null()], {
      description: 'The highest listed version, a prerelease only if there is nothing else.',
    }),
    listedVersionCount: Type.Integer(),
    isListed: Type.Boolean(),
    downloads: Type.Integer({ description: 'Of this version.' }),
    sizeBytes: Type.Integer(),
    sha512: Type.String({ description: 'Of the file, as lower-case hex.' }),
    owners: Type.Array(
      Type.Object(
        {
          displayName: Type.String(),
          kind: Type.Union([Type.Literal('user'), Type.Literal('service')]),
        },
        { additionalProperties: false },
      ),
    ),
    deprecation: Type.Union([refTo(DeprecationSchema), Type.Null()]),
    dependencyGroups: Type.Array(DependencyGroup),
    itemTypes: Type.Union([ItemTypesSchema, Type.Null()], {
      description: 'Null for what is neither module nor script.',
    }),
    packageTypes: Texts,
    hasReadme: Type.Boolean(),
    releaseNotes: NullableText,
    copyright: NullableText,
    projectUrl: Link('Where the author leads to.'),
    repositoryUrl: Link('Its source.'),
    licenseUrl: Link('Its licence.'),
    licenseExpression: Type.Union([Type.String(), Type.Null()], { description: 'SPDX.' }),
    licenseFile: Type.Union([Type.String(), Type.Null()], { description: 'Name of a file in the package.' }),
    requireLicenseAcceptance: Type.Boolean(),
    minClientVersion: NullableText,
  },
  {
    $id: 'GalleryVersion',
    additionalProperties: false,
    description: 'A version of a package as its page shows it.',
  },
);

export const GalleryVersionLineSchema = Type.Object(
  {
    version: Type.String(),
    isPrerelease: Type.Boolean(),
    publishedAt: Type.String({ format: 'date-time' }),
    sizeBytes: Type.Integer(),
    downloads: Type.Integer(),
    deprecation: Type.Union([refTo(DeprecationSchema), Type.Null()]),
  },
  { $id: 'GalleryVersionLine', additionalProperties: false },
);

export const GalleryReadmeSchema = Type.Object(
  {
    text: Type.String({ description: 'Markdown as the author wrote it: untrusted.' }),
    isCut: Type.Boolean({ description: 'There is more of it in the package.' }),
  },
  { $id: 'GalleryReadme', additionalProperties: false },
);

export const GalleryPackagePageSchema = pageOf(refTo(GalleryPackageSchema));
export const GalleryVersionPageSchema = pageOf(refTo(GalleryVersionLineSchema));

export const BrowseQuerySchema = Type.Object(
  {
    ...ListQuery,
    kind: Type.Optional(
      Type.Union([Type.Literal('module'), Type.Literal('script')], {
        description: 'Only PowerShell modules, or only scripts.',
      }),
    ),
  },
  { additionalProperties: false },
);
export const BrowsePageSchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
const id = Type.String({ maxLength: 128, description: 'Any letter case.' });
export const BrowsePackageParams = Type.Object({ id }, { additionalProperties: false });
export const BrowseVersionParams = Type.Object(
  { id, version: Type.String({ maxLength: 128 }) },
  { additionalProperties: false },
);
