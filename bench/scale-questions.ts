import { DAY_MS, toIso } from '../packages/server/src/lib/clock.ts';
import { encodeCursor } from '../packages/server/src/lib/page.ts';
import type { SeededDatabase } from './seed-keys.ts';

/** One question to the API, asked again and again; `path` may differ from turn to turn. */
export interface Question {
  readonly name: string;
  readonly path: (turn: number) => string;
}

const MIDDLE = 0.5;

/** Every list and search of keys, and what else reads many rows, as a console or a script asks it. */
export function listQuestions(seeded: SeededDatabase, feedPath: string): readonly Question[] {
  const fixed = (name: string, path: string): Question => ({ name, path: () => path });
  return [...keyQuestions(seeded, fixed), ...otherQuestions(seeded, feedPath, fixed)];
}

type Fixed = (name: string, path: string) => Question;

function keyQuestions(seeded: SeededDatabase, fixed: Fixed): Question[] {
  const { plan } = seeded;
  const keyAt = (turn: number) => seeded.keyAt((turn * 7_919 + 5) % plan.keys);
  const ago = (days: number) => toIso(plan.now - days * DAY_MS);
  const statuses = ['active', 'expiring', 'expired', 'disabled', 'working'].flatMap((status) =>
    ['createdAt', 'expiresAt'].map((sort) =>
      fixed(`keys, ${status}, by ${sort}`, `/v1/keys?status=${status}&sort=${sort}`),
    ),
  );
  const deep = encodeCursor(['createdAt', plan.now - Math.floor(300 * MIDDLE) * DAY_MS, '']);
  const deepByExpiry = encodeCursor(['expiresAt', plan.now + 100 * DAY_MS, '']);
  return [
    fixed('keys', '/v1/keys'),
    fixed('keys, 200 at once', '/v1/keys?limit=200'),
    fixed('keys, deep page', `/v1/keys?cursor=${deep}`),
    fixed('keys, by expiry', '/v1/keys?sort=expiresAt'),
    fixed('keys, by expiry, deep page', `/v1/keys?sort=expiresAt&cursor=${deepByExpiry}`),
    ...statuses,
    fixed('keys, disabled, deep page', `/v1/keys?status=disabled&cursor=${deep}`),
    fixed('keys, working, deep page', `/v1/keys?status=working&sort=expiresAt&cursor=${deepByExpiry}`),
    fixed('keys, expire in 30 days', `/v1/keys?expiresBefore=${ago(-30)}&sort=expiresAt`),
    fixed('keys, expire in 30 days, newest', `/v1/keys?expiresBefore=${ago(-30)}`),
    fixed('keys, long lifetime', '/v1/keys?lifetimeOverDays=400'),
    fixed('keys, lifetime that none has', '/v1/keys?lifetimeOverDays=5000'),
    fixed('keys, unused for 90 days', `/v1/keys?unusedSince=${ago(90)}`),
    fixed('keys, never used', '/v1/keys?neverUsed=true'),
    fixed('keys, unused since before any', `/v1/keys?unusedSince=${ago(3_000)}`),
    fixed('keys, expired, still called', `/v1/keys?stillCalledSince=${ago(1)}`),
    fixed('keys, q: a common word', '/v1/keys?q=laptop'),
    { name: 'keys, q: one comment', path: (turn) => `/v1/keys?q=${(turn * 7_919 + 5) % plan.keys}` },
    fixed('keys, q: nothing', '/v1/keys?q=quokka'),
    { name: 'keys, q: an API key', path: (turn) => `/v1/keys?q=${keyAt(turn).id}` },
    { name: 'keys, q: begin of an API key', path: (turn) => `/v1/keys?q=${keyAt(turn).id.slice(0, 10)}` },
    { name: 'keys of one account', path: (turn) => `/v1/keys?account=${keyAt(turn).accountId}` },
    { name: 'keys of one account, its page', path: (turn) => `/v1/accounts/${keyAt(turn).accountId}/keys` },
    { name: 'keys of one account, q', path: (turn) => `/v1/accounts/${keyAt(turn).accountId}/keys?q=laptop` },
    { name: 'one key', path: (turn) => `/v1/keys/${keyAt(turn).id}` },
  ];
}

function otherQuestions({ plan, keyAt }: SeededDatabase, feedPath: string, fixed: Fixed): Question[] {
  const accountAt = (turn: number) => keyAt((turn * 7_919 + 5) % plan.keys).accountId;
  return [
    fixed('overview', '/v1/overview'),
    fixed('calendar of expiries', feedPath),
    fixed('users', '/v1/users'),
    fixed('users, by name', '/v1/users?sort=name'),
    fixed('users, last seen', '/v1/users?sort=lastSeenAt&order=desc'),
    fixed('users, disabled', '/v1/users?state=disabled'),
    fixed('users with keys to see to', '/v1/users?attention=true'),
    fixed('users, q: one', `/v1/users?q=user-${Math.floor(plan.accounts / 2)}@`),
    fixed('users, q: nothing', '/v1/users?q=quokka'),
    fixed('users in numbers', '/v1/users/summary'),
    fixed('service accounts', '/v1/service-accounts'),
    fixed('audit', '/v1/audit'),
    fixed('audit, deep page', `/v1/audit?cursor=${encodeCursor([plan.now - 150 * DAY_MS, 0])}`),
    { name: 'audit of one key', path: (turn) => `/v1/audit?key=${keyAt((turn * 7_919) % plan.keys).id}` },
    { name: 'audit of one account', path: (turn) => `/v1/audit?account=${accountAt(turn)}` },
    fixed('audit, one action', '/v1/audit?action=key.disabled'),
    fixed('audit, refusals', '/v1/audit?outcome=refused'),
    fixed('audit, q: nothing', '/v1/audit?q=quokka'),
  ];
}
