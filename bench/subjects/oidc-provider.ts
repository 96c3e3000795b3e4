import { freePort, startProgram } from '../servers.ts';
import { peerFile, versionOf } from './peer-process.ts';
import { type Credential, requestJson, type Subject, send, spoilSecret, toBasic } from './subject.ts';

const CLIENTS = 1_000;
const FORM = 'application/x-www-form-urlencoded';

interface Client {
  readonly client_id: string;
  readonly client_secret: string;
}

/** Tokens for credentials, and questions about tokens, of one server. */
export async function startOidcProvider(): Promise<{ token: Subject; introspect: Subject }> {
  const port = await freePort();
  const server = await startProgram({
    command: [process.execPath, peerFile('oidc-provider.mjs'), String(port), String(CLIENTS)],
    port,
    probePath: '/bench/ready',
    isReadiness: true,
    environment: { NODE_ENV: 'production' },
  });
  const toCredential = ({ client_id: id, client_secret: secret }: Client): Credential => ({ id, secret });
  const known = (await requestJson<Client[]>(`${server.url}/bench/clients`, 'GET')).map(toCredential);
  const version = versionOf('oidc-provider');
  const durability = 'none: everything in the memory of the process';
  const token: Subject = {
    name: 'oidc-provider token ES256',
    what: `oidc-provider ${version}, client_credentials to a JWT signed with ES256`,
    durability,
    server,
    // One that is to be revoked must not be of those that are fixed at its start.
    make: async (count) =>
      count === 1
        ? [toCredential(await requestJson<Client>(`${server.url}/bench/make`, 'POST'))]
        : known.slice(0, count),
    load: (credential) => ({
      method: 'POST',
      path: '/token',
      headers: { authorization: toBasic(credential), 'content-type': FORM },
      body: 'grant_type=client_credentials&scope=package%3Apush',
    }),
    saysYes: async (response) => 'access_token' in ((await response.json()) as object),
    revoke: async ({ id }) => {
      await requestJson(`${server.url}/bench/revoke`, 'POST', { client_id: id });
    },
    spoil: spoilSecret,
  };
  const [caller, ...holders] = known;
  if (caller === undefined) throw new Error('unreachable: there are clients');
  const introspect: Subject = {
    ...token,
    name: 'oidc-provider introspect',
    what: `oidc-provider ${version}, introspection of an opaque token; its caller authenticated too`,
    make: async (count) => {
      const made: Credential[] = [];
      for (const holder of holders.slice(0, count)) {
        const { body = '', ...load } = token.load(holder);
        const answer = await send(server.url, { ...load, body: `${body}&resource=urn%3Abench%3Aopaque` });
        const { access_token: secret } = (await answer.json()) as { access_token: string };
        made.push({ id: holder.id, secret });
      }
      return made;
    },
    load: ({ secret }) => ({
      method: 'POST',
      path: '/token/introspection',
      headers: { authorization: toBasic(caller), 'content-type': FORM },
      body: `token=${secret}`,
    }),
    saysYes: async (response) => ((await response.json()) as { active: boolean }).active,
    revoke: async ({ secret }) => {
      await requestJson(`${server.url}/bench/revoke-token`, 'POST', { token: secret });
    },
  };
  return { token, introspect };
}
