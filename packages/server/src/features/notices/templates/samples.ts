import type { Notice, NoticePayloads } from '../../../jobs/index.ts';

/** A notice as the tests and the preview of the mails show it. */
export interface SampleNotice {
  /** The kind, with what is special about this one. */
  readonly name: string;
  readonly notice: Notice;
}

export const SAMPLE_EXPIRES_AT = Date.UTC(2028, 1, 29, 23, 59, 59);
export const SAMPLE_AT = Date.UTC(2027, 2, 8, 9, 0, 0);
export const SAMPLE_SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
export const SAMPLE_WORKSPACE_URL = 'https://keys.example.com';

export const SAMPLE_DELIVERY: NoticePayloads['key.delivery'] = {
  accountName: 'Build bot',
  keyId: 'kr_0123456789ABCDEF',
  comment: 'CI: publish & unlist',
  expiresAt: SAMPLE_EXPIRES_AT,
  linkUrl: `${SAMPLE_WORKSPACE_URL}/key-link#tokenOfTheLink`,
  linkExpiresAt: SAMPLE_AT,
  secretKey: null,
  change: {
    kind: 'created',
    at: SAMPLE_AT,
    actor: { name: 'Grace Hopper', ip: '192.0.2.7' },
    oldWorksUntil: null,
  },
};

const KEY = {
  accountName: 'Build bot',
  keyId: 'kr_0123456789ABCDEF',
  comment: 'CI: publish & unlist',
  access: 'scoped',
  expiresAt: SAMPLE_EXPIRES_AT,
  pageUrl: `${SAMPLE_WORKSPACE_URL}/service-accounts/acc_1`,
} as const;
const CHANGE = { ...KEY, at: SAMPLE_AT, actor: { name: 'Grace Hopper', ip: '192.0.2.7' } } as const;
const USE = { at: SAMPLE_AT, ip: '192.0.2.8', userAgent: 'NuGet/6.12.2' };

export const SAMPLE_STOP: NoticePayloads['key.expiring'] = {
  ...KEY,
  stops: ['Hayama.Core', 'Hayama.Data'],
  stopsCount: 5,
  lastUse: USE,
};

const person = (path: string, name: string | null) => ({
  accountName: 'Ada Lovelace',
  linkUrl: `${SAMPLE_WORKSPACE_URL}/${path}#tokenOfTheLink`,
  linkExpiresAt: SAMPLE_EXPIRES_AT,
  request: { at: SAMPLE_AT, actor: { name, ip: '192.0.2.7' } },
});

const WEBHOOK_STOP: NoticePayloads['webhook.disabled'] = {
  host: 'hooks.example.com',
  description: 'Chat of the team',
  reason: 'gone',
  at: SAMPLE_AT,
  lastStatus: 410,
  pageUrl: `${SAMPLE_WORKSPACE_URL}/webhooks/whk_1`,
};

const PACKAGE = {
  packageId: 'Hayama.Core',
  accountName: 'Ada Lovelace',
  fromName: null,
  at: SAMPLE_AT,
  actor: CHANGE.actor,
  pageUrl: `${SAMPLE_WORKSPACE_URL}/packages/hayama.core`,
} as const;

const PACKAGE_SAMPLES: readonly SampleNotice[] = [
  ...[null, 'Build bot'].map((fromName) => ({
    name: `package.owner_requested, ${fromName === null ? 'one more' : 'in the place of one'}`,
    notice: {
      kind: 'package.owner_requested' as const,
      payload: { ...PACKAGE, fromName, expiresAt: SAMPLE_EXPIRES_AT },
    },
  })),
  ...(['added', 'removed', 'transferred', 'declined'] as const).map((change) => ({
    name: `package.owners_changed, ${change}`,
    notice: {
      kind: 'package.owners_changed' as const,
      payload: { ...PACKAGE, change, fromName: change === 'transferred' ? 'Build bot' : null },
    },
  })),
];

/** Every kind of notice, each in the forms that read differently. */
export const SAMPLES: readonly SampleNotice[] = [
  { name: 'key.delivery, by link', notice: { kind: 'key.delivery', payload: SAMPLE_DELIVERY } },
  {
    name: 'key.delivery, by value',
    notice: {
      kind: 'key.delivery',
      payload: { ...SAMPLE_DELIVERY, linkUrl: null, linkExpiresAt: null, secretKey: SAMPLE_SECRET_KEY },
    },
  },
  {
    name: 'key.delivery, regenerated',
    notice: {
      kind: 'key.delivery',
      payload: {
        ...SAMPLE_DELIVERY,
        change: { kind: 'regenerated', at: SAMPLE_AT, actor: CHANGE.actor, oldWorksUntil: SAMPLE_AT },
      },
    },
  },
  {
    name: 'account.invitation',
    notice: { kind: 'account.invitation', payload: person('invitation', 'Grace Hopper') },
  },
  {
    name: 'account.password_reset',
    notice: { kind: 'account.password_reset', payload: person('password-reset', null) },
  },
  { name: 'key.created', notice: { kind: 'key.created', payload: CHANGE } },
  {
    name: 'key.regenerated, at once',
    notice: { kind: 'key.regenerated', payload: { ...CHANGE, oldWorksUntil: null } },
  },
  {
    name: 'key.regenerated, with overlap',
    notice: { kind: 'key.regenerated', payload: { ...CHANGE, oldWorksUntil: SAMPLE_AT } },
  },
  {
    name: 'key.changed',
    notice: {
      kind: 'key.changed',
      payload: {
        ...CHANGE,
        changes: [
          { field: 'comment', from: 'CI', to: 'CI: publish & unlist' },
          { field: 'patterns', from: 'Hayama.*', to: 'Hayama.Core, Hayama.Data' },
          { field: 'ipRanges', from: '', to: '192.0.2.0/24' },
        ],
      },
    },
  },
  {
    name: 'key.disabled, by a person',
    notice: { kind: 'key.disabled', payload: { ...CHANGE, reason: 'Laptop lost' } },
  },
  {
    name: 'key.disabled, by the server',
    notice: {
      kind: 'key.disabled',
      payload: { ...CHANGE, actor: { name: null, ip: null }, reason: null },
    },
  },
  {
    name: 'key.disabled, revoked',
    notice: {
      kind: 'key.disabled',
      payload: { ...CHANGE, reason: 'Revoked by its holder', isRevoked: true },
    },
  },
  { name: 'key.enabled', notice: { kind: 'key.enabled', payload: CHANGE } },
  { name: 'key.deleted', notice: { kind: 'key.deleted', payload: CHANGE } },
  { name: 'key.expiring', notice: { kind: 'key.expiring', payload: SAMPLE_STOP } },
  {
    name: 'key.expiring, full access',
    notice: {
      kind: 'key.expiring',
      payload: { ...SAMPLE_STOP, access: 'full', stops: [], stopsCount: 0, lastUse: null },
    },
  },
  { name: 'key.expired', notice: { kind: 'key.expired', payload: SAMPLE_STOP } },
  {
    name: 'key.refused',
    notice: {
      kind: 'key.refused',
      payload: { ...KEY, count: 21, reason: 'insufficient_scope', lastRefusal: USE },
    },
  },
  {
    name: 'session.new_place',
    notice: {
      kind: 'session.new_place',
      payload: {
        accountName: 'Ada Lovelace',
        at: SAMPLE_AT,
        ip: '192.0.2.9',
        userAgent: 'Firefox, Linux',
        pageUrl: `${SAMPLE_WORKSPACE_URL}/profile`,
      },
    },
  },
  ...PACKAGE_SAMPLES,
  { name: 'webhook.disabled, by its receiver', notice: { kind: 'webhook.disabled', payload: WEBHOOK_STOP } },
  {
    name: 'webhook.disabled, never reached',
    notice: {
      kind: 'webhook.disabled',
      payload: { ...WEBHOOK_STOP, description: '', reason: 'failures', lastStatus: null },
    },
  },
];
