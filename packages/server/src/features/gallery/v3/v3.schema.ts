import Type from 'typebox';

const Id = Type.String({ maxLength: 300, description: 'In any letter case.' });
const Version = Type.String({ maxLength: 300, description: 'In any spelling: `1.0` means `1.0.0`.' });

export const IdParams = Type.Object({ id: Id }, { additionalProperties: false });
export const FileParams = Type.Object(
  {
    id: Id,
    version: Version,
    file: Type.String({
      maxLength: 300,
      description: '`{id}.{version}.nupkg`, `{id}.nuspec`, `readme`, `icon` or `license`.',
    }),
  },
  { additionalProperties: false },
);
export const LeafParams = Type.Object(
  { id: Id, leaf: Type.String({ maxLength: 300, description: '`{version}.json`.' }) },
  { additionalProperties: false },
);
export const PageParams = Type.Object(
  {
    id: Id,
    lower: Type.String({ maxLength: 300 }),
    upper: Type.String({ maxLength: 300, description: 'With `.json` behind it.' }),
  },
  { additionalProperties: false },
);

const INT_MAX = 2_147_483_647;
export const TAKE_MAX = 1_000;
export const TAKE_DEFAULT = 20;

const pageFields = {
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: INT_MAX, default: 0 })),
  take: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: INT_MAX,
      default: TAKE_DEFAULT,
      description: `More than ${TAKE_MAX} are never given.`,
    }),
  ),
  prerelease: Type.Optional(
    Type.String({
      pattern: '^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$',
      description: '`false` unless told.',
    }),
  ),
  semVerLevel: Type.Optional(
    Type.String({ maxLength: 64, description: '`2.0.0` to see SemVer 2 versions as well.' }),
  ),
};

// Clients send parameters of their own kind beside these; they are no fault.
export const SearchQuerySchema = Type.Object({
  q: Type.Optional(
    Type.String({
      maxLength: 1_000,
      description:
        'Words, all of which a package must have; `tag:x` and `id:x` name a whole tag and the whole id.',
    }),
  ),
  ...pageFields,
  packageType: Type.Optional(Type.String({ maxLength: 300 })),
});
export const AutocompleteQuerySchema = Type.Object({
  q: Type.Optional(Type.String({ maxLength: 1_000, description: 'A part of an id.' })),
  id: Type.Optional(
    Type.String({ maxLength: 300, description: 'The versions of this package instead of ids.' }),
  ),
  ...pageFields,
  packageType: Type.Optional(Type.String({ maxLength: 300 })),
});

export type SearchQueryString = Type.Static<typeof SearchQuerySchema>;
export type AutocompleteQueryString = Type.Static<typeof AutocompleteQuerySchema>;
