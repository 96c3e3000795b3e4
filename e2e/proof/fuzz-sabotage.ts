import { buildApp } from '@keyreeve/server';
import type { App, Harness } from '@keyreeve/testkit';

/** An operation that is broken on purpose, and what the judge must say of it. */
export interface Sabotage {
  readonly name: string;
  readonly operationId: string;
  readonly path: string;
  readonly spoil: (reply: Reply, payload: string) => string;
  readonly finding: RegExp;
}

interface Reply {
  readonly statusCode: number;
  code(status: number): unknown;
  type(type: string): unknown;
}

const withMember = (payload: string, member: string): string => payload.replace(/^\{/, `{${member},`);

export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'a handler that fails',
    operationId: 'listKeys',
    path: '/v1/keys',
    spoil: (reply, payload) => (reply.code(500), payload),
    finding: /the server failed: 500/,
  },
  {
    name: 'a status that is not documented',
    operationId: 'listUsers',
    path: '/v1/users',
    spoil: (reply, payload) => (reply.statusCode === 200 ? (reply.code(203), payload) : payload),
    finding: /does not tell of 203/,
  },
  {
    name: 'a member too many',
    operationId: 'getHealth',
    path: '/healthz',
    spoil: (_reply, payload) => withMember(payload, '"host":"db-1"'),
    finding: /against its schema.*additional/,
  },
  {
    name: 'a member of another type',
    operationId: 'listAudit',
    path: '/v1/audit',
    spoil: (_reply, payload) => payload.replace('"items":[{', '"items":[null,{'),
    finding: /against its schema: \/items\/0/,
  },
  {
    name: 'a type of body that is not documented',
    operationId: 'getConsole',
    path: '/v1/console',
    spoil: (reply, payload) => (reply.type('text/html'), payload),
    finding: /comes as "text\/html"/,
  },
  {
    name: 'a code that is not documented',
    operationId: 'listWebhooks',
    path: '/v1/webhooks',
    spoil: (_reply, payload) => payload.replace(/"code":"[^"]+"/, '"code":"odata.option_invalid"'),
    finding: /does not tell of odata\.option_invalid/,
  },
  {
    name: 'a frame of the stack in an error',
    operationId: 'getUser',
    path: '/v1/users/:id',
    spoil: (_reply, payload) =>
      payload.replace(/"detail":"[^"]*"/, '"detail":"at findUser (accounts.repo.ts:12)"'),
    finding: /the answer tells "at findUser/,
  },
];

/** The server of the harness once more, with all of these broken; it is to be closed. */
export async function buildBroken({ deps }: Harness): Promise<App> {
  const app = await buildApp(deps);
  app.addHook('onSend', (request, reply, payload, done) => {
    const sabotage = SABOTAGES.find(({ path }) => path === request.routeOptions.url);
    const isMeant = sabotage !== undefined && request.method === 'GET' && typeof payload === 'string';
    done(null, isMeant ? sabotage.spoil(reply, payload) : payload);
  });
  return app;
}
