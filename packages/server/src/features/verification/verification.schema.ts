import Type from 'typebox';
import { refTo } from '../../http/index.ts';
import { LimitAnswerSchema } from '../limits/index.ts';
import { PermissionSchema } from '../scopes/index.ts';
import { FreshnessSchema } from './freshness.ts';
import { RESOURCE_CHARACTERS_MAX } from './question.ts';

const Nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

const Action = Type.String({
  maxLength: 256,
  description: '`service:verb` or `service:resource:verb`: may the key do this?',
});
const Resource = Type.String({
  maxLength: RESOURCE_CHARACTERS_MAX,
  description:
    'To what; printable ASCII without blanks. Without it the action must be held on everything (`*`).',
});

export const VerifyBodySchema = Type.Object(
  {
    key: Type.Optional(
      Type.String({
        maxLength: 1024,
        'x-secret': true,
        description: 'A full key. Either this, or `apiKey` and `secretKey`.',
      }),
    ),
    apiKey: Type.Optional(Type.String({ maxLength: 256 })),
    secretKey: Type.Optional(Type.String({ maxLength: 1024, 'x-secret': true })),
    action: Type.Optional(Action),
    resource: Type.Optional(Resource),
    ip: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Address of the end client. Without it a key with an IP allow list is refused.',
      }),
    ),
  },
  { $id: 'VerifyKey', additionalProperties: false },
);

const Code = Type.Union([
  Type.Literal('valid'),
  Type.Literal('malformed'),
  Type.Literal('not_found'),
  Type.Literal('expired'),
  Type.Literal('disabled'),
  Type.Literal('account_disabled'),
  Type.Literal('insufficient_scope'),
  Type.Literal('ip_not_allowed'),
  Type.Literal('rate_limited'),
  Type.Literal('quota_exceeded'),
]);

export const VerifyAnswerSchema = Type.Object(
  {
    valid: Type.Boolean(),
    code: Code,
    keyId: Nullable(
      Type.String({ description: 'The API key. Null, like all that follows, unless the secret was right.' }),
    ),
    account: Nullable(
      Type.Object(
        {
          id: Type.String(),
          kind: Type.Union([Type.Literal('user'), Type.Literal('service')]),
          displayName: Type.String(),
          login: Type.String(),
        },
        { additionalProperties: false },
      ),
    ),
    access: Nullable(Type.Union([Type.Literal('account'), Type.Literal('scoped'), Type.Literal('full')])),
    scopes: Nullable(Type.Array(refTo(PermissionSchema))),
    expiresAt: Nullable(
      Type.String({ format: 'date-time', description: 'When the presented secret stops working.' }),
    ),
    matched: Type.Optional(refTo(PermissionSchema)),
    limits: Type.Optional(refTo(LimitAnswerSchema)),
    freshness: refTo(FreshnessSchema),
  },
  { $id: 'VerifyAnswer', additionalProperties: false },
);

const header = (description: string) => Type.String({ description });

const REASON = {
  'x-keyreeve-reason': header('Why, in one word; precise only when the secret was right.'),
};
const CHALLENGE = { 'www-authenticate': header('How to authenticate; for the client.') };
/** Who it was, as `presentSubjectHeaders` says it. */
const SUBJECT = {
  'x-keyreeve-account': header('Id of the account of the credential.'),
  'x-keyreeve-account-kind': header('`user` or `service`.'),
  'x-keyreeve-account-login': header(
    'E-mail of a user, technical name of a service account; percent-encoded when it is not ASCII.',
  ),
  'x-keyreeve-key-id': header('The API key, of a token the one that it was got for.'),
  'x-keyreeve-workspace': header('Id of the workspace.'),
};

/** With keys that have limits, and only with them. */
const LIMITS = {
  'ratelimit-policy': header('The limits of the key (draft-ietf-httpapi-ratelimit-headers).'),
  ratelimit: header('What is left of them.'),
  'keyreeve-cache': header('`none`: the answer counts one use and may not be kept.'),
};

/** Where more than one server may revoke: see `freshness` of `/v1/keys/verify`. */
const FRESHNESS = {
  'x-keyreeve-freshness': header(
    '`lease;age-ms=120`: the answer may come from memory, and a revocation at another server within so many milliseconds (at most 2,000) may be missing. Absent when it is as true as a read of the database.',
  ),
};

/** What a gateway reads and hands on: there are no bodies. */
export const AUTHORIZE_ANSWERS = {
  204: Type.Null({ description: 'May pass; no body.', headers: { ...SUBJECT, ...LIMITS, ...FRESHNESS } }),
  401: Type.Null({
    description: 'The credential is missing or no good; no body.',
    headers: { ...CHALLENGE, ...REASON },
  }),
  403: Type.Null({
    description:
      'The credential does not permit the action, or its key is over a limit (`rate_limited`, `quota_exceeded`); no body.',
    headers: {
      ...SUBJECT,
      ...REASON,
      ...LIMITS,
      ...FRESHNESS,
      'retry-after': header('Seconds, where waiting helps a key that is over a limit.'),
    },
  }),
} as const;

/** Unknown parameters are refused: a mistyped `action` would otherwise ask for nothing and open the gate. */
export const AuthorizeQuerySchema = Type.Object(
  { action: Type.Optional(Action), resource: Type.Optional(Resource) },
  { additionalProperties: false },
);
