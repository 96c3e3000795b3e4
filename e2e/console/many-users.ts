import { type Deps, inTransaction, systemCaller } from '../../packages/server/src/index.ts';

/** Given and family names that go together, in the order in which their people write them. */
const NAMES: readonly {
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly familyFirst?: boolean;
}[] = [
  {
    first: [
      'Ada',
      'Bruno',
      'Chloé',
      'Dörte',
      'Ewa',
      'Fergus',
      'Grażyna',
      'Håkon',
      'Inés',
      'Jürgen',
      'Łukasz',
    ],
    last: [
      'Abbott',
      'Bäcker',
      'Çelik',
      'Đorđević',
      'Eriksson',
      'Fernández-Ochoa',
      'Góralczyk',
      'O’Leary',
      'Øst',
    ],
  },
  {
    first: ['葵', '陽翔', '結衣', '健太', '美咲', '大輔', 'さくら'],
    last: ['佐藤', '鈴木', '高橋', '長谷川', '勅使河原', '渡邊', '小鳥遊'],
    familyFirst: true,
  },
  { first: ['أحمد', 'فاطمة', 'يوسف', 'مريم'], last: ['الخطيب', 'حسن', 'النجار', 'سليم'] },
  { first: ['Олена', 'Дмитро', 'Ірина', 'Сергій'], last: ['Шевченко', 'Коваль', 'Бондаренко', 'Лисенко'] },
  { first: ['Ελένη', 'Γιώργος', 'Μαρία'], last: ['Παπαδόπουλος', 'Νικολάου', 'Γεωργίου'] },
  { first: ['민준', '서연', '지호'], last: ['김', '이', '박', '최'], familyFirst: true },
  { first: ['דוד', 'נועה', 'יעל'], last: ['כהן', 'לוי', 'מזרחי'] },
  { first: ['Văn An', 'Thị Hồng', 'Quốc Bảo'], last: ['Nguyễn', 'Trần', 'Lê', 'Phạm'], familyFirst: true },
];
const TAGS = ['web', 'data', 'mobile', 'platform', 'release', 'contractor'];
const PER_TRANSACTION = 500;
const DISABLED_EVERY = 45;
const DAY_MS = 86_400_000;

interface Place {
  readonly deps: Deps;
  readonly goTo: (agoMs: number) => void;
}

function pick(list: readonly string[], index: number): string {
  return list[index % list.length] ?? '';
}

function personAt(index: number) {
  const group = NAMES[index % NAMES.length];
  if (group === undefined) throw new Error('There is no such group of names.');
  const turn = Math.floor(index / NAMES.length);
  const firstName = pick(group.first, turn);
  const lastName = pick(group.last, Math.floor(turn / group.first.length));
  const separator = firstName.includes(' ') || group.familyFirst !== true ? ' ' : '';
  return {
    firstName,
    lastName,
    displayName:
      group.familyFirst === true ? `${lastName}${separator}${firstName}` : `${firstName} ${lastName}`,
    email: `person.${String(index).padStart(5, '0')}@hayama.example`,
  };
}

/** Ten thousand colleagues: some never connected, some disabled, the others seen in the course of a year. */
export async function addManyUsers({ deps, goTo }: Place, adminId: string, count: number): Promise<void> {
  const workspace = deps.defaultWorkspace;
  const account = await deps.accounts.findIdentity(deps.storage.read, workspace.id, adminId);
  if (account === null) throw new Error('The town has no administrator.');
  const principal = { kind: 'session', account, sessionId: 'ses_town', managedIds: [] } as const;
  const admin = { ...systemCaller(workspace, 'town'), principal };
  const disabledIds: string[] = [];
  goTo(370 * DAY_MS);
  for (let from = 0; from < count; from += PER_TRANSACTION) {
    await inTransaction(deps.storage, async (tx) => {
      for (let index = from; index < Math.min(from + PER_TRANSACTION, count); index += 1) {
        goTo(370 * DAY_MS);
        const tags = index % 4 === 0 ? [] : [pick(TAGS, index), ...(index % 7 === 0 ? ['remote'] : [])];
        const input = { ...personAt(index), kind: 'user', role: 'member', locale: 'en', tags } as const;
        const { id } = await deps.accounts.createInside(tx, admin, input);
        if (index % DISABLED_EVERY === 0) disabledIds.push(id);
        if (index % 9 === 0) continue;
        goTo(((index * 37) % 365) * DAY_MS + index * 1_000);
        await deps.accounts.saveLastSeen(tx, workspace.id, id);
      }
    });
  }
  goTo(2 * DAY_MS);
  const patch = { state: 'disabled', disabledReason: 'Left' } as const;
  for (const id of disabledIds) await deps.accounts.update(admin, 'user', id, patch, null);
}
