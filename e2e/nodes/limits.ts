import type { BodyOf } from '../../packages/sdk/src/index.ts';
import { mintKey } from '../console.ts';
import type { Cluster } from './cluster.ts';
import { type Answer, asJson, openAgent, send } from './wire.ts';

export type Limits = NonNullable<BodyOf<'createKey'>['limits']>;

/** Makes a key with limits and uses it by so many callers at once, at these nodes in turn. @returns the answers by code */
export async function useTogether(
  { admin }: Cluster,
  urls: readonly string[],
  limits: Limits,
  callers: number,
): Promise<Record<string, number>> {
  const scopes = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
  const asker = await mintKey(admin, admin.accountId, { comment: 'asks', access: 'scoped', scopes });
  const key = await mintKey(admin, admin.accountId, { comment: 'limited', access: 'account', limits });
  const { headers, body = '' } = asJson({ key: key.fullKey });
  const authorization = `Bearer ${asker.fullKey}`;
  const call = { method: 'POST', path: '/v1/keys/verify', headers: { ...headers, authorization }, body };
  const agent = openAgent(callers);
  try {
    const answers = await Promise.all(
      Array.from({ length: callers }, (_, caller) => send(agent, urls[caller % urls.length] ?? '', call)),
    );
    return countByCode(answers);
  } finally {
    agent.destroy();
    await Promise.all(
      [asker, key].map(({ apiKey }) =>
        admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: apiKey } } }),
      ),
    );
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
