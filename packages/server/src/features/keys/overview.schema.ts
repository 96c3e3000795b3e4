import Type from 'typebox';
import { refTo } from '../../http/index.ts';
import { AccountNameSchema } from '../accounts/index.ts';

const Time = Type.String({ format: 'date-time' });
const NullableTime = Type.Union([Time, Type.Null()]);

export const OverviewQuery = Type.Object(
  {
    hours: Type.Optional(
      Type.Union([Type.Literal(24), Type.Literal(168), Type.Literal(720)], {
        description: 'How far back verifications and refusals are told (default 168).',
      }),
    ),
  },
  { additionalProperties: false },
);

const KeyNumbers = Type.Object(
  {
    total: Type.Integer(),
    working: Type.Integer({ description: 'Enabled and not expired.' }),
    expiring: Type.Integer({ description: 'Of those that work: about to expire, within `noticeDays`.' }),
    expired: Type.Integer({ description: 'Enabled, and expired all the same.' }),
    expiredStillCalled: Type.Integer({
      description: 'Of the expired ones: presented and refused within the last `hours`.',
    }),
    disabled: Type.Integer(),
    neverUsed: Type.Integer({ description: 'Of those that work.' }),
    unusedFor90Days: Type.Integer({
      description: 'Of those that work: neither used nor made within the last 90 days.',
    }),
    isPartial: Type.Boolean({
      description:
        'There are so many keys that numbers are those of a part of them. Counted are 1,000,000 keys of a workspace, or 10,000 keys of each 50 accounts of a member; unused ones among the newest 20,000; still called ones among 5,000; verifications of a member for the newest 1,000.',
    }),
  },
  { additionalProperties: false },
);

const NextKey = Type.Object(
  {
    id: Type.String(),
    comment: Type.String(),
    account: refTo(AccountNameSchema),
    expiresAt: Time,
    lastUsedAt: NullableTime,
  },
  { additionalProperties: false },
);

export const OverviewSchema = Type.Object(
  {
    hours: Type.Integer(),
    generatedAt: Time,
    noticeDays: Type.Integer({ description: 'The largest of the notice days of the workspace.' }),
    keys: KeyNumbers,
    expiringByDay: Type.Array(
      Type.Object(
        { day: Type.String({ format: 'date' }), count: Type.Integer() },
        { additionalProperties: false },
      ),
      { description: 'Working keys that stop within 60 days from today, by day in UTC.' },
    ),
    nextToStop: Type.Array(NextKey, { description: 'The five working keys that stop first.' }),
    verifications: Type.Array(
      Type.Object(
        { hour: Time, accepted: Type.Integer(), refused: Type.Integer() },
        { additionalProperties: false },
      ),
      { description: 'Every hour in which there were any.' },
    ),
    refusals: Type.Array(
      Type.Object({ reason: Type.String(), count: Type.Integer() }, { additionalProperties: false }),
      {
        description:
          'By code of verification, the most frequent first. Unknown credentials (`not_found`, `malformed`) are told to those who see the whole workspace.',
      },
    ),
  },
  { $id: 'Overview', additionalProperties: false },
);
