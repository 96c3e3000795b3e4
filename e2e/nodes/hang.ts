import type { Cluster } from './cluster.ts';
import { type Answer, asForm, asJson, type Call, openAgent, send } from './wire.ts';

/** What somebody asks of a node whose database does not answer. */
export interface HangingQuestion {
  readonly name: string;
  readonly call: Call;
}

/** A question of each kind: of what is in memory, what is read, what is written, and what hashes a password. */
export function listQuestions(
  { admin }: Pick<Cluster, 'admin'>,
  key: { readonly apiKey: string; readonly fullKey: string; readonly secretKey: string },
): readonly HangingQuestion[] {
  const bearer = { authorization: `Bearer ${key.fullKey}` };
  const session = { cookie: admin.cookie };
  const get = (name: string, path: string, headers = session as Readonly<Record<string, string>>) => ({
    name,
    call: { method: 'GET', path, headers },
  });
  const post = (name: string, path: string, body: object, headers = session as Record<string, string>) => {
    const { headers: type, ...rest } = asJson(body);
    return { name, call: { method: 'POST', path, ...rest, headers: { ...type, ...headers } } };
  };
  const basic = Buffer.from(`${key.apiKey}:${key.secretKey}`).toString('base64');
  const form = asForm({ grant_type: 'client_credentials' });
  return [
    get('authorize', '/v1/authorize', bearer),
    post('verify', '/v1/keys/verify', { key: key.fullKey }),
    get('key about itself', '/v1/keys/self', bearer),
    get('unknown key', '/v1/authorize', { authorization: `Bearer ${key.fullKey.slice(0, -1)}` }),
    get('own session', '/v1/session'),
    get('list of keys', '/v1/keys?limit=200'),
    get('audit', '/v1/audit'),
    get('search', '/v3/search?q=a', {}),
    get('readiness', '/readyz', {}),
    post('sign-in', '/v1/session', { email: 'ada@example.com', password: 'not this one at all' }),
    post('new account', '/v1/service-accounts', { technicalName: 'hang', displayName: 'Hang' }),
    post('disable', `/v1/keys/${key.apiKey}/disable`, {}),
    {
      name: 'token',
      call: {
        method: 'POST',
        path: '/oauth2/token',
        ...form,
        headers: { ...form.headers, authorization: `Basic ${basic}` },
      },
    },
  ];
}

export interface HangingAnswer {
  readonly name: string;
  readonly node: number;
  /** 0 when there was none. */
  readonly status: number;
  readonly tookMs: number;
}

/** Asks every node every question at the same time. */
export async function askAll(
  urls: readonly string[],
  questions: readonly HangingQuestion[],
): Promise<HangingAnswer[]> {
  const agent = openAgent(Number.POSITIVE_INFINITY);
  try {
    return await Promise.all(
      urls.flatMap((url, node) =>
        questions.map(async ({ name, call }) => {
          const startedAtMs = performance.now();
          const answer: Answer | null = await send(agent, url, call).catch(() => null);
          return { name, node, status: answer?.status ?? 0, tookMs: performance.now() - startedAtMs };
        }),
      ),
    );
  } finally {
    agent.destroy();
  }
}
