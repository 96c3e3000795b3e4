import Type from 'typebox';
import { DEPRECATION_REASONS } from './deprecations.repo.ts';
import { DEPRECATED_AT_ONCE_MAX, MESSAGE_CHARACTERS_MAX } from './deprecations.ts';

const Reasons = Type.Array(Type.Enum(DEPRECATION_REASONS), {
  maxItems: DEPRECATION_REASONS.length,
  uniqueItems: true,
  description: 'Empty: not deprecated any more.',
});

export const DeprecationSchema = Type.Object(
  {
    reasons: Reasons,
    message: Type.Union([Type.String(), Type.Null()]),
    alternatePackage: Type.Union([
      Type.Object(
        {
          id: Type.String(),
          version: Type.Union([Type.String(), Type.Null()], { description: 'Null for any.' }),
        },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
    deprecatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Deprecation', additionalProperties: false },
);

export const DeprecateBodySchema = Type.Object(
  {
    versions: Type.Array(Type.String({ maxLength: 128 }), { minItems: 1, maxItems: DEPRECATED_AT_ONCE_MAX }),
    reasons: Reasons,
    message: Type.Optional(
      Type.Union([Type.String({ maxLength: MESSAGE_CHARACTERS_MAX }), Type.Null()], {
        description: 'Shown to whoever uses the version; required with the reason `other`.',
      }),
    ),
    alternatePackage: Type.Optional(
      Type.Union([
        Type.Object(
          {
            id: Type.String({ maxLength: 128 }),
            version: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()])),
          },
          { additionalProperties: false },
        ),
        Type.Null(),
      ]),
    ),
  },
  { additionalProperties: false },
);
