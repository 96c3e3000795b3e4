import type { Account, Caller } from '@keyreeve/server';
import type { Harness } from './harness.ts';

export type InjectAnswer = Awaited<ReturnType<Harness['app']['inject']>>;

/** A small company in a fresh workspace: enough people to try every rule on. */
export interface Company {
  readonly admin: Account;
  readonly member: Account;
  /** Another member, who has nothing to do with the first. */
  readonly stranger: Account;
  /** A service account that `member` manages. */
  readonly robot: Account;
  readonly adminCaller: Caller;
  readonly memberCaller: Caller;
  readonly strangerCaller: Caller;
  /** A full key of the administrator that may do everything in the workspace. */
  readonly adminKey: string;
}

export async function seedCompany(harness: Harness): Promise<Company> {
  const user = (email: string, displayName: string, role: 'admin' | 'member') =>
    harness.createAccount({ kind: 'user', email, displayName, role });
  const admin = await user('ada@example.com', 'Ada', 'admin');
  const member = await user('mei@example.com', '芽衣', 'member');
  const stranger = await user('sam@example.com', 'Sam', 'member');
  const robot = await harness.createAccount({
    kind: 'service',
    technicalName: 'build-robot',
    displayName: 'Build robot',
    managers: [member.id],
  });
  const adminCaller = await harness.callerOf(admin);
  const scopes = [{ actions: ['iam:*', 'package:*'], resources: ['*'] }];
  const minted = await harness.deps.keys.create(adminCaller, admin.id, {
    comment: 'everything',
    access: 'scoped',
    scopes,
  });
  return {
    admin,
    member,
    stranger,
    robot,
    adminCaller,
    memberCaller: await harness.callerOf(member),
    strangerCaller: await harness.callerOf(stranger),
    adminKey: minted.fullKey.reveal(),
  };
}

export interface CallOptions {
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request to the app, with a full key and a JSON body if given. */
export async function call(
  harness: Harness,
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  url: string,
  options: CallOptions = {},
): Promise<InjectAnswer> {
  const { key, body, headers } = options;
  return await harness.app.inject({
    method,
    url,
    headers: {
      host: 'localhost:8080',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}
