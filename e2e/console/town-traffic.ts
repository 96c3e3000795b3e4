import { DAY_MS, HOUR_MS } from '../../packages/server/src/index.ts';
import { systemClock } from '../../packages/server/src/lib/clock.ts';
import type { Happening, Town } from './town.ts';
import { IMPORTED, type TownKey, type TownTraffic, VERIFIER_COMMENT } from './town-keys.ts';

const MINUTE_MS = 60_000;
const TRAFFIC_DAYS = 14;

/** The whole credential of a key that the town has made already. */
export function secretOf(town: Town, comment: string): string {
  const key = town.keys.get(comment);
  if (key === undefined) throw new Error(`Hayama has no key "${comment}" yet.`);
  return key.secret;
}

/** A full day's curve with two thirds of it at night missing, and quiet week-ends. */
function busyness(at: number): number {
  const date = new Date(at);
  const byHour = 0.55 - 0.45 * Math.cos(((date.getUTCHours() - 2) / 24) * 2 * Math.PI);
  return date.getUTCDay() === 0 || date.getUTCDay() === 6 ? byHour * 0.35 : byHour;
}

async function useKey(town: Town, traffic: TownTraffic, secret: string): Promise<void> {
  const { via, agent, ip, action, resource } = traffic;
  const common = { remoteAddress: ip, headers: { 'user-agent': agent } };
  if (via === 'verify') {
    await town.app.inject({
      ...common,
      method: 'POST',
      url: '/v1/keys/verify',
      headers: { authorization: `Bearer ${secretOf(town, VERIFIER_COMMENT)}`, 'user-agent': 'nginx/1.29.3' },
      payload: { key: secret, ip },
    });
  } else if (via === 'login') {
    const [, apiKey, secretkey] = /^(kr_[^_]+)_(.*)$/.exec(secret) ?? [];
    const payload = { auth_mode: 'apikey', apikey: apiKey, secretkey };
    await town.app.inject({ ...common, method: 'POST', url: '/iam/login', payload });
  } else {
    const query =
      action === undefined ? '' : `?${new URLSearchParams({ action, resource: resource ?? '*' })}`;
    const headers = { ...common.headers, authorization: `Bearer ${secret}` };
    await town.app.inject({ ...common, url: `/v1/authorize${query}`, headers });
  }
}

/** Two weeks of calls with a key, busy by day, and its last call where one is told. */
export function planTraffic(town: Town, key: TownKey, traffic: TownTraffic): Happening[] {
  const now = systemClock.now();
  const call = (agoMs: number): Happening => ({
    agoMs,
    run: () => useKey(town, traffic, secretOf(town, key.comment)),
  });
  const from = Math.min(TRAFFIC_DAYS, key.createdDaysAgo) * 24;
  const to = Math.max((traffic.endedDaysAgo ?? 0) * 24, 1);
  const calls: Happening[] = [];
  for (let hour = Math.floor(from) - 1; hour >= to; hour -= 1) {
    const count = Math.round(traffic.busyHourCalls * busyness(now - hour * HOUR_MS));
    for (let index = 0; index < count; index += 1) calls.push(call((hour + index / count) * HOUR_MS));
  }
  const { lastMinutesAgo } = traffic;
  return lastMinutesAgo === undefined
    ? calls
    : [...calls.filter((one) => one.agoMs > lastMinutesAgo * MINUTE_MS), call(lastMinutesAgo * MINUTE_MS)];
}

/** Programs that nobody knows, and the legacy key that still publishes. */
export function planStrangers(town: Town): Happening[] {
  const ask = (agoMs: number, credential: string, agent: string): Happening => ({
    agoMs,
    run: () =>
      town.app.inject({
        url: '/v1/authorize',
        remoteAddress: '192.0.2.77',
        headers: { authorization: `Bearer ${credential}`, 'user-agent': agent },
      }),
  });
  const unknown = 'kr_zzzzzzzzzzzzzzzz_00000000000000000000000000000000000000000004VVbKv';
  const knocks = Array.from({ length: 60 }, (_, index) =>
    ask((3 + 5 * index) * HOUR_MS, index % 3 === 0 ? 'not-a-key' : unknown, 'curl/8.14.1'),
  );
  return [...knocks, ask(6 * DAY_MS, IMPORTED.credential, 'PowerShellGet/2.2.5')];
}
