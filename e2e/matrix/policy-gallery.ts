import { buildNupkg } from '@keyreeve/testkit';
import { OWNERS, type Person, SERVICES } from './cast.ts';
import type { Credential } from './credential.ts';
import {
  ALL,
  type Demand,
  gate,
  holds,
  isAdmin,
  ownsPackage,
  seesPackage,
  type Target,
  type Verdict,
} from './oracle.ts';
import { type Answer, compareNames, itemsOf, type Row } from './row.ts';
import { ACCOUNT_TARGETS, accountOf, PACKAGE_TARGETS } from './targets.ts';

const READ: Demand = { kinds: ALL, action: 'package:read' };
const OWN: Demand = { kinds: ['session'] };

/** As package clients know it: 401 only without any key, 403 for one that is no good. A session is no key. */
function keyGate({ facts }: Credential): number | null {
  if (facts.kind === 'astray') return 421;
  if (facts.kind === 'ambiguous') return 400;
  if (facts.kind === 'key') return null;
  const isWithoutKey =
    facts.kind === 'nobody' ||
    facts.kind === 'session' ||
    (facts.kind === 'bad' && facts.carrier === 'cookie');
  return isWithoutKey ? 401 : 403;
}

function isOwner(who: Credential, target: Target): boolean {
  return who.facts.kind === 'key' && target.place === 'home' && target.person === who.facts.owner;
}

/** Whom it acts for: the name of a service account, never that of a person. */
function ownerOf({ facts, home }: Credential): readonly string[] {
  return facts.kind === 'key' && SERVICES.includes(facts.owner) ? [home.logins[facts.owner]] : [];
}

function onPush(who: Credential, target: Target): Verdict {
  const refused = keyGate(who);
  if (refused !== null) return refused;
  const id = target.id(who);
  // An id that only the other workspace has is a new one here.
  if (target.place !== 'home') return holds(who.facts, 'package:pushnew', id) ? 'allow' : 403;
  return holds(who.facts, 'package:pushversion', id) && isOwner(who, target) ? 'allow' : 403;
}

export function onListing(who: Credential, target: Target): Verdict {
  const refused = keyGate(who);
  if (refused !== null) return refused;
  if (target.place !== 'home') return 404;
  return holds(who.facts, 'package:unlist', target.id(who)) && isOwner(who, target) ? 'allow' : 403;
}

const PUSH_ROUTES = [
  'PUT /api/v2/package',
  'POST /api/v2/package',
  'PUT /api/v2',
  'POST /api/v2',
  'PUT /nuget',
  'POST /nuget',
  'PUT /',
];
const LISTING_PATHS = ['/api/v2/package/:id/:version', '/api/v2/:id/:version', '/nuget/:id/:version'];
/** Other spellings of a route have the same handler: a few things of each kind show that its guard is there. */
const FEW = PACKAGE_TARGETS.filter(({ name }) => /member$|random|other workspace/.test(name));

const built = new Map<string, Uint8Array>();

/** Building one takes longer than pushing it. */
function packageOf(id: string): Uint8Array {
  const bytes = built.get(id) ?? buildNupkg({ id, version: '2.0.0' });
  built.set(id, bytes);
  return bytes;
}

function pushRow(route: string, index: number): Row {
  const [, path = ''] = route.split(' ');
  return {
    route,
    isHidden: index > 0,
    targets: index > 0 ? FEW : PACKAGE_TARGETS,
    shape: 'text',
    send: (who, target) => ({ url: path, bytes: packageOf(target.id(who)) }),
    expect: onPush,
    mayTell: ownerOf,
  };
}

function listingRows(path: string, index: number): Row[] {
  return ['DELETE', 'POST'].map((method) => ({
    route: `${method} ${path}`,
    isHidden: index > 0,
    targets: index > 0 ? FEW : PACKAGE_TARGETS,
    shape: 'text',
    send: (who, target) => ({ url: path.replace(':id', target.id(who)).replace(':version', '1.0.0') }),
    expect: onListing,
    mayTell: ownerOf,
  }));
}

/** As unlisting: who may take a version out of sight may also warn of it. */
const deprecating: Row = {
  route: 'PUT /api/v2/package/:id/deprecations',
  targets: PACKAGE_TARGETS,
  shape: 'text',
  send: (who, target) => ({
    url: `/api/v2/package/${target.id(who)}/deprecations`,
    bytes: Buffer.from(JSON.stringify({ versions: ['1.0.0'], isLegacy: true })),
  }),
  expect: onListing,
  mayTell: ownerOf,
};

const download: Row = {
  route: 'GET /api/v2/package/:id/:version',
  targets: PACKAGE_TARGETS,
  shape: 'text',
  send: (who, target) => ({ url: `/api/v2/package/${target.id(who)}/1.0.0` }),
  expect: (who, target) => (who.facts.kind === 'astray' ? 421 : target.place === 'home' ? 'allow' : 404),
};

function judgePackages(answer: Answer, who: Credential): string | null {
  const shown = itemsOf(answer).map((item) => item['displayId'] as string);
  const own = PACKAGE_TARGETS.filter(
    (target) => target.place === 'home' && OWNERS.includes(target.person ?? 'bare'),
  );
  return compareNames(
    shown,
    own.filter((target) => seesPackage(who, target)).map((target) => target.id(who)),
  );
}

export function onOwners(who: Credential, target: Target, method: string, account: Verdict): Verdict {
  const refused = gate(who, method, OWN);
  if (refused !== null) return refused;
  if (!seesPackage(who, target)) return 404;
  if (!isAdmin(who.facts) && !ownsPackage(who.facts, target)) return 403;
  return account;
}

/** The targets are packages; the account is one for which the change makes sense. */
function ownerRow(method: 'PUT' | 'DELETE', person: Person): Row {
  return {
    route: `${method} /v1/packages/:id/owners/:accountId`,
    variant: 'of each package',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/packages/${target.id(who)}/owners/${accountOf(who, person)}` }),
    expect: (who, target) => onOwners(who, target, method, 'allow'),
  };
}

/** The targets are accounts, as owners of the package of the member. */
function accountRow(method: 'PUT' | 'DELETE', isFitting: (account: Target) => boolean): Row {
  const [found] = PACKAGE_TARGETS.filter(({ person, place }) => person === 'member' && place === 'home');
  if (found === undefined) throw new Error('The member has no package.');
  return {
    route: `${method} /v1/packages/:id/owners/:accountId`,
    variant: 'by each account',
    targets: ACCOUNT_TARGETS,
    send: (who, account) => ({ url: `/v1/packages/${found.id(who)}/owners/${account.id(who)}` }),
    expect: (who, account) => onOwners(who, found, method, isFitting(account) ? 'allow' : 404),
  };
}

const managing: readonly Row[] = [
  {
    route: 'GET /v1/packages',
    send: () => ({ url: '/v1/packages?limit=200' }),
    expect: (who) => gate(who, 'GET', READ) ?? 'allow',
    judge: judgePackages,
  },
  {
    route: 'GET /v1/packages/:id',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/packages/${target.id(who)}` }),
    expect: (who, target) => gate(who, 'GET', READ) ?? (seesPackage(who, target) ? 'allow' : 404),
  },
  ownerRow('PUT', 'bare'),
  ownerRow('DELETE', 'deputy'),
  accountRow('PUT', (account) => account.place === 'home'),
  accountRow('DELETE', (account) => account.place === 'home' && account.person === 'member'),
];

export const GALLERY_ROWS: readonly Row[] = [
  ...PUSH_ROUTES.map(pushRow),
  ...LISTING_PATHS.flatMap(listingRows),
  deprecating,
  download,
  ...managing,
];
