import Type from 'typebox';
import { refTo } from '../../http/index.ts';

const Time = Type.String({ format: 'date-time' });

export const KeyRefusalSchema = Type.Object(
  {
    at: Time,
    ip: Type.Union([Type.String(), Type.Null()]),
    userAgent: Type.Union([Type.String(), Type.Null()]),
    reason: Type.String({
      description: 'Code of a verification: `expired`, `insufficient_scope` and the like.',
    }),
    action: Type.Union([Type.String(), Type.Null()], {
      description: 'What was asked for; null when nothing was, or when an older release counted it.',
    }),
  },
  { $id: 'KeyRefusal', additionalProperties: false },
);

export const KeyUsageQuerySchema = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        format: 'date-time',
        description:
          'The bucket of this instant is the first. Without it: 48 hours or 30 days before `to`, by `by`.',
      }),
    ),
    to: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Buckets that begin at this instant or later are left out. Without it: now included.',
      }),
    ),
    by: Type.Optional(
      Type.Union([Type.Literal('hour'), Type.Literal('day')], {
        description: 'Length of a bucket (default `hour`); days are those of UTC.',
      }),
    ),
  },
  { additionalProperties: false },
);

const OutcomeCounts = Type.Array(
  Type.Object(
    {
      outcome: Type.String({ description: '`valid`, or why the key was refused.' }),
      count: Type.Integer(),
    },
    { additionalProperties: false },
  ),
);

export const KeyUsageSchema = Type.Object(
  {
    by: Type.Union([Type.Literal('hour'), Type.Literal('day')]),
    from: Type.String({ format: 'date-time', description: 'Where the first bucket begins.' }),
    to: Type.String({ format: 'date-time', description: 'Where the last bucket ends.' }),
    hoursKeptFrom: Type.String({
      format: 'date-time',
      description: 'Before this, only days are known: ask with `by=day`.',
    }),
    buckets: Type.Array(
      Type.Object({ start: Time, outcomes: OutcomeCounts }, { additionalProperties: false }),
      { description: 'Oldest first. Buckets in which nothing was counted are left out.' },
    ),
    actions: Type.Array(
      Type.Object(
        {
          action: Type.Union([Type.String(), Type.Null()], {
            description: 'Null: no action was asked for. `other`: further actions, which are not told apart.',
          }),
          outcomes: OutcomeCounts,
        },
        { additionalProperties: false },
      ),
      { description: 'The same time by action, the most frequent first; at most 100.' },
    ),
  },
  { $id: 'KeyUsage', additionalProperties: false },
);

export const keyUsageRef = refTo(KeyUsageSchema);
export const keyRefusalRef = refTo(KeyRefusalSchema);
