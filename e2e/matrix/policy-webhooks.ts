import type { Credential } from './credential.ts';
import { ALL, type Demand, gate, type Target, type Verdict } from './oracle.ts';
import { itemsOf, type Row } from './row.ts';
import { WEBHOOK_TARGETS } from './targets.ts';

const demand = (verb: 'read' | 'write'): Demand => ({
  kinds: ALL,
  action: `iam:webhooks:${verb}`,
  resource: 'webhooks',
  isAdminOnly: true,
});

/** Whoever may at all, may with every webhook of his workspace; those of the other one do not exist. */
function onWebhook(who: Credential, target: Target, method: string, verb: 'read' | 'write'): Verdict {
  return gate(who, method, demand(verb)) ?? (target.place === 'home' ? 'allow' : 404);
}

function rowOn(route: string, verb: 'read' | 'write', rest: Partial<Row> & { readonly body?: unknown }): Row {
  const [method = '', path = ''] = route.split(' ');
  const { body, ...row } = rest;
  return {
    route,
    targets: WEBHOOK_TARGETS,
    send: (who, target) => ({
      url: path.replace(':id', target.id(who)),
      headers: { 'if-match': '*' },
      ...(body === undefined ? {} : { body }),
    }),
    expect: (who, target) => onWebhook(who, target, method, verb),
    ...row,
  };
}

export const WEBHOOK_ROWS: readonly Row[] = [
  {
    route: 'GET /v1/webhooks',
    send: () => ({ url: '/v1/webhooks' }),
    expect: (who) => gate(who, 'GET', demand('read')) ?? 'allow',
    judge: (answer, who) => {
      const ids = itemsOf(answer).map((item) => item['id']);
      return ids.length === 1 && ids[0] === who.home.webhook.id ? null : `it shows ${ids.join(', ')}`;
    },
  },
  {
    route: 'POST /v1/webhooks',
    send: () => ({ url: '/v1/webhooks', body: { url: 'https://hooks.example/' } }),
    expect: (who) => gate(who, 'POST', demand('write')) ?? 'allow',
  },
  rowOn('GET /v1/webhooks/:id', 'read', {}),
  rowOn('PATCH /v1/webhooks/:id', 'write', { body: { url: 'https://elsewhere.example/' } }),
  rowOn('DELETE /v1/webhooks/:id', 'write', {}),
  rowOn('POST /v1/webhooks/:id/rotate-secret', 'write', { body: {} }),
  rowOn('POST /v1/webhooks/:id/test', 'write', {}),
  rowOn('GET /v1/webhooks/:id/deliveries', 'read', {}),
  {
    route: 'POST /v1/webhooks/:id/deliveries/:deliveryId/replay',
    targets: WEBHOOK_TARGETS,
    send: (who, target) => ({
      url: `/v1/webhooks/${target.id(who)}/deliveries/${deliveryOf(who, target)}/replay`,
    }),
    expect: (who, target) => onWebhook(who, target, 'POST', 'write'),
    // It is under way and needs no replay.
    reached: [409],
  },
];

/** A delivery of the very webhook where there is one. */
function deliveryOf(who: Credential, target: Target): string {
  return (target.place === 'away' ? who.away : who.home).webhook.deliveryId;
}
