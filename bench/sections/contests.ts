import { checksumOf } from '../../packages/server/src/features/keys/key-format.ts';
import { type Contestant, enter, type Outcome, type Pace, runContest } from '../harness/contest.ts';
import { type BenchServer, startBareServer } from '../servers.ts';
import { startBetterAuth } from '../subjects/better-auth.ts';
import { startGlewlwyd } from '../subjects/glewlwyd.ts';
import {
  authorizeSubject,
  introspectSubject,
  mintCaller,
  openFreshSite,
  tokenSubject,
  verifyLoad,
  verifySubject,
} from '../subjects/keyreeve.ts';
import { startOidcProvider } from '../subjects/oidc-provider.ts';
import { startVerdaccio } from '../subjects/verdaccio.ts';

export const BARE = { GET: 'bare node:http, GET', POST: 'bare node:http, POST' } as const;
export const CONTESTS = ['authorize', 'verify', 'tokens', 'introspection'] as const;
export type ContestName = (typeof CONTESTS)[number];

const KEYS = 1_000;
/** Glewlwyd takes milliseconds for each, and makes one request after the other anyway. */
const FEW = 20;

/** Servers that are stopped together, also those that did start when another did not. */
class Lane {
  readonly #servers: BenchServer[] = [];

  keep<Kept extends BenchServer | { readonly server: BenchServer }>(kept: Kept): Kept {
    this.#servers.push('server' in kept ? kept.server : kept);
    return kept;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}

/** The yardstick under the same requests as ours. */
async function enterBare(lane: Lane, { loads }: Contestant): Promise<Contestant> {
  const server = lane.keep(await startBareServer());
  const name = BARE[loads[0]?.method ?? 'GET'];
  const what = 'reads the same request and answers a constant';
  return { name, what, durability: 'none', gate: null, server, loads };
}

async function enterAuthorize(lane: Lane): Promise<Contestant[]> {
  const site = lane.keep(await openFreshSite());
  const ours = await enter(authorizeSubject(site), KEYS, true);
  const verdaccio = lane.keep(await startVerdaccio());
  return [await enterBare(lane, ours), ours, await enter(verdaccio, KEYS, false)];
}

async function enterVerify(lane: Lane): Promise<Contestant[]> {
  const site = lane.keep(await openFreshSite());
  const caller = await mintCaller(site);
  const ours = await enter(verifySubject(site, caller), KEYS, true);
  const normal = lane.keep(await startBetterAuth('NORMAL'));
  const full = lane.keep(await startBetterAuth('FULL'));
  return [
    await enterBare(lane, ours),
    ours,
    await enterRefused(
      ours,
      'unknown',
      'the same for keys that nobody has, of the right form',
      caller,
      unknownKey,
    ),
    await enterRefused(ours, 'malformed', 'the same for keys with a wrong checksum', caller, malformedKey),
    await enter(normal, KEYS, false),
    await enter(full, KEYS, false),
  ];
}

function unknownKey(turn: number): string {
  const id = `kr_${String(turn).padStart(16, '0')}`;
  const body = 'x'.repeat(43);
  return `${id}_${body}${checksumOf(id, body)}`;
}

function malformedKey(turn: number): string {
  return `${unknownKey(turn).slice(0, -6)}000000`;
}

/** Questions about keys that are not to be taken. */
async function enterRefused(
  ours: Contestant,
  name: string,
  what: string,
  caller: string,
  keyAt: (turn: number) => string,
): Promise<Contestant> {
  const loads = Array.from({ length: KEYS }, (_, turn) => verifyLoad(caller, keyAt(turn)));
  const [first] = loads;
  if (first === undefined) throw new Error('unreachable: there are loads');
  const { method, path, headers, body = '' } = first;
  const response = await fetch(`${ours.server.url}${path}`, { method, headers, body });
  const answer = (await response.json()) as { valid: boolean };
  if (answer.valid) throw new Error(`A key that is ${name} was taken.`);
  return { ...ours, name: `${ours.name}, ${name}`, what, loads };
}

async function enterTokens(lane: Lane): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
    const site = lane.keep(await openFreshSite(algorithm));
    contestants.push(await enter(tokenSubject(site, algorithm), KEYS, true));
  }
  const { token } = await startOidcProvider();
  lane.keep(token);
  const { token: glewlwyd } = await startGlewlwyd();
  lane.keep(glewlwyd);
  return [...contestants, await enter(token, KEYS, false), await enter(glewlwyd, FEW, false)];
}

async function enterIntrospection(lane: Lane): Promise<Contestant[]> {
  const site = lane.keep(await openFreshSite());
  const ours = await enter(introspectSubject(site, await mintCaller(site)), KEYS, true);
  const { introspect } = await startOidcProvider();
  lane.keep(introspect);
  const { introspect: glewlwyd } = await startGlewlwyd();
  lane.keep(glewlwyd);
  // One of its clients is the caller, and has no token of its own.
  return [ours, await enter(introspect, KEYS - 1, false), await enter(glewlwyd, FEW, false)];
}

const ENTER: Readonly<Record<ContestName, (lane: Lane) => Promise<Contestant[]>>> = {
  authorize: enterAuthorize,
  verify: enterVerify,
  tokens: enterTokens,
  introspection: enterIntrospection,
};

/** Starts the servers of one comparison, measures them in turn, and stops them. */
export async function measureContest(name: ContestName, pace: Pace): Promise<Outcome[]> {
  const lane = new Lane();
  try {
    return await runContest(await ENTER[name](lane), pace);
  } finally {
    await lane.stop();
  }
}
