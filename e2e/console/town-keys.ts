import type { KeyLimitsInput } from '@keyreeve/sdk';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';

/** How programs use a key: so many calls in a busy hour, from there, with that program. */
export interface TownTraffic {
  readonly via: 'authorize' | 'verify' | 'login';
  readonly busyHourCalls: number;
  readonly agent: string;
  readonly ip: string;
  /** Of the last call, before now; without it the calls end with the last full hour. */
  readonly lastMinutesAgo?: number;
  /** Calls ended so many days ago. */
  readonly endedDaysAgo?: number;
  /** What is asked for; some of it lies outside the scopes. */
  readonly action?: string;
  readonly resource?: string;
}

export interface TownKey {
  /** E-mail or technical name. */
  readonly account: string;
  readonly comment: string;
  readonly scopes: readonly { readonly actions: string[]; readonly resources: string[] }[] | null;
  readonly owner?: string;
  readonly lifetimeDays: 1 | 90 | 180 | 270 | 365;
  readonly createdDaysAgo: number;
  readonly disabled?: { readonly daysAgo: number; readonly reason: string | null };
  readonly regenerated?: { readonly hoursAgo: number; readonly overlapHours: number };
  readonly traffic?: TownTraffic;
  readonly limits?: KeyLimitsInput;
}

const push = (...resources: string[]) => [{ actions: ['package:push'], resources }];
const NUGET = 'NuGet/6.12.2';
const PYTHON = 'python-requests/2.32.3';
const CURL = 'curl/8.14.1';

const ADMIN_KEYS: readonly TownKey[] = [
  {
    account: ADMIN_EMAIL,
    comment: 'CI publish: DataFactory',
    scopes: [
      {
        actions: ['package:push', 'package:unlist'],
        resources: ['Hayama.DataFactory*', 'Hayama.Edge.*', 'Hayama.Telemetry*'],
      },
    ],
    lifetimeDays: 90,
    createdDaysAgo: 83.4,
    traffic: {
      via: 'authorize',
      busyHourCalls: 2,
      agent: NUGET,
      ip: '198.51.100.7',
      lastMinutesAgo: 12,
      action: 'package:push',
      resource: 'Hayama.DataFactory',
    },
    limits: {
      rate: { requests: 60, windowSeconds: 60 },
      quota: { uses: 2_000, refill: { every: 'month' } },
    },
  },
  {
    account: ADMIN_EMAIL,
    comment: 'Docs site deploy',
    scopes: push('Hayama.Docs*'),
    lifetimeDays: 90,
    createdDaysAgo: 88,
    regenerated: { hoursAgo: 17, overlapHours: 48 },
    traffic: { via: 'authorize', busyHourCalls: 1, agent: NUGET, ip: '198.51.100.9', lastMinutesAgo: 8 },
  },
  {
    account: ADMIN_EMAIL,
    comment: 'Nightly export',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 373.2,
    traffic: { via: 'verify', busyHourCalls: 3, agent: PYTHON, ip: '198.51.100.40', lastMinutesAgo: 4 },
  },
  {
    account: ADMIN_EMAIL,
    comment: 'Release bot 2025',
    scopes: push('Hayama.*'),
    lifetimeDays: 365,
    createdDaysAgo: 389,
  },
  {
    account: ADMIN_EMAIL,
    comment: 'Laptop, temporary',
    scopes: [{ actions: ['package:pushversion'], resources: ['HayamaDsc'] }],
    lifetimeDays: 180,
    createdDaysAgo: 77,
    disabled: { daysAgo: 6, reason: 'In repair' },
    traffic: {
      via: 'authorize',
      busyHourCalls: 1,
      agent: 'PSResourceGet/1.1.1',
      ip: '203.0.113.9',
      endedDaysAgo: 8,
    },
  },
  {
    account: ADMIN_EMAIL,
    comment: 'Build agents, eu-west',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 93,
    traffic: { via: 'login', busyHourCalls: 3, agent: CURL, ip: '203.0.113.80', lastMinutesAgo: 1 },
  },
];

const MEMBER_KEYS: readonly TownKey[] = [
  {
    account: MEMBER_EMAIL,
    comment: 'Data lake ingest',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 140,
    traffic: { via: 'verify', busyHourCalls: 3, agent: PYTHON, ip: '203.0.113.44', lastMinutesAgo: 2 },
  },
  {
    account: MEMBER_EMAIL,
    comment: 'Notebook server',
    scopes: [{ actions: ['package:push', 'package:unlist'], resources: ['Hayama.Notebook*'] }],
    lifetimeDays: 180,
    createdDaysAgo: 174.4,
    traffic: { via: 'authorize', busyHourCalls: 1, agent: NUGET, ip: '203.0.113.45', lastMinutesAgo: 95 },
  },
  {
    account: MEMBER_EMAIL,
    comment: 'Weekly report',
    scopes: null,
    lifetimeDays: 270,
    createdDaysAgo: 273.1,
    traffic: { via: 'authorize', busyHourCalls: 2, agent: PYTHON, ip: '203.0.113.46', lastMinutesAgo: 31 },
  },
  {
    account: MEMBER_EMAIL,
    comment: 'Old laptop',
    scopes: push('Hayama.Notebook.Widgets'),
    lifetimeDays: 365,
    createdDaysAgo: 210,
    disabled: { daysAgo: 40, reason: null },
  },
  {
    account: MEMBER_EMAIL,
    comment: 'Pipelines for the team',
    owner: 'team-data',
    scopes: push('Hayama.Pipelines*'),
    lifetimeDays: 270,
    createdDaysAgo: 30,
  },
];

const SCOPE_MISSES = { action: 'package:push', resource: 'Hayama.Payroll' } as const;

const PEOPLE_KEYS: readonly TownKey[] = [
  {
    account: 'amara.okafor@hayama.example',
    comment: 'Identity releases',
    scopes: [{ actions: ['package:push', 'package:unlist'], resources: ['Hayama.Identity*'] }],
    lifetimeDays: 365,
    createdDaysAgo: 190,
    traffic: {
      via: 'authorize',
      busyHourCalls: 2,
      agent: NUGET,
      ip: '203.0.113.12',
      lastMinutesAgo: 140,
      ...SCOPE_MISSES,
    },
  },
  {
    account: 'amara.okafor@hayama.example',
    comment: 'Terraform',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 41,
    traffic: { via: 'login', busyHourCalls: 1, agent: 'Terraform/1.11', ip: '203.0.113.12' },
  },
  {
    account: 'amara.okafor@hayama.example',
    comment: 'Break glass',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 328,
  },
  {
    account: 'daniel.oshea@contract.example',
    comment: 'Contract build',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 120,
    traffic: { via: 'verify', busyHourCalls: 1, agent: CURL, ip: '192.0.2.133' },
  },
  {
    account: 'elodie.garnier@hayama.example',
    comment: 'Storefront preview',
    scopes: push('Hayama.Storefront*'),
    lifetimeDays: 180,
    createdDaysAgo: 60,
    traffic: { via: 'verify', busyHourCalls: 2, agent: 'node', ip: '203.0.113.71', lastMinutesAgo: 55 },
  },
  {
    account: 'elodie.garnier@hayama.example',
    comment: 'Design tokens',
    scopes: push('Hayama.DesignTokens'),
    lifetimeDays: 90,
    createdDaysAgo: 101,
  },
  {
    account: 'leila.haddad@hayama.example',
    comment: 'تقارير شهرية',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 20,
  },
  {
    account: 'leila.haddad@hayama.example',
    comment: 'dbt',
    scopes: push('Hayama.Pipelines.Dbt'),
    lifetimeDays: 270,
    createdDaysAgo: 130,
    traffic: { via: 'authorize', busyHourCalls: 1, agent: PYTHON, ip: '203.0.113.90' },
  },
  {
    account: 'lananh.nguyen@hayama.example',
    comment: 'Kiểm thử tích hợp',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 310,
  },
  {
    account: 'priya.raman@hayama.example',
    comment: 'Symbols',
    scopes: [{ actions: ['package:pushversion'], resources: ['Hayama.Edge.Symbols*'] }],
    lifetimeDays: 90,
    createdDaysAgo: 80.6,
  },
  {
    account: 'priya.raman@hayama.example',
    comment: 'Preview deploys',
    scopes: push('Hayama.Edge.Preview*'),
    lifetimeDays: 180,
    createdDaysAgo: 170.6,
    traffic: { via: 'authorize', busyHourCalls: 1, agent: NUGET, ip: '203.0.113.61', lastMinutesAgo: 1500 },
  },
  {
    account: 'priya.raman@hayama.example',
    comment: 'Edge releases',
    owner: 'release-bot',
    scopes: push('Hayama.Edge', 'Hayama.Edge.*'),
    lifetimeDays: 365,
    createdDaysAgo: 205,
  },
  {
    account: 'priya.raman@hayama.example',
    comment: 'Load test',
    scopes: null,
    lifetimeDays: 90,
    createdDaysAgo: 58,
    traffic: { via: 'verify', busyHourCalls: 4, agent: 'k6/1.2', ip: '203.0.113.62', endedDaysAgo: 1 },
  },
  {
    account: 'priya.raman@hayama.example',
    comment: 'Phone',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 349,
  },
  {
    account: 'sofia.marchetti-villanueva@hayama.example',
    comment: 'PowerShell modules',
    scopes: push('HayamaDsc', 'HayamaTools'),
    lifetimeDays: 365,
    createdDaysAgo: 150,
  },
  {
    account: 'weiling.chen@hayama.example',
    comment: 'Airflow',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 316,
    traffic: { via: 'verify', busyHourCalls: 3, agent: PYTHON, ip: '203.0.113.101', lastMinutesAgo: 7 },
  },
  {
    account: 'weiling.chen@hayama.example',
    comment: 'Superset',
    scopes: null,
    lifetimeDays: 270,
    createdDaysAgo: 226,
  },
  {
    account: 'weiling.chen@hayama.example',
    comment: 'Thesis data, read from the archive of the old laboratory until the migration is over',
    scopes: push('Hayama.Archive*'),
    lifetimeDays: 365,
    createdDaysAgo: 337,
  },
  {
    account: 'yuki.hoshino@hayama.example',
    comment: '夜間バッチ',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 250,
    traffic: { via: 'login', busyHourCalls: 1, agent: CURL, ip: '203.0.113.120', lastMinutesAgo: 340 },
  },
  {
    account: 'yuki.hoshino@hayama.example',
    comment: 'リリース用（ノートPC）',
    scopes: push('Hayama.DataFactory'),
    lifetimeDays: 180,
    createdDaysAgo: 15,
  },
  {
    account: 'takuma.watanabe@hayama.example',
    comment: '検証環境',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 290,
  },
];

/** Made on one day, so that they all stop on one day: the cliff of the overview. */
const PIPELINE_KEYS: readonly TownKey[] = Array.from({ length: 14 }, (_, index) => ({
  account: 'team-data',
  comment: `Pipeline ${String(index + 1).padStart(2, '0')}`,
  scopes: null,
  lifetimeDays: 90,
  createdDaysAgo: 54,
}));

const SERVICE_KEYS: readonly TownKey[] = [
  {
    account: 'release-bot',
    comment: 'Release pipeline',
    scopes: [{ actions: ['package:push', 'package:unlist'], resources: ['Hayama.*', 'Hayama*'] }],
    lifetimeDays: 365,
    createdDaysAgo: 300,
    traffic: { via: 'authorize', busyHourCalls: 1, agent: NUGET, ip: '198.51.100.7', lastMinutesAgo: 13 },
  },
  {
    account: 'billing-sync',
    comment: 'Invoice sync',
    scopes: null,
    lifetimeDays: 180,
    createdDaysAgo: 173.5,
    traffic: { via: 'verify', busyHourCalls: 5, agent: PYTHON, ip: '198.51.100.40', lastMinutesAgo: 1 },
  },
  {
    account: 'mobile-ci',
    comment: 'Mobile crash upload',
    scopes: push('Hayama.Mobile*'),
    lifetimeDays: 90,
    createdDaysAgo: 80.5,
    traffic: {
      via: 'authorize',
      busyHourCalls: 2,
      agent: 'fastlane',
      ip: '198.51.100.77',
      lastMinutesAgo: 121,
    },
  },
  {
    account: 'mobile-ci',
    comment: 'Leaked in a build log',
    scopes: null,
    lifetimeDays: 365,
    createdDaysAgo: 100,
    disabled: { daysAgo: 9, reason: 'Seen in the log of build 4711, replaced the same day' },
    traffic: { via: 'verify', busyHourCalls: 1, agent: CURL, ip: '192.0.2.14' },
  },
  {
    account: 'edge-gateway',
    comment: 'nginx, Tokyo',
    scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
    lifetimeDays: 365,
    createdDaysAgo: 200,
  },
];

export const TOWN_KEYS: readonly TownKey[] = [
  ...ADMIN_KEYS,
  ...MEMBER_KEYS,
  ...PEOPLE_KEYS,
  ...PIPELINE_KEYS,
  ...SERVICE_KEYS,
];

/** The key whose holder asks about the keys of others. */
export const VERIFIER_COMMENT = 'nginx, Tokyo';
/** A credential of another system, imported by its digest: legacy full access. */
export const IMPORTED = {
  comment: 'Imported from the old gallery',
  credential: 'oy2kq7w4n3xvjhd5trzlb6mgaycpfsu9e8',
};
