import { setTimeout as delay } from 'node:timers/promises';
import type { BodyOf } from '../../packages/sdk/src/index.ts';
import { mintKey } from '../console.ts';
import type { Cluster } from './cluster.ts';
import { type Answer, asJson, type Call, openAgent, send } from './wire.ts';

export type Limits = NonNullable<BodyOf<'createKey'>['limits']>;

const NOT_NOW = 503;
const ASK_AGAIN_AFTER_MS = 200;

export interface Use {
  /** The nodes that are asked in turn. */
  readonly urls: readonly string[];
  readonly requests: number;
  /** How many of them wait for their answers at the same time. */
  readonly callers: number;
}

/** Makes a key with limits and uses it. @returns how many answers there were of each code */
export async function useTogether(
  { admin }: Cluster,
  limits: Limits,
  { urls, requests, callers }: Use,
): Promise<Record<string, number>> {
  const scopes = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
  const asker = await mintKey(admin, admin.accountId, { comment: 'asks', access: 'scoped', scopes });
  const key = await mintKey(admin, admin.accountId, { comment: 'limited', access: 'account', limits });
  const { headers, body = '' } = asJson({ key: key.fullKey });
  const authorization = `Bearer ${asker.fullKey}`;
  const call = { method: 'POST', path: '/v1/keys/verify', headers: { ...headers, authorization }, body };
  try {
    return await askTogether(call, { urls, requests, callers });
  } finally {
    await Promise.all(
      [asker, key].map(({ apiKey }) =>
        admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: apiKey } } }),
      ),
    );
  }
}

/**
 * Asks the same of the nodes in turn. Whoever is told "not now" asks again, as clients do: on a busy machine so many wait
 * for a connection to the database longer than a node lets them.
 *
 * @returns how many answers there were of each code
 */
export async function askTogether(
  call: Call,
  { urls, requests, callers }: Use,
): Promise<Record<string, number>> {
  // For each node, so that none waits for the connections of another.
  const agent = openAgent(Math.ceil(callers / urls.length));
  const ask = async (url: string): Promise<Answer> => {
    const answer = await send(agent, url, call);
    if (answer.status !== NOT_NOW) return answer;
    await delay(ASK_AGAIN_AFTER_MS);
    return await ask(url);
  };
  try {
    const answers = await Promise.all(
      Array.from({ length: requests }, (_, index) => ask(urls[index % urls.length] ?? '')),
    );
    return countByCode(answers);
  } finally {
    agent.destroy();
  }
}

function countByCode(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const code = status === 200 ? (JSON.parse(body) as { code: string }).code : `status ${status}`;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

/** Requests that the nodes have counted for themselves, since Redis was late. */
export async function readCountedAlone(urls: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    urls.map(async (url) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^keyreeve_rate_counted_alone_total (\d+)$/m.exec(text)?.[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
