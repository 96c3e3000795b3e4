import { CAST, heldBy, IAM, PACKAGES, PEOPLE, type Person, type Right, SERVICES, USERS } from './cast.ts';
import type { Credential } from './credential.ts';
import {
  ALL,
  type Demand,
  gate,
  mayHandOut,
  onAccount,
  type Relation,
  type Target,
  type Verdict,
  visibleIn,
} from './oracle.ts';
import { type Answer, compareNames, itemsOf, type Row } from './row.ts';
import { MAIL_TARGETS, personOf, SERVICE_TARGETS, SESSION_TARGETS, USER_TARGETS } from './targets.ts';
import { PASSWORD } from './town.ts';

const READ: Demand = { kinds: ALL, action: 'iam:accounts:read' };
const WRITE: Demand = { kinds: ALL, action: 'iam:accounts:write' };
/** There is no account yet, so the action must be held on `*`. */
const CREATE: Demand = { ...WRITE, resource: '*', isAdminOnly: true };
const SESSION: Demand = { kinds: ['session'] };
const ANY_VERSION = { 'if-match': '*' };

const DESCRIBING: readonly Relation[] = ['admin', 'self', 'manager'];
const SELF: readonly Relation[] = ['admin', 'self'];
const MANAGING: readonly Relation[] = ['admin', 'manager'];
const ADMIN: readonly Relation[] = ['admin'];

function judgeAccounts(kind: 'user' | 'service') {
  const pool = kind === 'user' ? USERS : SERVICES;
  return (answer: Answer, who: Credential): string | null => {
    const shown = itemsOf(answer).map(
      (item) => personOf(who.home, item['id'] as string) ?? 'somebody of no role',
    );
    const isVisible = visibleIn(who, 'iam:accounts:read', 'iam:accounts:write');
    const isEverybody = pool.every(isVisible);
    // Disabled accounts and the like are seen by those who see everybody.
    return compareNames(
      isEverybody ? shown.filter((name) => name !== 'somebody of no role') : shown,
      pool.filter(isVisible),
    );
  };
}

/** Accounts of no role count for those alone who see everybody. */
function judgeSummary(kind: 'user' | 'service') {
  const pool = kind === 'user' ? USERS : SERVICES;
  return (answer: Answer, who: Credential): string | null => {
    const { all } = answer.json<{ all: number }>();
    const visible = pool.filter(visibleIn(who, 'iam:accounts:read', 'iam:accounts:write'));
    const isRight = visible.length === pool.length ? all >= pool.length : all === visible.length;
    return isRight ? null : `it counts ${all} where ${visible.join(', ') || 'nobody'} may be seen`;
  };
}

interface Edit {
  readonly variant: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly allowed: readonly Relation[];
  /** Only those who hold all of it may give it, or take it over with the address. */
  readonly handsOut?: (target: Person) => readonly Right[];
}

const KEY_LIMITS = { keyLimits: { rate: { requests: 1_000_000, windowSeconds: 1 } } };

const USER_EDITS: readonly Edit[] = [
  { variant: 'displayName', body: { displayName: 'Changed' }, allowed: SELF },
  { variant: 'email', body: { email: 'changed@matrix.example' }, allowed: ADMIN, handsOut: heldBy },
  {
    variant: 'role',
    body: { role: 'admin' },
    allowed: ADMIN,
    handsOut: (person) => [...IAM, ...heldBy(person)],
  },
  {
    variant: 'grants',
    body: { grants: [{ actions: ['package:*', 'deploy:*'], resources: ['*'] }] },
    allowed: ADMIN,
    handsOut: () => [...PACKAGES, { actions: ['deploy:*'], resources: ['*'] }],
  },
  { variant: 'state', body: { state: 'disabled' }, allowed: ADMIN },
  { variant: 'tags', body: { tags: ['changed'] }, allowed: ADMIN },
  { variant: 'keyLimits', body: KEY_LIMITS, allowed: ADMIN },
];

const SERVICE_EDITS: readonly Edit[] = [
  { variant: 'description', body: { description: 'Changed' }, allowed: MANAGING },
  { variant: 'displayName', body: { displayName: 'Changed' }, allowed: DESCRIBING },
  // Whoever manages an account can make keys of it: naming himself, he would gain all that it holds.
  { variant: 'managers', body: { managers: [] }, allowed: ADMIN, handsOut: heldBy },
  { variant: 'grants', body: { grants: PACKAGES }, allowed: ADMIN, handsOut: () => PACKAGES },
  { variant: 'state', body: { state: 'disabled' }, allowed: ADMIN },
  { variant: 'keyLimits', body: KEY_LIMITS, allowed: ADMIN },
];

function editRow(path: string, targets: readonly Target[], edit: Edit): Row {
  return {
    route: `PATCH ${path}/:id`,
    variant: edit.variant,
    targets,
    send: (who, target) => ({ url: `${path}/${target.id(who)}`, headers: ANY_VERSION, body: edit.body }),
    expect: (who, target) => gate(who, 'PATCH', WRITE) ?? onEdit(who, target, edit),
  };
}

function onEdit(who: Credential, target: Target, edit: Edit): Verdict {
  const reached = onAccount(who, target, edit.allowed);
  if (reached !== 'allow' || edit.handsOut === undefined || target.person === null) return reached;
  return mayHandOut(who, edit.handsOut(target.person)) ? 'allow' : 403;
}

function accountRows(
  kind: 'user' | 'service',
  path: string,
  targets: readonly Target[],
  edits: readonly Edit[],
): Row[] {
  return [
    {
      route: `GET ${path}`,
      send: () => ({ url: `${path}?limit=200` }),
      expect: (who) => gate(who, 'GET', READ) ?? 'allow',
      judge: judgeAccounts(kind),
    },
    {
      route: `GET ${path}/summary`,
      send: () => ({ url: `${path}/summary` }),
      expect: (who) => gate(who, 'GET', READ) ?? 'allow',
      judge: judgeSummary(kind),
    },
    {
      route: `GET ${path}/:id`,
      targets,
      send: (who, target) => ({ url: `${path}/${target.id(who)}` }),
      expect: (who, target) =>
        gate(who, 'GET', READ) ?? (onAccount(who, target, DESCRIBING) === 404 ? 404 : 'allow'),
    },
    ...edits.map((edit) => editRow(path, targets, edit)),
    {
      route: `DELETE ${path}/:id`,
      targets,
      send: (who, target) => ({ url: `${path}/${target.id(who)}` }),
      expect: (who, target) => gate(who, 'DELETE', WRITE) ?? onAccount(who, target, ADMIN),
    },
  ];
}

function createRow(path: string, variant: string, body: object, handsOut: readonly Right[]): Row {
  return {
    route: `POST ${path}`,
    variant,
    send: () => ({ url: path, body }),
    expect: (who) => gate(who, 'POST', CREATE) ?? (mayHandOut(who, handsOut) ? 'allow' : 403),
  };
}

const NEW_USER = { email: 'new@matrix.example', displayName: 'New' };
const NEW_SERVICE = { technicalName: 'new-service', displayName: 'New' };

const accounts: readonly Row[] = [
  createRow('/v1/users', 'with the grants of every account', NEW_USER, PACKAGES),
  createRow('/v1/users', 'without grants', { ...NEW_USER, grants: [] }, []),
  createRow('/v1/users', 'as administrator', { ...NEW_USER, grants: [], role: 'admin' }, IAM),
  createRow('/v1/service-accounts', 'with the grants of every account', NEW_SERVICE, PACKAGES),
  createRow('/v1/service-accounts', 'with iam:*', { ...NEW_SERVICE, grants: IAM }, IAM),
  ...accountRows('user', '/v1/users', USER_TARGETS, USER_EDITS),
  ...accountRows('service', '/v1/service-accounts', SERVICE_TARGETS, SERVICE_EDITS),
];

const sessions: readonly Row[] = [
  {
    route: 'GET /v1/session',
    send: () => ({ url: '/v1/session' }),
    expect: (who) => gate(who, 'GET', SESSION) ?? 'allow',
  },
  {
    route: 'DELETE /v1/session',
    send: () => ({ url: '/v1/session' }),
    expect: (who) => gate(who, 'DELETE', SESSION) ?? 'allow',
  },
  {
    route: 'GET /v1/sessions',
    send: () => ({ url: '/v1/sessions?limit=200' }),
    expect: (who) => gate(who, 'GET', SESSION) ?? 'allow',
    judge: (answer, who) => {
      const shown = itemsOf(answer).map((item) => item['id'] as string);
      const own = USERS.filter((person) => 'person' in who.facts && person === who.facts.person);
      const known = USERS.filter((person) => shown.includes(who.home.sessions[person] ?? ''));
      return compareNames(known, own);
    },
  },
  {
    route: 'DELETE /v1/sessions/:id',
    targets: SESSION_TARGETS,
    send: (who, target) => ({ url: `/v1/sessions/${target.id(who)}` }),
    // Administrators end the sessions of others by disabling the account, not one by one.
    expect: (who, target) => gate(who, 'DELETE', SESSION) ?? (isOwn(who, target) ? 'allow' : 404),
  },
  {
    route: 'POST /v1/sessions/end-others',
    send: () => ({ url: '/v1/sessions/end-others' }),
    expect: (who) => gate(who, 'POST', SESSION) ?? 'allow',
  },
  {
    route: 'POST /v1/password/change',
    send: () => ({
      url: '/v1/password/change',
      body: { currentPassword: PASSWORD, newPassword: `${PASSWORD}-Nj3v` },
    }),
    expect: (who) => gate(who, 'POST', SESSION) ?? 'allow',
  },
];

function isOwn(who: Credential, target: Target): boolean {
  return 'person' in who.facts && target.place === 'home' && target.person === who.facts.person;
}

const mails: readonly Row[] = [
  {
    route: 'GET /v1/mailbox',
    send: () => ({ url: '/v1/mailbox?limit=200' }),
    expect: (who) => gate(who, 'GET', SESSION) ?? 'allow',
    judge: (answer, who) => {
      const shown = itemsOf(answer).map(
        (item) => personOf(who.home, item['accountId'] as string | null) ?? 'nobody here',
      );
      const everybody = [
        ...new Set(
          MAIL_TARGETS.filter(({ place }) => place === 'home').map(({ person }) => person ?? 'nobody here'),
        ),
      ];
      const isHis = (person: string) => 'person' in who.facts && person === who.facts.person;
      const mayBeSeen = (person: string) => isAdminSession(who) || isHis(person);
      const due = everybody.filter(mayBeSeen);
      // Whose mails, not how many: each change of a key is told to its owner, also to people who own nothing else.
      const unexpected = PEOPLE.filter((person) => mayBeSeen(person) && !due.includes(person));
      const names = new Set(shown.filter((person) => !unexpected.some((each) => each === person)));
      return compareNames([...names], due);
    },
  },
  {
    route: 'GET /v1/mailbox/:id',
    targets: MAIL_TARGETS,
    isRecorded: true,
    send: (who, target) => ({ url: `/v1/mailbox/${target.id(who)}` }),
    expect: (who, target) =>
      gate(who, 'GET', SESSION) ??
      (isAdminSession(who) && target.place === 'home' ? 'allow' : isOwn(who, target) ? 'allow' : 404),
    // What gives access is for the addressee alone, also before administrators.
    judge: (answer, who, target) =>
      answer.json<{ isMasked: boolean }>().isMasked === isOwn(who, target)
        ? 'the wrong reader sees the link in it'
        : null,
  },
];

function isAdminSession({ facts }: Credential): boolean {
  return facts.kind === 'session' && CAST[facts.person].isAdmin;
}

export const PEOPLE_ROWS: readonly Row[] = [...accounts, ...sessions, ...mails];
