import type { Credential } from './credential.ts';
import { anybody, type Target, type Verdict } from './oracle.ts';
import { mayVerify, PRESENTED } from './policy-keys.ts';
import type { Row, Wire } from './row.ts';

/** OAuth clients: the credential is an API key as client id and its secret as client secret, or a subject token. */

const FORM_TYPE = 'application/x-www-form-urlencoded';
const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};

function toForm(url: string, form: Readonly<Record<string, string>>, headers = {}): Wire {
  const bytes = Buffer.from(new URLSearchParams(form).toString());
  return { url, bytes, headers: { 'content-type': FORM_TYPE, ...headers } };
}

/** Cookies and key headers stay in the request, and must not matter. */
function asClient(who: Credential, url: string, form: Readonly<Record<string, string>>): Wire {
  const client = who.pair === null ? {} : { client_id: who.pair.apiKey, client_secret: who.pair.secretKey };
  return toForm(url, { ...form, ...client }, { authorization: '' });
}

function onClient({ facts, pair }: Credential): Verdict {
  if (facts.kind === 'astray') return 421;
  return pair !== null && facts.kind === 'key' ? 'allow' : 401;
}

function judgeActive(isActive: (who: Credential, target: Target) => boolean): NonNullable<Row['judge']> {
  return (answer, who, target) => {
    if (isActive(who, target)) return answer.json<{ active: boolean }>().active ? null : 'it is told nothing';
    return answer.body === '{"active":false}' ? null : `it is told ${answer.body.slice(0, 200)}`;
  };
}

export const OAUTH_ROWS: readonly Row[] = [
  {
    route: 'GET /.well-known/oauth-authorization-server',
    send: () => ({ url: '/.well-known/oauth-authorization-server' }),
    expect: (who) => anybody(who),
  },
  {
    route: 'POST /oauth2/token',
    variant: 'by client credentials',
    shape: 'oauth',
    send: (who) => asClient(who, '/oauth2/token', { grant_type: 'client_credentials' }),
    expect: onClient,
  },
  {
    route: 'POST /oauth2/token',
    variant: 'for a token',
    shape: 'oauth',
    send: (who) =>
      toForm('/oauth2/token', { ...EXCHANGE, subject_token: who.token ?? 'none' }, { authorization: '' }),
    expect: ({ facts }) => {
      if (facts.kind === 'astray') return 421;
      return facts.kind === 'token' ? 'allow' : 400;
    },
  },
  {
    route: 'POST /oauth2/introspect',
    variant: 'as a client',
    shape: 'oauth',
    targets: PRESENTED,
    send: (who, target) => asClient(who, '/oauth2/introspect', { token: target.id(who) }),
    expect: onClient,
    judge: judgeActive(mayVerify),
  },
  {
    route: 'POST /oauth2/introspect',
    variant: 'with a bearer token',
    shape: 'oauth',
    targets: PRESENTED,
    isFor: (who) => who.token !== null,
    send: (who, target) => toForm('/oauth2/introspect', { token: target.id(who) }),
    expect: ({ facts }) => (facts.kind === 'token' ? 'allow' : 401),
    judge: judgeActive(mayVerify),
  },
  {
    route: 'POST /oauth2/revoke',
    shape: 'oauth',
    send: (who) => asClient(who, '/oauth2/revoke', { token: 'none' }),
    expect: onClient,
  },
];
