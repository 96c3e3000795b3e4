import { buildNupkg } from '@keyreeve/testkit';
import type { Person } from './cast.ts';
import type { Credential } from './credential.ts';
import { ALL, type Demand, gate, holds, isAdmin, relation, type Target, type Verdict } from './oracle.ts';
import { onOwners } from './policy-gallery.ts';
import { onCoverage, onOwn } from './policy-packages.ts';
import { type Answer, compareNames, itemsOf, type Row } from './row.ts';
import {
  ACCOUNT_TARGETS,
  accountOf,
  keyTargets,
  PACKAGE_TARGETS,
  PREFIX_TARGETS,
  REQUEST_TARGETS,
} from './targets.ts';

const PROBE = buildNupkg({ id: 'Matrix.Probe', version: '1.0.0' });
const OWN: Demand = { kinds: ['session'] };

function onPrefix(who: Credential, target: Target | null, method: string, verb: 'read' | 'write'): Verdict {
  const demand: Demand = {
    kinds: ALL,
    action: `iam:prefixes:${verb}`,
    resource: 'package-prefixes',
    isAdminOnly: true,
  };
  return gate(who, method, demand) ?? (target === null || target.place === 'home' ? 'allow' : 404);
}

function prefixRow(method: 'GET' | 'PATCH' | 'DELETE', verb: 'read' | 'write', body?: unknown): Row {
  return {
    route: `${method} /v1/package-prefixes/:id`,
    targets: PREFIX_TARGETS,
    send: (who, target) => ({
      url: `/v1/package-prefixes/${target.id(who)}`,
      headers: { 'if-match': '*' },
      ...(body === undefined ? {} : { body }),
    }),
    expect: (who, target) => onPrefix(who, target, method, verb),
  };
}

/** Yes and no are said by the account that is asked, its managers and administrators. */
function onAnswer(who: Credential, target: Target): Verdict {
  return gate(who, 'POST', OWN) ?? (relation(who.facts, target) === 'none' ? 404 : 'allow');
}

/** Taken back by the member, who has asked, and by administrators, who manage every package. */
function onWithdrawal(who: Credential, target: Target): Verdict {
  const refused = gate(who, 'DELETE', OWN);
  if (refused !== null) return refused;
  const isHis = isAdmin(who.facts) || (who.facts.kind === 'session' && who.facts.person === 'member');
  return isHis && target.place === 'home' ? 'allow' : 404;
}

function judgeRequests(answer: Answer, who: Credential): string | null {
  const { facts, home } = who;
  const isAsked = (person: Person) => {
    const how = relation(facts, { name: '', person, place: 'home', id: () => '' });
    return how === 'self' || how === 'manager' || (facts.kind === 'session' && facts.person === person);
  };
  const wanted = REQUEST_TARGETS.flatMap(({ place, person }) =>
    place === 'home' && person !== null && isAsked(person) ? [home.requests[person] ?? ''] : [],
  );
  return compareNames(
    itemsOf(answer).map((item) => item['id'] as string),
    wanted,
  );
}

const answers: readonly Row[] = (['accept', 'decline'] as const).map((verb) => ({
  route: `POST /v1/owner-requests/:requestId/${verb}`,
  targets: REQUEST_TARGETS,
  send: (who, target) => ({ url: `/v1/owner-requests/${target.id(who)}/${verb}` }),
  expect: onAnswer,
}));

/** A key, asked about by whoever may see it. */
const preview: Row = {
  route: 'POST /v1/packages/dry-run',
  targets: keyTargets('spare'),
  send: (who, target) => ({
    url: '/v1/packages/dry-run',
    body: { keyId: target.id(who), id: 'Matrix.Probe', version: '1.0.0' },
  }),
  expect: (who, target) => gate(who, 'POST', OWN) ?? (relation(who.facts, target) === 'none' ? 404 : 'allow'),
};

const previewPackage: Row = {
  route: 'POST /v1/packages/dry-run/package',
  targets: keyTargets('spare'),
  send: (who, target) => ({
    url: `/v1/packages/dry-run/package?keyId=${target.id(who)}`,
    headers: { 'content-type': 'application/octet-stream' },
    bytes: PROBE,
  }),
  expect: preview.expect,
};

/** Who owns packages, which ids are reserved, what is deprecated, and how much there may be. */
export const RULE_ROWS: readonly Row[] = [
  {
    route: 'GET /v1/package-prefixes',
    send: () => ({ url: '/v1/package-prefixes' }),
    expect: (who) => onPrefix(who, null, 'GET', 'read'),
    judge: (answer, who) =>
      compareNames(
        itemsOf(answer).map((item) => item['id'] as string),
        [who.home.prefixId],
      ),
  },
  {
    route: 'POST /v1/package-prefixes',
    send: () => ({ url: '/v1/package-prefixes', body: { pattern: 'Matrix.*', accountIds: [] } }),
    expect: (who) => onPrefix(who, null, 'POST', 'write'),
  },
  prefixRow('GET', 'read'),
  prefixRow('PATCH', 'write', { accountIds: [] }),
  prefixRow('DELETE', 'write'),
  {
    route: 'GET /v1/owner-requests',
    send: () => ({ url: '/v1/owner-requests?limit=200' }),
    expect: (who) => gate(who, 'GET', OWN) ?? 'allow',
    judge: judgeRequests,
  },
  {
    route: 'GET /v1/packages/:id/owner-requests',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/packages/${target.id(who)}/owner-requests` }),
    expect: (who, target) => onOwn(who, target, 'GET'),
  },
  {
    route: 'POST /v1/packages/:id/owner-requests',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({
      url: `/v1/packages/${target.id(who)}/owner-requests`,
      body: { account: accountOf(who, 'bare') },
    }),
    expect: (who, target) => onOwners(who, target, 'POST', 'allow'),
  },
  {
    route: 'POST /v1/packages/:id/transfer',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({
      url: `/v1/packages/${target.id(who)}/transfer`,
      body: { account: accountOf(who, 'bare'), from: accountOf(who, target.person ?? 'member') },
    }),
    expect: (who, target) => onOwners(who, target, 'POST', 'allow'),
  },
  ...answers,
  {
    route: 'DELETE /v1/owner-requests/:requestId',
    targets: REQUEST_TARGETS,
    send: (who, target) => ({ url: `/v1/owner-requests/${target.id(who)}` }),
    expect: onWithdrawal,
  },
  {
    route: 'PUT /v1/packages/:id/deprecations',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({
      url: `/v1/packages/${target.id(who)}/deprecations`,
      body: { versions: ['1.0.0'], reasons: ['legacy'] },
    }),
    expect: (who, target) => {
      const verdict = onOwn(who, target, 'PUT');
      return verdict === 'allow' && !holds(who.facts, 'package:unlist', target.id(who)) ? 403 : verdict;
    },
  },
  {
    route: 'GET /v1/accounts/:id/gallery-usage',
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({ url: `/v1/accounts/${target.id(who)}/gallery-usage` }),
    expect: (who, target) => onCoverage(who, target, 'GET'),
  },
  preview,
  previewPackage,
];
