/**
 * `oidc-provider`: client credentials to an ES256 token, and introspection of opaque tokens. Everything it keeps is
 * in its memory, which favours it: there is no disk behind it at all.
 *
 * `node oidc-provider.mjs <port> <number of clients>`
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';
import { readJson, writeJson } from './http.mjs';

const [port, count] = process.argv.slice(2).map(Number);
const issuer = `http://127.0.0.1:${port}`;
/** A token for this resource is a JWT; one for the other is opaque and kept. */
const JWT_RESOURCE = 'urn:bench:jwt';
const OPAQUE_RESOURCE = 'urn:bench:opaque';

/** Replaces the adapter that comes with it, which forgets all but the last thousand things. */
class MemoryAdapter {
  static #models = new Map();
  constructor(name) {
    if (!MemoryAdapter.#models.has(name)) MemoryAdapter.#models.set(name, new Map());
    this.rows = MemoryAdapter.#models.get(name);
  }
  async find(id) {
    return this.rows.get(id);
  }
  async upsert(id, payload) {
    this.rows.set(id, payload);
  }
  async destroy(id) {
    this.rows.delete(id);
  }
}

const newClient = (id) => ({
  client_id: id,
  client_secret: randomBytes(32).toString('base64url'),
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

const clients = Array.from({ length: count }, (_, index) => newClient(`client${index}`));
const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const provider = new Provider(issuer, {
  adapter: MemoryAdapter,
  clients,
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  jwks: { keys: [{ ...signingKey, kid: 'bench', alg: 'ES256', use: 'sig' }] },
  scopes: ['package:push'],
  ttl: { ClientCredentials: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => JWT_RESOURCE,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'package:push',
        audience: resource,
        accessTokenTTL: 3600,
        ...(resource === OPAQUE_RESOURCE
          ? { accessTokenFormat: 'opaque' }
          : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      }),
    },
  },
});
const handle = provider.callback();

/** A client as one that registered itself is kept, so that it can be taken away again. */
async function makeClient() {
  const client = newClient(`made${randomBytes(6).toString('hex')}`);
  await new MemoryAdapter('Client').upsert(client.client_id, client);
  return client;
}

async function control(request, response) {
  const body = await readJson(request);
  if (request.url === '/bench/clients') return writeJson(response, clients);
  if (request.url === '/bench/make') return writeJson(response, await makeClient());
  if (request.url === '/bench/revoke') {
    await new MemoryAdapter('Client').destroy(body.client_id);
    return writeJson(response, {});
  }
  if (request.url === '/bench/revoke-token') {
    const token = await provider.ClientCredentials.find(body.token);
    await token.destroy();
    return writeJson(response, {});
  }
  return writeJson(response, { isReady: true });
}

provider
  .listen(port, '127.0.0.1')
  .removeAllListeners('request')
  .on('request', (request, response) => {
    if (request.url.startsWith('/bench/')) void control(request, response);
    else void handle(request, response);
  });
