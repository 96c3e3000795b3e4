import type { Agent } from 'node:http';
import { addServiceAccount, mintKey, type Person } from '../console.ts';
import { ADMIN } from '../server-process.ts';
import { type Answer, asForm, asJson, type Call, send } from './wire.ts';

/** One way to ask a node whether a credential is still good. */
export interface Probe {
  readonly call: Call;
  /** Null when the answer is neither a yes nor a no: the node cannot answer now. */
  readonly judge: (answer: Answer) => boolean | null;
}

/** A credential that is good now, with the request that ends it. */
export interface Revocable {
  readonly kind: RevocationKind;
  readonly probes: readonly Probe[];
  readonly revocation: Call;
}

export const REVOCATION_KINDS = [
  'key deleted',
  'key disabled',
  'key regenerated',
  'scope narrowed',
  'account disabled',
  'grant removed',
  'token revoked',
  'token logged out',
  'session ended',
] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

const ACTION = 'package:push';
const RESOURCE = 'Acme.Tools';
const SCOPES = [{ actions: [ACTION], resources: ['Acme.*'] }];
const OTHER_SCOPES = [{ actions: [ACTION], resources: ['Other.*'] }];

/** Makes credentials to be revoked, each of an account of its own. */
export interface RevocableMaker {
  make(kind: RevocationKind): Promise<Revocable>;
}

/**
 * @param agent For what is not asked through the SDK.
 * @param url The node that makes them.
 */
export async function createRevocableMaker(
  admin: Person,
  agent: Agent,
  url: string,
): Promise<RevocableMaker> {
  const verifier = await addServiceAccount(admin, 'verifier');
  const may = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
  await patchAccount(admin, verifier.id, { grants: may });
  const asker = await mintKey(admin, verifier.id, { comment: 'asks', access: 'scoped', scopes: may });
  const askedBy = { authorization: `Bearer ${asker.fullKey}` };
  let made = 0;
  return {
    make: async (kind) => {
      if (kind === 'session ended') return await makeSession(agent, url, kind);
      made += 1;
      const account = await addServiceAccount(admin, `revocable-${made}`);
      const key = await mintKey(admin, account.id, { comment: kind, access: 'scoped', scopes: SCOPES });
      const change = { cookie: admin.cookie, 'if-match': '*' };
      const edit = (path: string, body: object): Call => {
        const { headers, ...rest } = asJson(body);
        return { method: 'PATCH', path, ...rest, headers: { ...headers, ...change } };
      };
      const post = (path: string): Call => {
        const { headers, ...rest } = asJson({});
        return { method: 'POST', path, ...rest, headers: { ...headers, ...change } };
      };
      const keyPath = `/v1/keys/${key.apiKey}`;
      const keyProbes = [probeVerify(key.fullKey, askedBy), probeAuthorize(key.fullKey, true)];
      switch (kind) {
        case 'key deleted':
          return {
            kind,
            probes: keyProbes,
            revocation: { method: 'DELETE', path: keyPath, headers: change },
          };
        case 'key disabled':
          return { kind, probes: keyProbes, revocation: post(`${keyPath}/disable`) };
        case 'key regenerated':
          return { kind, probes: keyProbes, revocation: post(`${keyPath}/regenerate`) };
        case 'scope narrowed':
          return { kind, probes: keyProbes, revocation: edit(keyPath, { scopes: OTHER_SCOPES }) };
        case 'account disabled':
        case 'grant removed': {
          const body = kind === 'account disabled' ? { state: 'disabled' } : { grants: OTHER_SCOPES };
          return { kind, probes: keyProbes, revocation: edit(`/v1/service-accounts/${account.id}`, body) };
        }
        default:
          return await makeToken(agent, url, { kind, key, askedBy });
      }
    },
  };
}

async function patchAccount(admin: Person, id: string, body: { grants: typeof SCOPES }): Promise<void> {
  await admin.api.PATCH('/v1/service-accounts/{id}', {
    params: { path: { id }, header: { 'If-Match': '*' } },
    body,
  });
}

function probeVerify(fullKey: string, headers: Readonly<Record<string, string>>): Probe {
  const { headers: type, body } = asJson({ key: fullKey, action: ACTION, resource: RESOURCE });
  return {
    call: {
      method: 'POST',
      path: '/v1/keys/verify',
      headers: { ...headers, ...type },
      ...(body && { body }),
    },
    judge: ({ status, body: text }) =>
      status === 200 ? (JSON.parse(text) as { valid: boolean }).valid : judgeStatus(status),
  };
}

function probeAuthorize(credential: string, withAction: boolean): Probe {
  const query = withAction ? `?action=${ACTION}&resource=${RESOURCE}` : '';
  return {
    call: {
      method: 'GET',
      path: `/v1/authorize${query}`,
      headers: { authorization: `Bearer ${credential}` },
    },
    judge: ({ status }) => judgeStatus(status),
  };
}

/** What is no yes and no no, like 503, says that the node cannot tell. */
function judgeStatus(status: number): boolean | null {
  if (status === 200 || status === 204) return true;
  return status === 401 || status === 403 ? false : null;
}

interface TokenOptions {
  readonly kind: 'token revoked' | 'token logged out';
  readonly key: { readonly apiKey: string; readonly secretKey: string };
  /** The credential of whoever may ask about tokens. */
  readonly askedBy: Readonly<Record<string, string>>;
}

async function makeToken(
  agent: Agent,
  url: string,
  { kind, key, askedBy }: TokenOptions,
): Promise<Revocable> {
  const basic = Buffer.from(`${key.apiKey}:${key.secretKey}`).toString('base64');
  const asClient = (path: string, fields: Readonly<Record<string, string>>): Call => {
    const { headers, ...rest } = asForm(fields);
    return { method: 'POST', path, ...rest, headers: { ...headers, authorization: `Basic ${basic}` } };
  };
  const issued = await send(agent, url, asClient('/oauth2/token', { grant_type: 'client_credentials' }));
  const { access_token: token } = JSON.parse(issued.body) as { access_token: string };
  const introspection = { method: 'POST', path: '/oauth2/introspect', ...asForm({ token }) };
  const probes: Probe[] = [
    probeAuthorize(token, true),
    {
      call: { ...introspection, headers: { ...introspection.headers, ...askedBy } },
      judge: ({ status, body }) =>
        status === 200 ? (JSON.parse(body) as { active: boolean }).active : judgeStatus(status),
    },
  ];
  const logout = { method: 'DELETE', path: '/iam/logout', headers: { authorization: `Bearer ${token}` } };
  return {
    kind,
    probes,
    revocation: kind === 'token revoked' ? asClient('/oauth2/revoke', { token }) : logout,
  };
}

async function makeSession(agent: Agent, url: string, kind: 'session ended'): Promise<Revocable> {
  const opened = await send(agent, url, { method: 'POST', path: '/v1/session', ...asJson(ADMIN) });
  const [cookie = ''] = (opened.headers['set-cookie'] as string[]).map((line) => line.split(';')[0] ?? '');
  const headers = { cookie };
  return {
    kind,
    probes: [
      { call: { method: 'GET', path: '/v1/session', headers }, judge: ({ status }) => judgeStatus(status) },
    ],
    revocation: { method: 'DELETE', path: '/v1/session', headers },
  };
}
