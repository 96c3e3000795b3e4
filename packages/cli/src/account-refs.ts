import { type KeyreeveClient, paginate, type ServiceAccount, type User } from '@keyreeve/sdk';
import { CliError } from './failures.ts';

const ACCOUNT_ID = /^acc_[0-9A-Za-z]+$/;
/** A search for a whole address or name finds few; more than this is no search for one account. */
const SCANNED_MAX = 1_000;

async function findExact<Account extends User | ServiceAccount>(
  accounts: AsyncIterable<Account>,
  loginOf: (account: Account) => string,
  wanted: string,
): Promise<Account | null> {
  let scanned = 0;
  for await (const account of accounts) {
    if (loginOf(account).toLowerCase() === wanted.toLowerCase()) return account;
    scanned += 1;
    if (scanned >= SCANNED_MAX) return null;
  }
  return null;
}

/** The id of a user given by id or e-mail. @throws cli.no_account */
export async function resolveUserId(client: KeyreeveClient, reference: string): Promise<string> {
  if (ACCOUNT_ID.test(reference)) return reference;
  const users = paginate((page) =>
    client.GET('/v1/users', { params: { query: { ...page, q: reference, limit: 200 } } }),
  );
  const user = await findExact(users, ({ email }) => email, reference);
  if (user !== null) return user.id;
  throw notFound('user', 'keyreeve users list');
}

/** The id of a service account given by id or technical name. @throws cli.no_account */
export async function resolveServiceAccountId(client: KeyreeveClient, reference: string): Promise<string> {
  if (ACCOUNT_ID.test(reference)) return reference;
  const services = paginate((page) =>
    client.GET('/v1/service-accounts', { params: { query: { ...page, q: reference, limit: 200 } } }),
  );
  const service = await findExact(services, ({ technicalName }) => technicalName, reference);
  if (service !== null) return service.id;
  throw notFound('service account', 'keyreeve service-accounts list');
}

/** The id of an account of either kind: an e-mail means a user, any other name a service account. */
export async function resolveAccountId(client: KeyreeveClient, reference: string): Promise<string> {
  return await (reference.includes('@')
    ? resolveUserId(client, reference)
    : resolveServiceAccountId(client, reference));
}

function notFound(noun: string, listing: string): CliError {
  return new CliError('cli.no_account', `There is no such ${noun}, or you may not see it.`, {
    remedy: `See: ${listing}`,
  });
}
