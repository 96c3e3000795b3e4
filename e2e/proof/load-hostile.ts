import { hostileZips } from '../../packages/testkit/src/hostile-zips.ts';
import { mintKey, type Person } from '../console.ts';
import { ADMIN } from '../server-process.ts';

/** Something that costs the server as much as whoever asks for it can bring about. */
export interface HostileRequest {
  readonly name: string;
  send(): Promise<Response>;
}

const BODY_BYTES_MAX = 65_536;
const PATTERNS = 100;
const PATTERN_CHARACTERS = 128;

/** Everything that is refused for its shape, its size or its cost, and everything that is large and allowed. */
export async function listHostileRequests(url: string, admin: Person): Promise<readonly HostileRequest[]> {
  const session = { cookie: admin.cookie };
  const json = { ...session, 'content-type': 'application/json' };
  const star = 'a*'.repeat(PATTERN_CHARACTERS / 2 - 1);
  const resources = Array.from(
    { length: PATTERNS },
    (_, index) => `${star}${String.fromCharCode(98 + (index % 24))}`,
  );
  const scopes = [{ actions: ['package:push'], resources }];
  const { fullKey } = await mintKey(admin, admin.accountId, {
    comment: 'patterns',
    access: 'scoped',
    scopes,
  });
  const bearer = { authorization: `Bearer ${fullKey}` };
  const post = (name: string, path: string, body: string, headers: Record<string, string> = json) => ({
    name,
    send: () => fetch(`${url}${path}`, { method: 'POST', headers, body }),
  });
  const get = (name: string, path: string, headers: Record<string, string> = session) => ({
    name,
    send: () => fetch(`${url}${path}`, { headers }),
  });
  const fill = (piece: string) => piece.repeat(Math.floor((BODY_BYTES_MAX - 2_000) / piece.length));
  const members = Array.from({ length: 6_000 }, (_, index) => `"k${index}":1`).join(',');
  const isBomb = /bomb|ratio|entries|MiB|declares/i;
  const bombs = hostileZips()
    .filter(({ name }) => isBomb.test(name))
    .slice(0, 6)
    .map(({ name, build }) => {
      const body = Buffer.from(build());
      return {
        name: `push: ${name}`,
        send: () =>
          fetch(`${url}/api/v2/package`, { method: 'PUT', headers: { 'x-nuget-apikey': fullKey }, body }),
      };
    });
  return [
    ...bombs,
    post('deep JSON', '/v1/keys/verify', `{"key":${fill('[')}`),
    post('deep JSON that ends', '/v1/keys/verify', `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
    post('many members', '/v1/keys/verify', `{${members}}`),
    post('a long text', '/v1/keys/verify', JSON.stringify({ key: fill('x') })),
    post('a body that is too large', '/v1/session', 'x'.repeat(BODY_BYTES_MAX * 20)),
    post('a long scope', '/oauth2/token', `grant_type=client_credentials&scope=${fill('a:b+')}`, {
      'content-type': 'application/x-www-form-urlencoded',
    }),
    post('a sign-in', '/v1/session', JSON.stringify(ADMIN), { 'content-type': 'application/json' }),
    get('patterns of many stars', `/v1/authorize?action=package:push&resource=${'a'.repeat(100)}`, bearer),
    get('a long search', `/v3/search?q=${'a'.repeat(4_000)}`, {}),
    get('a search of many words', `/v1/keys?q=${encodeURIComponent('a b '.repeat(60))}`),
    get('a large list', '/v1/keys?limit=200'),
    get('a large list of the audit', '/v1/audit?limit=200'),
    get('an export', '/v1/audit/export'),
    get('the document of the API', '/openapi.json', {}),
    get('a feed', '/api/v2/Packages()?$top=100', {}),
  ];
}

/** Sends all of them again and again, several at a time. @returns how many answers there were of each status */
export async function sendHostile(
  requests: readonly HostileRequest[],
  { callers, untilMs }: { readonly callers: number; readonly untilMs: number },
): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  let next = 0;
  const loop = async () => {
    // Each of them at least once, however slow the machine is.
    while (performance.now() < untilMs || next < requests.length) {
      const request = requests[next % requests.length];
      next += 1;
      const status = await request
        ?.send()
        .then(async (answer) => {
          await answer.arrayBuffer();
          return String(answer.status);
        })
        // The server may end the connection of a body that is too large before all of it was sent.
        .catch(() => 'ended');
      statuses[status ?? ''] = (statuses[status ?? ''] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return statuses;
}
