import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { addServiceAccount, mintKey, type Person, signIn } from '../console.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from '../server-process.ts';
import { startCachingProxy } from './caching-proxy.ts';
import { type RawAnswer, RawCaller, toRequest } from './raw-caller.ts';

const ITEM = 14;
const IS_FULL = process.env['PROOF_FULL'] === '1';
const CHECKS = IS_FULL ? 1_000_000 : 2_000;
/** How often everything is asked after each revocation. */
const REPEATS = IS_FULL ? 20 : 3;
const CONTROL_CHECKS = 200;
const CALLERS = 8;
const KEPT_MS = 1_000;
const ACTION = 'package:push';
const SCOPES = [{ actions: [ACTION], resources: ['Acme.*'] }];
const MAY_VERIFY = [{ actions: ['iam:keys:verify'], resources: ['*'] }];

/** One way to ask whether the credential is good. */
interface Way {
  readonly name: string;
  readonly request: Buffer;
  readonly isValid: (answer: RawAnswer) => boolean;
}

interface Owned {
  readonly accountId: string;
  readonly key: { readonly apiKey: string; readonly secretKey: string; readonly fullKey: string };
}

const place = openWorkplace();
let server: ServerProcess;
let admin: Person;
let asker: string;
let owned: Owned;

beforeAll(async () => {
  server = await place.start({ env: { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'error' } });
  admin = await signIn(server.url);
  const verifier = await addServiceAccount(admin, 'verifier');
  await admin.api.PATCH('/v1/service-accounts/{id}', {
    params: { path: { id: verifier.id }, header: { 'If-Match': '*' } },
    body: { grants: MAY_VERIFY },
  });
  const wish = { comment: 'asks', access: 'scoped', scopes: MAY_VERIFY } as const;
  asker = (await mintKey(admin, verifier.id, wish)).fullKey;
  const account = await addServiceAccount(admin, 'revoked-again-and-again');
  const key = await mintKey(admin, account.id, { comment: 'dies', access: 'scoped', scopes: SCOPES });
  owned = { accountId: account.id, key };
});
afterAll(() => place.close());

const isStatus = (status: number) => (answer: RawAnswer) => answer.status === status;
/** Of answers that are refusals whenever they are no yes; anything else is a fault of the test. */
const isYes = (field: string) => (answer: RawAnswer) => {
  if (answer.status !== 200) throw new Error(`A question was answered with ${answer.status}: ${answer.body}`);
  return (JSON.parse(answer.body) as Record<string, boolean>)[field] === true;
};

function listKeyWays(): readonly Way[] {
  const { apiKey, secretKey, fullKey } = owned.key;
  const bearer = { authorization: `Bearer ${fullKey}` };
  const asked = { authorization: `Bearer ${asker}`, 'content-type': 'application/json' };
  const question = { action: ACTION, resource: 'Acme.Tools' };
  const query = `?action=${ACTION}&resource=Acme.Tools`;
  const verify = { method: 'POST', path: '/v1/keys/verify', headers: asked };
  const nupkg = buildNupkg({ id: 'Acme.Tools', version: '1.0.0' });
  const bodies = {
    key: JSON.stringify({ key: fullKey, ...question }),
    pair: JSON.stringify({ apiKey, secretKey, ...question }),
  };
  return [
    {
      name: 'verify on the lane',
      request: toRequest({ ...verify, body: bodies.key }),
      isValid: isYes('valid'),
    },
    {
      name: 'verify by the routes',
      request: toRequest({ ...verify, body: bodies.pair, isChunked: true }),
      isValid: isYes('valid'),
    },
    {
      name: 'authorize on the lane',
      request: toRequest({ method: 'GET', path: `/v1/authorize${query}`, headers: bearer }),
      isValid: isStatus(204),
    },
    {
      name: 'authorize by the routes',
      request: toRequest({ method: 'PUT', path: `/v1/authorize${query}`, headers: bearer }),
      isValid: isStatus(204),
    },
    {
      name: 'the key about itself',
      request: toRequest({ method: 'GET', path: '/v1/keys/self', headers: bearer }),
      isValid: isStatus(200),
    },
    {
      name: 'push check',
      request: toRequest({
        method: 'PUT',
        path: '/api/v2/package?dryRun=true',
        headers: { 'x-nuget-apikey': fullKey },
        body: Buffer.from(nupkg),
      }),
      isValid: isStatus(200),
    },
  ];
}

/** A token of the key, which ends with the first revocation: each round has one of its own. */
async function listTokenWays(): Promise<readonly Way[]> {
  const { apiKey, secretKey } = owned.key;
  const answer = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const form = { authorization: `Bearer ${asker}`, 'content-type': 'application/x-www-form-urlencoded' };
  return [
    {
      name: 'introspection',
      request: toRequest({
        method: 'POST',
        path: '/oauth2/introspect',
        headers: form,
        body: `token=${token}`,
      }),
      isValid: isYes('active'),
    },
    {
      name: 'authorize with a token',
      request: toRequest({
        method: 'GET',
        path: '/v1/authorize',
        headers: { authorization: `Bearer ${token}` },
      }),
      isValid: isStatus(204),
    },
  ];
}

async function change(method: string, path: string, body: object): Promise<void> {
  const headers = { cookie: admin.cookie, 'content-type': 'application/json', 'if-match': '*' };
  const answer = await fetch(`${server.url}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}.`);
  await answer.arrayBuffer();
}

/** The key, or its account, in turn. */
async function setUsable(round: number, isUsable: boolean): Promise<void> {
  if (round % 2 === 0)
    await change('POST', `/v1/keys/${owned.key.apiKey}/${isUsable ? 'enable' : 'disable'}`, {});
  else
    await change('PATCH', `/v1/service-accounts/${owned.accountId}`, {
      state: isUsable ? 'active' : 'disabled',
    });
}

/** Revokes, and asks in every way at once on all connections, until there were so many answers. */
async function countStale(port: number, checksMin: number) {
  const callers = Array.from({ length: CALLERS }, () => new RawCaller(port));
  const keyWays = listKeyWays();
  const stale = new Map<string, number>();
  let checks = 0;
  const askAll = async (ways: readonly Way[], onValid: (way: Way) => void): Promise<number> => {
    const asked = callers.map(async (caller, at) => {
      for (let index = 0; index < ways.length; index += 1) {
        // Not all of them the same way at the same time.
        const way = ways[(index + at) % ways.length];
        if (way?.isValid(await caller.ask(way.request)) === true) onValid(way);
      }
    });
    await Promise.all(asked);
    return callers.length * ways.length;
  };
  for (let round = 0; checks < checksMin; round += 1) {
    const ways = [...keyWays, ...(await listTokenWays())];
    let valid = 0;
    const before = await askAll(ways, () => (valid += 1));
    // Also in memory, or a refusal would prove nothing.
    if (valid !== before) throw new Error(`Before a revocation ${before - valid} of ${before} were refused.`);
    await setUsable(round, false);
    for (let repeat = 0; repeat < REPEATS; repeat += 1)
      checks += await askAll(ways, ({ name }) => stale.set(name, (stale.get(name) ?? 0) + 1));
    await setUsable(round, true);
  }
  for (const caller of callers) caller.close();
  return { checks, stale: Object.fromEntries(stale) };
}

it('a question that is asked after the answer to a revocation is never answered "valid", whichever way it is asked', async () => {
  const { checks, stale } = await countStale(server.port, CHECKS);
  const count = Object.values(stale).reduce((sum, one) => sum + one, 0);
  recordFigure(ITEM, {
    name: 'stale answers on the same node',
    reached: `${count} of ${checks}, asked in eight ways${count === 0 ? '' : `: ${JSON.stringify(stale)}`}`,
    wanted: '0',
    isHeld: count === 0,
  });
  expect(stale).toEqual({});
  expect(checks).toBeGreaterThanOrEqual(CHECKS);
});

it('somebody who keeps answers for a second is seen to give stale ones', async () => {
  const proxy = await startCachingProxy(server.url, KEPT_MS);
  // What a round finds before its revocation is then kept from the one before.
  const { checks, stale } = await countStale(proxy.port, CONTROL_CHECKS).finally(() => proxy.close());
  const count = Object.values(stale).reduce((sum, one) => sum + one, 0);
  recordControl(ITEM, {
    name: 'a gateway that keeps answers for a second',
    shown: `${count} stale answers of ${checks}`,
    hasFailed: count > 0,
  });
  expect(count).toBeGreaterThan(0);
});
