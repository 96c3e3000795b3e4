/** Actions on resources, in the words of docs/actions.md. */
export interface Right {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export type Person =
  | 'admin'
  | 'deputy'
  | 'member'
  | 'manager'
  | 'stranger'
  | 'bare'
  | 'robot'
  | 'cron'
  | 'pruned';

interface Role {
  readonly kind: 'user' | 'service';
  readonly isAdmin: boolean;
  /** What the account is granted, without what comes with its role. */
  readonly grants: readonly Right[];
  readonly manages: readonly Person[];
}

/** `package:*` on `*`: what every account starts with. */
export const PACKAGES: readonly Right[] = [{ actions: ['package:*'], resources: ['*'] }];
export const IAM: readonly Right[] = [{ actions: ['iam:*'], resources: ['*'] }];
export const VERIFY: readonly Right[] = [{ actions: ['iam:keys:verify'], resources: ['*'] }];

const user = (rest: Partial<Role> = {}): Role => ({
  kind: 'user',
  isAdmin: false,
  grants: PACKAGES,
  manages: [],
  ...rest,
});
const service = (grants = PACKAGES): Role => ({ kind: 'service', isAdmin: false, grants, manages: [] });

/** Who lives in each of the two workspaces. */
export const CAST: Readonly<Record<Person, Role>> = {
  admin: user({ isAdmin: true }),
  /** A second administrator and owner of everything, so that others can be deleted; never a caller. */
  deputy: user({ isAdmin: true }),
  member: user(),
  manager: user({ manages: ['robot'] }),
  stranger: user(),
  /** A user whose grants were all taken away. */
  bare: user({ grants: [] }),
  robot: service([...PACKAGES, ...VERIFY]),
  /** A service account that nobody manages. */
  cron: service(),
  /** A service account that could read all accounts and keys once. */
  pruned: service(),
};

export const PEOPLE = Object.keys(CAST) as Person[];
export const USERS = PEOPLE.filter((person) => CAST[person].kind === 'user');
export const SERVICES = PEOPLE.filter((person) => CAST[person].kind === 'service');
/** Those who have keys, packages and mails that others try to get at. */
export const OWNERS: readonly Person[] = ['admin', 'member', 'manager', 'stranger', 'robot', 'cron'];

/** Grants and what the role adds: administrators also hold `iam:*` on `*`, nobody else does. */
export function heldBy(person: Person): readonly Right[] {
  const { isAdmin, grants } = CAST[person];
  return isAdmin ? [...grants, ...IAM] : grants;
}

/** What a key with the access of its account has: the same without any `iam:` action. */
export function accountAccessOf(person: Person): readonly Right[] {
  return heldBy(person).filter((right) => right.actions.every((action) => !action.startsWith('iam:')));
}
