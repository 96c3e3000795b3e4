/** Hayama, the invented company of the pictures. Ages are days before the day of the run; all is deterministic. */

export const TOWN_PASSWORD = 'ferry timetable marigold';
export const ADMIN_EMAIL = 'mio.tachibana@hayama.example';
export const MEMBER_EMAIL = 'jonas.lindqvist@hayama.example';

export interface TownUser {
  readonly email: string;
  readonly displayName: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly role: 'admin' | 'member';
  readonly locale: 'en' | 'ja';
  readonly tags: readonly string[];
  /** Minutes before now of the last sign-in; null: never. Without a password he was only invited. */
  readonly signedInAgo: number | null;
  readonly hasPassword: boolean;
}

const HOUR = 60;
const DAY = 24 * HOUR;

function user(
  name: readonly [email: string, first: string, last: string],
  tags: readonly string[],
  signedInAgo: number | null,
  more: Partial<TownUser> = {},
): TownUser {
  const [email, firstName, lastName] = name;
  const displayName = `${firstName} ${lastName}`;
  const common = { role: 'member', locale: 'en', hasPassword: true } as const;
  return { email, firstName, lastName, displayName, tags, signedInAgo, ...common, ...more };
}

/** The first is the administrator who makes the others. */
export const TOWN_USERS: readonly TownUser[] = [
  user([ADMIN_EMAIL, 'Mio', 'Tachibana'], ['platform', 'release'], 4, { role: 'admin' }),
  user(['amara.okafor@hayama.example', 'Amara', 'Okafor'], ['platform'], 12, { role: 'admin' }),
  user(['daniel.oshea@contract.example', 'Daniel', 'O’Shea'], ['contractor'], 23 * DAY),
  user(['elodie.garnier@hayama.example', 'Élodie', 'Garnier'], ['web'], DAY + 2 * HOUR),
  user([MEMBER_EMAIL, 'Jonas', 'Lindqvist'], ['data', 'notebooks'], 3 * HOUR),
  user(['leila.haddad@hayama.example', 'ليلى', 'حداد'], ['data'], 7 * DAY),
  user(['lananh.nguyen@hayama.example', 'Lan Anh', 'Nguyễn'], [], 27 * DAY, {
    displayName: 'Nguyễn Thị Lan Anh',
  }),
  user(['oleksandr.kovalenko@hayama.example', 'Oleksandr', 'Kovalenko'], [], 5 * DAY),
  user(['priya.raman@hayama.example', 'Priya', 'Raman'], ['release'], 26),
  user(['sofia.marchetti-villanueva@hayama.example', 'Sofía', 'Marchetti-Villanueva'], ['web'], 14 * DAY),
  user(['tomas.ferreira@hayama.example', 'Tomás', 'Ferreira'], ['contractor'], null, { hasPassword: false }),
  user(['weiling.chen@hayama.example', 'Wei-Ling', 'Chen'], ['data'], DAY + 5 * HOUR),
  user(['yuki.hoshino@hayama.example', '由紀', '星野'], ['release'], 6 * DAY, {
    displayName: '星野 由紀',
    locale: 'ja',
  }),
  user(['takuma.watanabe@hayama.example', '拓真', '渡辺'], [], 83 * DAY, {
    displayName: '渡辺 拓真',
    locale: 'ja',
  }),
];

export interface TownService {
  readonly technicalName: string;
  readonly displayName: string;
  readonly description: string;
  readonly email: string | null;
  readonly tags: readonly string[];
  readonly managers: readonly string[];
  /** On top of the default grants. */
  readonly grants?: readonly { readonly actions: string[]; readonly resources: string[] }[];
}

export const TOWN_SERVICES: readonly TownService[] = [
  {
    technicalName: 'release-bot',
    displayName: 'Release bot',
    description: 'Publishes from the main branch and owns the packages of the release team.',
    email: 'release@hayama.example',
    tags: ['release'],
    managers: [ADMIN_EMAIL, 'priya.raman@hayama.example'],
  },
  {
    technicalName: 'billing-sync',
    displayName: 'Billing sync',
    description: 'Copies invoices into the ledger every few minutes.',
    email: 'billing@hayama.example',
    tags: ['finance'],
    managers: [ADMIN_EMAIL],
  },
  {
    technicalName: 'mobile-ci',
    displayName: 'Mobile CI',
    description: 'Uploads crash symbols of the apps.',
    email: null,
    tags: ['mobile'],
    managers: ['amara.okafor@hayama.example', 'priya.raman@hayama.example'],
  },
  {
    technicalName: 'edge-gateway',
    displayName: 'エッジゲートウェイ',
    description: 'nginx in Tokyo asks here whether a call may pass.',
    email: 'edge@hayama.example',
    tags: ['platform'],
    managers: ['yuki.hoshino@hayama.example'],
    grants: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
  },
  {
    technicalName: 'team-data',
    displayName: 'Team data',
    description: 'One key for each pipeline.',
    email: 'data@hayama.example',
    tags: ['data'],
    managers: [MEMBER_EMAIL, 'weiling.chen@hayama.example'],
  },
];
