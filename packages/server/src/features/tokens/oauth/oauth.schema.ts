import Type from 'typebox';
import type { TokenActor } from '../claims.ts';

const Detail = Type.Object(
  {
    type: Type.Literal('keyreeve'),
    actions: Type.Array(Type.String()),
    identifiers: Type.Array(Type.String(), { description: 'Patterns, as in scopes.' }),
  },
  { additionalProperties: false },
);

const Details = Type.Array(Detail, { description: 'RFC 9396: what is permitted, on what.' });

/** Loose on purpose: `form.ts` has read it by then and has named what was wrong. */
export const TokenRequestSchema = Type.Object(
  {
    grant_type: Type.String({
      description: '`client_credentials`, or `urn:ietf:params:oauth:grant-type:token-exchange`.',
    }),
    client_id: Type.Optional(Type.String({ description: 'The API key, unless Basic is used.' })),
    client_secret: Type.Optional(
      Type.String({ 'x-secret': true, description: 'The secret key, unless Basic is used.' }),
    ),
    scope: Type.Optional(Type.String({ description: 'Actions, separated by single spaces.' })),
    authorization_details: Type.Optional(
      Type.String({
        description: 'RFC 9396, as JSON: `[{"type":"keyreeve","actions":[…],"identifiers":[…]}]`.',
      }),
    ),
    resource: Type.Optional(
      Type.String({
        description: 'One of the setting `tokenResources`; without it the token is for this server.',
      }),
    ),
    audience: Type.Optional(Type.String({ description: 'Means the same as `resource`.' })),
    subject_token: Type.Optional(
      Type.String({ 'x-secret': true, description: 'For token exchange: the token to narrow.' }),
    ),
    subject_token_type: Type.Optional(
      Type.String({ description: '`urn:ietf:params:oauth:token-type:access_token`.' }),
    ),
    requested_token_type: Type.Optional(
      Type.String({ description: '`urn:ietf:params:oauth:token-type:access_token`.' }),
    ),
  },
  { $id: 'OAuthTokenRequest' },
);

export const TokenAnswerSchema = Type.Object(
  {
    access_token: Type.String({ 'x-secret': true }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds.' }),
    scope: Type.Optional(Type.String({ description: 'Every action of the token, on whatever it is held.' })),
    authorization_details: Details,
    issued_token_type: Type.Optional(Type.Literal('urn:ietf:params:oauth:token-type:access_token')),
  },
  { $id: 'OAuthToken', additionalProperties: false },
);

export const IntrospectRequestSchema = Type.Object(
  {
    token: Type.String({ 'x-secret': true, description: 'A token or a full key.' }),
    token_type_hint: Type.Optional(Type.String({ description: 'Not needed.' })),
    ip: Type.Optional(
      Type.String({
        description: 'From where it is used. Without it, a key with an allow list is not active.',
      }),
    ),
    client_id: Type.Optional(Type.String({ description: 'The API key of the asker.' })),
    client_secret: Type.Optional(
      Type.String({ 'x-secret': true, description: 'The secret key of the asker.' }),
    ),
  },
  { $id: 'OAuthIntrospectRequest' },
);

export const IntrospectionSchema = Type.Object(
  {
    active: Type.Boolean(),
    scope: Type.Optional(Type.String({ description: 'Actions that are held on everything.' })),
    client_id: Type.Optional(Type.String({ description: 'The API key.' })),
    username: Type.Optional(
      Type.String({ description: 'E-mail of a user, technical name of a service account.' }),
    ),
    token_type: Type.Optional(Type.Union([Type.Literal('Bearer'), Type.Literal('api_key')])),
    exp: Type.Optional(Type.Integer({ description: 'Seconds since 1970.' })),
    iat: Type.Optional(Type.Integer({ description: 'Seconds since 1970.' })),
    sub: Type.Optional(Type.String({ description: 'The account.' })),
    aud: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    jti: Type.Optional(Type.String()),
    authorization_details: Type.Optional(Details),
    act: Type.Optional(
      Type.Unsafe<TokenActor>(
        Type.Object(
          { sub: Type.String(), client_id: Type.String() },
          { additionalProperties: true, description: 'Who got it in exchange for a token of the account.' },
        ),
      ),
    ),
  },
  { $id: 'OAuthIntrospection', additionalProperties: false },
);

export const RevokeRequestSchema = Type.Object(
  {
    token: Type.String({ 'x-secret': true }),
    token_type_hint: Type.Optional(Type.String({ description: 'Not needed.' })),
    client_id: Type.Optional(Type.String({ description: 'The API key that got the token.' })),
    client_secret: Type.Optional(Type.String({ 'x-secret': true, description: 'Its secret key.' })),
  },
  { $id: 'OAuthRevokeRequest' },
);

export const OAuthErrorSchema = Type.Object(
  {
    error: Type.String({ description: 'RFC 6749 5.2.' }),
    error_description: Type.String(),
    error_uri: Type.String({ description: 'The page of the error.' }),
  },
  { $id: 'OAuthError', additionalProperties: false },
);

const Texts = Type.Array(Type.String());

export const ServerMetadataSchema = Type.Object(
  {
    issuer: Type.String(),
    token_endpoint: Type.String(),
    token_endpoint_auth_methods_supported: Texts,
    grant_types_supported: Texts,
    jwks_uri: Type.String(),
    introspection_endpoint: Type.String(),
    introspection_endpoint_auth_methods_supported: Texts,
    revocation_endpoint: Type.String(),
    revocation_endpoint_auth_methods_supported: Texts,
    authorization_details_types_supported: Texts,
  },
  { $id: 'OAuthServerMetadata', additionalProperties: false },
);
