import Type from 'typebox';
import { refTo } from '../../http/index.ts';
import { QUOTA_USES_MAX, RATE_REQUESTS_MAX, RATE_WINDOW_SECONDS_MAX } from './limits.rules.ts';

const Nullable = <Schema extends Type.TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
const OptionalOrNull = <Schema extends Type.TSchema>(schema: Schema, description: string) =>
  Type.Optional(Nullable(schema, description));

const Every = Type.Union([Type.Literal('hour'), Type.Literal('day'), Type.Literal('month')], {
  description: 'At the beginning of each hour, day or month, in UTC.',
});

// The bounds are told by the rules, which name the field, the limit and what to do; a schema would name only itself.
export const KeyLimitsInputSchema = Type.Object(
  {
    rate: OptionalOrNull(
      Type.Object(
        {
          requests: Type.Integer({ description: `1 to ${RATE_REQUESTS_MAX}.` }),
          windowSeconds: Type.Integer({
            description: `1 to ${RATE_WINDOW_SECONDS_MAX}. A window begins with its first request.`,
          }),
        },
        { additionalProperties: false },
      ),
      'Requests in a window. Refused requests count too.',
    ),
    quota: OptionalOrNull(
      Type.Object(
        {
          uses: Type.Integer({ description: `1 to ${QUOTA_USES_MAX}.` }),
          refill: OptionalOrNull(
            Type.Object(
              {
                every: Every,
                uses: OptionalOrNull(
                  Type.Integer(),
                  'How many uses come back, at most `uses`. Without it, all of them.',
                ),
              },
              { additionalProperties: false },
            ),
            'Without it, the uses are never refilled.',
          ),
        },
        { additionalProperties: false },
      ),
      'A number of uses, counted exactly. Refused requests do not count.',
    ),
  },
  {
    $id: 'KeyLimitsInput',
    additionalProperties: false,
    description: 'How often a key may be used. Without `rate` and `quota` there is no limit.',
  },
);

const Rate = Type.Object(
  { requests: Type.Integer(), windowSeconds: Type.Integer() },
  { additionalProperties: false },
);
const Refill = Type.Object(
  { every: Every, uses: Nullable(Type.Integer(), 'Null: all of them.') },
  { additionalProperties: false },
);

export const KeyLimitsSchema = Type.Object(
  {
    rate: Nullable(Rate),
    quota: Nullable(
      Type.Object(
        { uses: Type.Integer(), refill: Nullable(Refill, 'Null: never refilled.') },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'KeyLimits', additionalProperties: false },
);

const Source = Type.Union([Type.Literal('key'), Type.Literal('account')], {
  description: 'Whether the key has this limit itself, or as every key of its account.',
});

export const KeyAllowanceSchema = Type.Object(
  {
    rates: Type.Array(
      Type.Object(
        { source: Source, requests: Type.Integer(), windowSeconds: Type.Integer() },
        { additionalProperties: false },
      ),
    ),
    quotas: Type.Array(
      Type.Object(
        {
          source: Source,
          uses: Type.Integer(),
          refill: Nullable(Refill, 'Null: never refilled.'),
          remaining: Type.Integer({ description: 'Uses that are left now.' }),
          refillsAt: Nullable(
            Type.String({ format: 'date-time' }),
            'When uses come back next; null when they never do.',
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  {
    $id: 'KeyAllowance',
    additionalProperties: false,
    description:
      'All limits that hold the key: its own and those of its account. The first one that is spent refuses.',
  },
);

const Seconds = Nullable(Type.Integer(), 'Null when waiting does not help.');

export const LimitAnswerSchema = Type.Object(
  {
    retryAfterSeconds: Seconds,
    states: Type.Array(
      Type.Object(
        {
          name: Type.Union([
            Type.Literal('key-rate'),
            Type.Literal('account-rate'),
            Type.Literal('key-quota'),
            Type.Literal('account-quota'),
          ]),
          limit: Type.Integer(),
          windowSeconds: Nullable(Type.Integer(), 'Null for quotas by month and those without refill.'),
          remaining: Type.Integer(),
          resetSeconds: Seconds,
        },
        { additionalProperties: false },
      ),
    ),
  },
  {
    $id: 'LimitAnswer',
    additionalProperties: false,
    description: 'The limits of the key as they stand after this use.',
  },
);

/** `limits` of a create or edit; null lifts them. */
export const LimitsFieldSchema = Type.Optional(
  Nullable(refTo(KeyLimitsInputSchema), 'Null: without limits of its own.'),
);
