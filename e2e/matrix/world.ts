import { DAY_MS, HOUR_MS } from '@keyreeve/server';
import type { Harness } from '@keyreeve/testkit';
import { IAM, PACKAGES } from './cast.ts';
import { cookieOf, type Early, makerFor, SCOPED, type World } from './credential.ts';
import { badKeys, goodKeys, importedKeys } from './minted-keys.ts';
import { foreigners, sessionsOf, tokensOf, withoutAny } from './minted-sessions.ts';
import { createClient, emailOf, openTown, settleTown, type Town } from './town.ts';

const ACME_HOST = 'localhost:8080';
const BOLT_HOST = 'bolt.keys.test:8080';

/** Two workspaces of the same people, and every kind of credential in every state, each got as its holder would get it. */
export async function buildWorld(harness: Harness): Promise<World> {
  const { deps, clock } = harness;
  const client = createClient(harness, ACME_HOST);
  const code = await deps.workspaces.issueSetupCode(deps.defaultWorkspace.id);
  const cookie = await openTown(client, 'Acme', code.reveal());
  const early = await makeEarly(client, cookie);
  clock.advance(DAY_MS + HOUR_MS);
  const acme = await settleTown(harness, { name: 'Acme', host: ACME_HOST, isDefault: true });
  const created = await client.send('POST', '/v1/workspaces', cookieOf(acme, 'admin'), {
    name: 'Bolt',
    subdomain: 'bolt',
  });
  await openTown(createClient(harness, BOLT_HOST), 'Bolt', created.json['setupCode'] as string);
  const bolt = await settleTown(harness, { name: 'Bolt', host: BOLT_HOST, isDefault: false });
  const make = makerFor(acme, bolt);
  const credentials = [
    ...withoutAny(make),
    ...(await sessionsOf(make, acme, early)),
    ...(await goodKeys(make, acme)),
    ...(await badKeys(make, acme, early)),
    ...(await importedKeys(make, acme)),
    ...(await tokensOf(make, acme, early)),
    ...(await foreigners(make, bolt)),
  ];
  return { harness, acme, bolt, credentials };
}

async function makeEarly(client: Town['client'], cookie: string): Promise<Early> {
  const by = { cookie };
  const account = (await client.send('GET', '/v1/session', by)).json['account'] as { id: string };
  const strong = { ...SCOPED, scopes: [...IAM, ...PACKAGES] };
  const lasting = await client.mint(by, account.id, strong);
  return {
    expiredKey: await client.mint(by, account.id, { ...strong, lifetimeDays: 1 }),
    expiredToken: await client.login(lasting),
    idleCookie: (await client.signIn(emailOf('Acme', 'admin'))).cookie,
  };
}
