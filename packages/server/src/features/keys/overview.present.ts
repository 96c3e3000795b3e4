import type { Static } from 'typebox';
import { DAY_MS, HOUR_MS, toIso, toIsoOrNull } from '../../lib/clock.ts';
import { presentAccountName } from '../accounts/index.ts';
import type { OverviewSchema } from './overview.schema.ts';
import type { Overview } from './overview.service.ts';

const ISO_DAY_CHARACTERS = 10;

export function presentOverview(overview: Overview): Static<typeof OverviewSchema> {
  const { keys } = overview;
  return {
    hours: overview.hours,
    generatedAt: toIso(overview.generatedAt),
    noticeDays: overview.noticeDays,
    keys: {
      total: keys.total,
      working: keys.working,
      expiring: keys.expiring,
      expired: keys.expired,
      expiredStillCalled: keys.expiredStillCalled,
      disabled: keys.disabled,
      neverUsed: keys.neverUsed,
      unusedFor90Days: keys.unusedFor90Days,
      isPartial: keys.isPartial,
    },
    expiringByDay: overview.expiringByDay.map(({ day, count }) => ({
      day: toIso(day * DAY_MS).slice(0, ISO_DAY_CHARACTERS),
      count,
    })),
    nextToStop: overview.nextToStop.map(({ view: { key, account, lastUse }, expiresAt }) => ({
      id: key.id,
      comment: key.comment,
      account: presentAccountName(account),
      expiresAt: toIso(expiresAt),
      lastUsedAt: toIsoOrNull(lastUse?.at ?? null),
    })),
    verifications: overview.verifications.map(({ hour, accepted, refused }) => ({
      hour: toIso(hour * HOUR_MS),
      accepted,
      refused,
    })),
    refusals: overview.refusals.map(({ reason, count }) => ({ reason, count })),
  };
}
