import {
  type BodyOf,
  createClient,
  type KeyreeveClient,
  type MintedKey,
  type ServiceAccount,
} from '../packages/sdk/src/index.ts';
import { ADMIN } from './server-process.ts';

/** Somebody who has signed in to the console: what it may ask, and who it is. */
export interface Person {
  readonly accountId: string;
  readonly api: KeyreeveClient;
  /** `name=value`, for programs that bring their own HTTP. */
  readonly cookie: string;
}

/** The `name=value` of the session cookie that an answer sets. */
function readCookie(headers: Headers): string {
  const [cookie = ''] = headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
  return cookie;
}

export async function signIn(baseUrl: string, body: BodyOf<'signIn'> = ADMIN): Promise<Person> {
  const { data, response } = await createClient({ baseUrl }).POST('/v1/session', { body });
  const cookie = readCookie(response.headers);
  return { accountId: data.account.id, cookie, api: createClient({ baseUrl, credential: { cookie } }) };
}

/** Makes a user with a password and signs him in. */
export async function addMember(
  baseUrl: string,
  admin: Person,
  email: string,
  displayName: string,
): Promise<Person> {
  const password = 'lantern orchard seventeen';
  await admin.api.POST('/v1/users', { body: { email, displayName, role: 'member', password } });
  return await signIn(baseUrl, { email, password });
}

export async function addServiceAccount(
  admin: Person,
  technicalName: string,
  managers: readonly Person[] = [],
): Promise<ServiceAccount> {
  const body = { technicalName, displayName: technicalName, managers: managers.map((one) => one.accountId) };
  return (await admin.api.POST('/v1/service-accounts', { body })).data;
}

/** A new key as the console shows it once. */
export async function mintKey(by: Person, accountId: string, body: BodyOf<'createKey'>): Promise<MintedKey> {
  return (await by.api.POST('/v1/accounts/{id}/keys', { params: { path: { id: accountId } }, body })).data;
}
