import Type from 'typebox';

const OptionalText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** The names are those that clients of the first seed read; they stay as they are. */
export const IamSessionSchema = Type.Object(
  {
    uid: Type.String({ description: 'Id of the account.' }),
    user: Type.String({ description: 'Display name.' }),
    name: Type.String({ description: 'Display name.' }),
    firstname: OptionalText('First name of a user.'),
    lastname: OptionalText('Last name of a user.'),
    civility: Type.Null(),
    email: OptionalText('E-mail address.'),
    login: Type.String({ description: 'E-mail of a user, technical name of a service account.' }),
    type: Type.Union([Type.Literal('user'), Type.Literal('service')]),
    authentication_type: Type.Literal('apikey'),
    isAdmin: Type.Boolean(),
    password_renew: Type.Literal(false),
    password_expiration: Type.Null(),
    token: Type.String({ 'x-secret': true, description: 'The token, for `Authorization: Bearer`.' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the token ends.' }),
    token_expire: Type.String({ format: 'date-time', description: 'When the token ends.' }),
    token_duration: Type.Integer({ description: 'Life of the token in seconds.' }),
    token_refreshed_at: Type.String({ format: 'date-time', description: 'When the token was made.' }),
  },
  { $id: 'IamSession', additionalProperties: false },
);

export const IamErrorSchema = Type.Object(
  {
    error: Type.String({ description: '`Unauthorized`, or what is wrong with the request.' }),
    success: Type.Literal(false),
    status: Type.Integer(),
    duration: Type.Number({ description: 'Seconds.' }),
  },
  { $id: 'IamError', additionalProperties: false },
);

export const IamDoneSchema = Type.Object(
  {
    success: Type.Literal(true),
    status: Type.Literal(200),
    duration: Type.Number({ description: 'Seconds.' }),
  },
  { $id: 'IamDone', additionalProperties: false },
);

/** Loose on purpose: `login-body.ts` has read it by then and has named what was wrong. */
export const LoginBodySchema = Type.Object(
  {
    auth_mode: Type.Literal('apikey'),
    apikey: Type.String({ description: 'The API key.' }),
    secretkey: Type.String({ 'x-secret': true, description: 'The secret key.' }),
    app_id: Type.Optional(Type.String({ description: 'Tolerated for old clients; not needed.' })),
  },
  { $id: 'IamLogin' },
);

// Old clients put both into the query of every request, whatever else they send there.
export const IamQuerySchema = Type.Object({
  app_id: Type.Optional(
    Type.String({ maxLength: 256, description: 'Tolerated for old clients; not needed.' }),
  ),
  token: Type.Optional(
    Type.String({ maxLength: 8192, description: 'The token; better in `Authorization: Bearer`.' }),
  ),
});

const JwkText = Type.Optional(Type.String());

export const JwksSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kid: Type.String(),
          alg: Type.String(),
          use: Type.Literal('sig'),
          kty: Type.String(),
          crv: JwkText,
          x: JwkText,
          y: JwkText,
          n: JwkText,
          e: JwkText,
        },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'Jwks', additionalProperties: false },
);
