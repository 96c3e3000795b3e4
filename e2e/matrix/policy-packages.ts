import { OWNERS } from './cast.ts';
import type { Credential } from './credential.ts';
import {
  ALL,
  type Demand,
  gate,
  holds,
  ownsPackage,
  reach,
  relation,
  seesPackage,
  type Target,
  type Verdict,
} from './oracle.ts';
import { type Answer, compareNames, itemsOf, type Row } from './row.ts';
import { ACCOUNT_TARGETS, belongingsOf, PACKAGE_TARGETS } from './targets.ts';

const READ: Demand = { kinds: ALL, action: 'package:read' };
const AUDIT: Demand = { kinds: ALL, action: 'iam:audit:read', resource: 'audit', isAdminOnly: true };
const OWN: Demand = { kinds: ['session'] };

const HERE = PACKAGE_TARGETS.filter(
  ({ place, person }) => place === 'home' && OWNERS.includes(person ?? 'bare'),
);

function isSame(target: Target): (other: Target) => boolean {
  return (other) => target.place === 'home' && other.person === target.person;
}

/** By his own account, or because the key acts for it. */
function actsFor({ facts }: Credential, target: Target): boolean {
  if (facts.kind !== 'key' && facts.kind !== 'token') return false;
  return target.place === 'home' && [facts.person, facts.owner].some((person) => person === target.person);
}

/** What an account owns, and how much of it: told to whoever may see the account or acts for it. */
export function onCoverage(who: Credential, target: Target, method: 'GET' | 'POST'): Verdict {
  const refused = gate(who, method, READ);
  if (refused !== null) return refused;
  const isHis =
    relation(who.facts, target) !== 'none' ||
    actsFor(who, target) ||
    reach(who, target, 'iam:accounts:read', 'iam:accounts:write') !== 'none';
  return isHis ? 'allow' : 404;
}

function judgeCoverage(answer: Answer, who: Credential, target: Target): string | null {
  const { groups } = answer.json<{ groups: { packages: { displayId: string }[] }[] }>();
  const shown = groups.flatMap((group) => group.packages.map((item) => item.displayId));
  const wanted = HERE.filter(isSame(target)).filter((one) => seesPackage(who, one));
  return compareNames(
    shown,
    wanted.map((one) => one.id(who)),
  );
}

function judgeSummary(answer: Answer, who: Credential): string | null {
  const { mine, all } = answer.json<{ mine: number; all: number }>();
  const seen = HERE.filter((target) => seesPackage(who, target));
  const { facts } = who;
  // An administrator reaches everybody's packages, but only his own are his.
  const isMine = (target: Target) =>
    facts.kind === 'session'
      ? facts.person === target.person || relation(facts, target) === 'manager'
      : actsFor(who, target);
  const own = seen.filter(isMine);
  return mine === own.length && all === seen.length
    ? null
    : `it counts ${mine} of ${all} where ${own.length} of ${seen.length} are his`;
}

/** Not his is not there, whether he may see it or not. */
export function onOwn(who: Credential, target: Target, method: string): Verdict {
  return gate(who, method, OWN) ?? (ownsPackage(who.facts, target) ? 'allow' : 404);
}

function judgeKeys(answer: Answer, who: Credential, target: Target): string | null {
  if (target.person === null) return 'it is nobody’s';
  const { spare, off } = belongingsOf(who.home, target.person);
  const shown = itemsOf(answer).map((item) => item['id']);
  if (!shown.includes(spare.apiKey)) return 'the key that pushed it is missing';
  return shown.includes(off.apiKey) ? 'a disabled key is shown' : null;
}

function listingRow(verb: 'unlist' | 'relist'): Row {
  return {
    route: `POST /v1/packages/:id/versions/:version/${verb}`,
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/packages/${target.id(who)}/versions/1.0.0/${verb}` }),
    expect: (who, target) => {
      const verdict = onOwn(who, target, 'POST');
      return verdict === 'allow' && !holds(who.facts, 'package:unlist', target.id(who)) ? 403 : verdict;
    },
  };
}

/** What the console asks about packages, and its export of the audit log. */
export const CONSOLE_ROWS: readonly Row[] = [
  listingRow('unlist'),
  listingRow('relist'),
  {
    route: 'POST /v1/packages/coverage',
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({
      url: '/v1/packages/coverage',
      body: { ownerId: target.id(who), patterns: ['*'] },
    }),
    expect: (who, target) => onCoverage(who, target, 'POST'),
    judge: judgeCoverage,
  },
  {
    route: 'GET /v1/package-summary',
    send: () => ({ url: '/v1/package-summary' }),
    expect: (who) => gate(who, 'GET', READ) ?? 'allow',
    judge: judgeSummary,
  },
  {
    route: 'GET /v1/packages/:id/keys',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/packages/${target.id(who)}/keys` }),
    expect: (who, target) => onOwn(who, target, 'GET'),
    judge: judgeKeys,
  },
  {
    route: 'GET /v1/audit/actions',
    send: () => ({ url: '/v1/audit/actions' }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
  },
  {
    route: 'GET /v1/audit/chain',
    send: () => ({ url: '/v1/audit/chain' }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
  },
  {
    route: 'GET /v1/audit/chain/export',
    isRecorded: true,
    send: () => ({ url: '/v1/audit/chain/export' }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
  },
  {
    route: 'GET /v1/audit/export',
    isRecorded: true,
    send: () => ({ url: '/v1/audit/export' }),
    expect: (who) => gate(who, 'GET', AUDIT) ?? 'allow',
    judge: (answer) =>
      answer.body.split('\r\n').length > 2 ? null : 'the file holds no row of this workspace',
  },
];
