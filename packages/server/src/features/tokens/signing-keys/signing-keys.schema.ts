import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../../http/index.ts';

const Instant = (description: string) =>
  Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description });

export const SigningKeySchema = Type.Object(
  {
    kid: Type.String({ description: 'Key id, as in the header of tokens and in the JWKS.' }),
    algorithm: Type.Union([Type.Literal('ES256'), Type.Literal('EdDSA'), Type.Literal('RS256')]),
    state: Type.Union(
      [Type.Literal('signing'), Type.Literal('waiting'), Type.Literal('verifying'), Type.Literal('retired')],
      {
        description:
          '`signing`: signs new tokens. `waiting`: published, signs from `activatesAt`. `verifying`: signs no more; its tokens are accepted until `retiresAt`. `retired`: no token of it is accepted.',
      },
    ),
    createdAt: Type.String({ format: 'date-time' }),
    activatesAt: Type.String({ format: 'date-time', description: 'From here on it signs.' }),
    rotatesAt: Instant('When its successor is published; null for a key that has one or signs no more.'),
    retiresAt: Instant('From here on no token of it is accepted; null while it has no successor.'),
  },
  { $id: 'SigningKey', additionalProperties: false },
);

export const SigningKeyPageSchema = pageOf(refTo(SigningKeySchema));

export const RetiredSigningKeySchema = Type.Object(
  { retired: refTo(SigningKeySchema), signing: refTo(SigningKeySchema) },
  { additionalProperties: false },
);

export const SigningKeyParams = Type.Object({ kid: Type.String({ minLength: 1, maxLength: 64 }) });
export const SigningKeyQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
