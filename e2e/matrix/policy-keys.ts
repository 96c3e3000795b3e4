import { accountAccessOf, OWNERS, type Person, type Right } from './cast.ts';
import type { Credential } from './credential.ts';
import {
  ALL,
  type Demand,
  gate,
  holds,
  includes,
  onKeys,
  onNewKey,
  onRevival,
  relation,
  type Target,
  type Verdict,
  visibleIn,
} from './oracle.ts';
import { type Answer, compareNames, itemsOf, NOTHING, type Row } from './row.ts';
import { ACCOUNT_TARGETS, accountOf, belongingsOf, keyTargets, personOf } from './targets.ts';

const READ: Demand = { kinds: ALL, action: 'iam:keys:read' };
const WRITE: Demand = { kinds: ALL, action: 'iam:keys:write' };
const IMPORT: Demand = { kinds: ALL, action: 'iam:keys:import', resource: '*', isAdminOnly: true };
const VERIFY: Demand = { kinds: ALL, action: 'iam:keys:verify', isAdminOnly: true };
const WATCH: Demand = { kinds: ['key', 'token'], action: 'iam:keys:verify' };
const ANY_VERSION = { 'if-match': '*' };
const SPARE = keyTargets('spare');

function judgeKeys(answer: Answer, who: Credential, target: Target): string | null {
  const shown = itemsOf(answer).map(
    (item) => personOf(who.home, item['accountId'] as string) ?? 'somebody of no role',
  );
  const isVisible = visibleIn(who, 'iam:keys:read', 'iam:keys:write');
  const isEverybody = OWNERS.every(isVisible);
  const asked = OWNERS.filter(
    (person) => target === NOTHING || (target.place === 'home' && target.person === person),
  );
  const known = (name: string): boolean => OWNERS.includes(name as Person);
  return compareNames(
    [...new Set(isEverybody ? shown.filter(known) : shown.filter((name) => name !== 'bare'))],
    asked.filter(isVisible),
  );
}

/** Numbers name nobody, but the keys that stop next are named. */
function judgeOverview(answer: Answer, who: Credential): string | null {
  const { keys, nextToStop } = answer.json<{
    keys: { total: number };
    nextToStop: { account: { id: string } }[];
  }>();
  const isVisible = visibleIn(who, 'iam:keys:read', 'iam:keys:write');
  const isEverybody = OWNERS.every(isVisible);
  const shown = nextToStop.map(({ account }) => personOf(who.home, account.id));
  const strange = shown.filter((person) => !isEverybody && (person === null || !isVisible(person)));
  if (strange.length > 0) return `it names keys of ${strange.map(String).join(', ')}`;
  return keys.total === 0 && OWNERS.some(isVisible) ? 'it counts no keys' : null;
}

const reading: readonly Row[] = [
  {
    route: 'GET /v1/overview',
    send: () => ({ url: '/v1/overview?hours=24' }),
    expect: (who) => gate(who, 'GET', READ) ?? 'allow',
    judge: judgeOverview,
  },
  {
    route: 'GET /v1/keys',
    send: () => ({ url: '/v1/keys?limit=200' }),
    expect: (who) => gate(who, 'GET', READ) ?? 'allow',
    judge: judgeKeys,
  },
  {
    route: 'GET /v1/keys',
    variant: 'of an account',
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({ url: `/v1/keys?limit=200&account=${target.id(who)}` }),
    expect: (who) => gate(who, 'GET', READ) ?? 'allow',
    judge: judgeKeys,
  },
  {
    route: 'GET /v1/accounts/:id/keys',
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({ url: `/v1/accounts/${target.id(who)}/keys?limit=200` }),
    expect: (who, target) => gate(who, 'GET', READ) ?? onKeys(who, target, 'read'),
    judge: judgeKeys,
  },
  {
    route: 'GET /v1/keys/:keyId',
    targets: SPARE,
    send: (who, target) => ({ url: `/v1/keys/${target.id(who)}` }),
    expect: (who, target) => gate(who, 'GET', READ) ?? onKeys(who, target, 'read'),
  },
  {
    route: 'GET /v1/keys/:keyId/usage',
    targets: SPARE,
    send: (who, target) => ({ url: `/v1/keys/${target.id(who)}/usage` }),
    expect: (who, target) => gate(who, 'GET', READ) ?? onKeys(who, target, 'read'),
  },
];

function createRow(
  variant: string,
  body: (who: Credential) => object,
  expect: (who: Credential, target: Target) => Verdict,
): Row {
  return {
    route: 'POST /v1/accounts/:id/keys',
    variant,
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({
      url: `/v1/accounts/${target.id(who)}/keys`,
      body: { comment: 'new', ...body(who) },
    }),
    expect: (who, target) => gate(who, 'POST', WRITE) ?? expect(who, target),
  };
}

const scoped = (scopes: readonly Right[]) => ({ access: 'scoped', scopes });
const UNLIST: readonly Right[] = [{ actions: ['package:unlist'], resources: ['Matrix.*'] }];
const ASKING: readonly Right[] = [{ actions: ['iam:keys:verify'], resources: ['*'] }];

/** A key acts for its account, or for a service account that its account manages. */
function onOwner(who: Credential, target: Target): Verdict {
  const reached = onNewKey(who, target, UNLIST);
  if (reached !== 'allow') return reached;
  const isManaged = target.person === 'robot' || target.person === 'manager';
  return isManaged ? 'allow' : 400;
}

const creating: readonly Row[] = [
  createRow(
    'with a package scope',
    () => scoped(UNLIST),
    (who, target) => onNewKey(who, target, UNLIST),
  ),
  createRow(
    'with a scope that names an iam action',
    () => scoped(ASKING),
    (who, target) => onNewKey(who, target, ASKING),
  ),
  createRow(
    'with account access',
    () => ({ access: 'account' }),
    (who, target) => onNewKey(who, target, target.person === null ? [] : accountAccessOf(target.person)),
  ),
  createRow('acting for robot', (who) => ({ ...scoped(UNLIST), ownerId: accountOf(who, 'robot') }), onOwner),
  createRow(
    'acting for the robot of the other workspace',
    (who) => ({ ...scoped(UNLIST), ownerId: who.away.accounts.robot }),
    (who, target) => {
      const reached = onNewKey(who, target, UNLIST);
      return reached === 'allow' ? 400 : reached;
    },
  ),
];

function lifecycleRow(
  verb: string,
  which: 'spare' | 'off' | 'overlap',
  body: object | undefined,
  expect: (who: Credential, target: Target) => Verdict,
): Row {
  return {
    route: `POST /v1/keys/:keyId/${verb}`,
    targets: keyTargets(which),
    send: (who, target) => ({
      url: `/v1/keys/${target.id(who)}/${verb}`,
      ...(body === undefined ? {} : { body }),
    }),
    expect: (who, target) => gate(who, 'POST', WRITE) ?? expect(who, target),
  };
}

const toWrite = (who: Credential, target: Target): Verdict => onKeys(who, target, 'write');

const writing: readonly Row[] = [
  {
    route: 'PATCH /v1/keys/:keyId',
    targets: SPARE,
    send: (who, target) => ({
      url: `/v1/keys/${target.id(who)}`,
      headers: ANY_VERSION,
      body: { comment: 'Changed', ipRanges: ['203.0.113.0/24'] },
    }),
    expect: (who, target) => gate(who, 'PATCH', WRITE) ?? toWrite(who, target),
  },
  {
    route: 'DELETE /v1/keys/:keyId',
    targets: SPARE,
    send: (who, target) => ({ url: `/v1/keys/${target.id(who)}` }),
    expect: (who, target) => gate(who, 'DELETE', WRITE) ?? toWrite(who, target),
  },
  lifecycleRow('regenerate', 'spare', { overlapHours: 24 }, onRevival),
  lifecycleRow('end-overlap', 'overlap', undefined, toWrite),
  lifecycleRow('disable', 'spare', { reason: 'matrix' }, toWrite),
  lifecycleRow('enable', 'off', undefined, onRevival),
];

const FUTURE = '2027-12-31T00:00:00Z';

function importRow(variant: string, row: object, rights: readonly Right[]): Row {
  return {
    route: 'POST /v1/key-imports',
    variant,
    targets: ACCOUNT_TARGETS,
    send: (who, target) => ({
      url: '/v1/key-imports',
      body: { rows: [{ account: target.id(who), comment: 'new', sha256: 'a'.repeat(64), ...row }] },
    }),
    // All that is wrong with a row is told as a fault of that row.
    expect: (who, target) => {
      const refused = gate(who, 'POST', IMPORT);
      if (refused !== null) return refused;
      if (target.place !== 'home' || target.person === null) return 400;
      const isHeld =
        who.facts.kind === 'session' ||
        rights.every((right) =>
          right.actions.every((action) =>
            right.resources.every((resource) => holds(who.facts, action, resource)),
          ),
        );
      return isHeld ? 'allow' : 400;
    },
  };
}

const importing: readonly Row[] = [
  importRow('full access', { access: 'full', expiresAt: null }, [
    { actions: ['package:*'], resources: ['*'] },
  ]),
  importRow('scoped', { ...scoped(UNLIST), expiresAt: FUTURE }, UNLIST),
];

const ownKey = (method: string, kinds: Demand['kinds']) => (who: Credential) =>
  gate(who, method, { kinds }) ?? 'allow';

const self: readonly Row[] = [
  {
    route: 'GET /v1/keys/self',
    send: () => ({ url: '/v1/keys/self' }),
    expect: ownKey('GET', ['key', 'token']),
    judge: (answer, who) => {
      const { account } = answer.json<{ account: { id: string } }>();
      const isRight = 'person' in who.facts && account.id === who.home.accounts[who.facts.person];
      return isRight ? null : 'it is told of another account';
    },
  },
  {
    route: 'POST /v1/keys/self/revoke',
    send: () => ({ url: '/v1/keys/self/revoke' }),
    expect: ownKey('POST', ['key']),
  },
];

/** Full keys to be asked about: for whoever may not verify that account they do not exist. */
export const PRESENTED: readonly Target[] = [
  ...OWNERS.map((person) => ({
    name: `key of ${person}`,
    person,
    place: 'home' as const,
    id: (who: Credential) => belongingsOf(who.home, person).spare.fullKey,
  })),
  {
    name: 'key of member in the other workspace',
    person: 'member',
    place: 'away',
    id: (who) => belongingsOf(who.away, 'member').spare.fullKey,
  },
  {
    name: 'a well-formed key that nobody has',
    person: null,
    place: 'nowhere',
    id: () => 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
  },
];

export function mayVerify(who: Credential, target: Target): boolean {
  if (target.place !== 'home' || target.person === null) return false;
  if (who.facts.kind === 'session') return relation(who.facts, target) === 'admin';
  return holds(who.facts, 'iam:keys:verify', accountOf(who, target.person));
}

const verifying: Row = {
  route: 'POST /v1/keys/verify',
  targets: PRESENTED,
  send: (who, target) => ({
    url: '/v1/keys/verify',
    body: { key: target.id(who), action: 'package:push', resource: 'Matrix.One' },
  }),
  expect: (who) => gate(who, 'POST', VERIFY) ?? 'allow',
  judge: (answer, who, target) => {
    const { code } = answer.json<{ code: string }>();
    const wanted = mayVerify(who, target) ? 'valid' : 'not_found';
    return code === wanted ? null : `it is told ${code} instead of ${wanted}`;
  },
};

/** A number for whoever asks about keys; people at the console keep no answers. */
const watching: Row = {
  route: 'GET /v1/revocations',
  send: () => ({ url: '/v1/revocations' }),
  expect: (who) => gate(who, 'GET', WATCH) ?? 'allow',
  judge: (answer, who) =>
    answer.json<{ workspaceId: string }>().workspaceId === who.home.workspaceId
      ? null
      : 'it is told the epoch of another workspace',
};

/** A question of a gateway: the target stands for the query string. */
interface Ask {
  readonly action: string | null;
  /** Left out: on everything. */
  readonly resource?: (who: Credential) => string;
}

const QUESTIONS: readonly Ask[] = [
  { action: null },
  { action: 'package:push', resource: (who) => `${who.home.name}.member` },
  { action: 'package:read' },
  { action: 'iam:keys:read', resource: (who) => accountOf(who, 'member') },
  { action: 'iam:keys:verify' },
  { action: 'billing:read', resource: () => 'invoice-1' },
];

function authorizeRow(method: string, { action, resource }: Ask): Row {
  const resourceOf = (who: Credential): string | null => resource?.(who) ?? null;
  return {
    route: `${method} /v1/authorize`,
    variant:
      action === null ? 'who is it' : `may it ${action}${resource === undefined ? '' : ' on something'}`,
    shape: 'bare',
    send: (who) => {
      const named = resourceOf(who);
      const query = new URLSearchParams({
        ...(action === null ? {} : { action }),
        ...(named === null ? {} : { resource: named }),
      });
      return { url: `/v1/authorize?${query.toString()}` };
    },
    expect: (who) => {
      const { facts } = who;
      if (facts.kind === 'astray') return 421;
      if (facts.kind === 'ambiguous') return 400;
      // Also for cookies: whatever page a browser shows would be let through.
      if (facts.kind !== 'key' && facts.kind !== 'token') return 401;
      return action === null || includes(facts.rights, action, resourceOf(who) ?? '*') ? 'allow' : 403;
    },
    judge: (answer, who) => {
      const isRight =
        'person' in who.facts && answer.headers['x-keyreeve-account'] === who.home.accounts[who.facts.person];
      return isRight ? null : 'the gateway is told of another account';
    },
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export const KEY_ROWS: readonly Row[] = [
  ...reading,
  ...creating,
  ...writing,
  ...importing,
  ...self,
  verifying,
  watching,
  ...METHODS.flatMap((method) => QUESTIONS.map((ask) => authorizeRow(method, ask))),
];
