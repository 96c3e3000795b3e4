import { DAY_MS } from '../../lib/clock.ts';
import type { Settings } from '../settings/index.ts';
import { keyErrors } from './keys.errors.ts';

/** The longest lifetime that a key could be given today. */
export function maxLifetimeDays(settings: Settings): number {
  return settings.customLifetimes ? settings.maxLifetimeDays : Math.max(...settings.lifetimeChoicesDays);
}

/** @throws key.lifetime_not_allowed naming what would pass */
export function chooseLifetimeDays(settings: Settings, wanted: number | undefined): number {
  const days = wanted ?? settings.defaultLifetimeDays;
  if (
    settings.customLifetimes
      ? days >= 1 && days <= settings.maxLifetimeDays
      : settings.lifetimeChoicesDays.includes(days)
  )
    return days;
  const allowed = settings.customLifetimes
    ? `a whole number from 1 to ${settings.maxLifetimeDays}`
    : `one of ${settings.lifetimeChoicesDays.join(', ')}`;
  throw keyErrors.lifetime_not_allowed({
    detail: `lifetimeDays is ${days}; it must be ${allowed}. Every key expires.`,
    fields: [{ field: 'lifetimeDays', message: `must be ${allowed}` }],
  });
}

export function expiryOf(now: number, lifetimeDays: number): number {
  return now + lifetimeDays * DAY_MS;
}
