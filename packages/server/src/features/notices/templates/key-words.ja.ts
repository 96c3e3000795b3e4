import type { KeyChange, KeyFacts, KeyStop, KeyUse, NoticeKind } from '../../../jobs/index.ts';
import { type Block, type Fact, note, paragraph, plainLine } from './blocks.ts';
import type { BodyWords, Telling } from './words.ts';

type KeyKind = Exclude<Extract<NoticeKind, `key.${string}`>, 'key.delivery'>;

const NOT_YOU =
  'この操作にお心当たりがない場合は、上のページでキーを停止したうえで、管理者へご連絡ください。';
/** Why keys with a right secret are refused; what is not here is shown as it is. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['insufficient_scope', 'キーの権限を超える操作'],
  ['ip_not_allowed', '許可されていないアドレスからのアクセス'],
  ['rate_limited', 'アクセス回数の超過'],
]);
const FIELDS = { comment: 'コメント', patterns: 'パターン', ipRanges: '許可するアドレス' } as const;

function keyFacts(key: KeyFacts, { at }: Telling): readonly Fact[] {
  return [
    { label: 'アカウント', value: key.accountName },
    { label: 'APIキー', value: key.keyId, isCode: true },
    { label: 'コメント', value: key.comment },
    {
      label: key.access === 'full' ? '有効期限（フルアクセス）' : '有効期限',
      value: key.expiresAt === null ? '期限なし' : at(key.expiresAt),
    },
  ];
}

function actorFact({ actor, at: ms }: KeyChange, { at }: Telling): readonly Fact[] {
  const by = actor.name === null ? 'Keyreeve' : actor.name;
  return [
    { label: '操作者', value: actor.ip === null ? by : `${by}（${actor.ip}から）` },
    { label: '日時', value: at(ms) },
  ];
}

function useText(use: KeyUse | null, { at }: Telling): string {
  if (use === null) return '未使用';
  const from = [use.ip, use.userAgent].filter((part) => part !== null).map(plainLine);
  return from.length === 0 ? at(use.at) : `${at(use.at)}、${from.join('、')}`;
}

function changeBody(what: string, change: KeyChange, telling: Telling, more: readonly Block[] = []) {
  return {
    opening: [
      paragraph(`${plainLine(change.accountName)} のAPIキー「${plainLine(change.comment)}」${what}。`),
    ],
    details: [
      { kind: 'facts', facts: [...keyFacts(change, telling), ...actorFact(change, telling)] },
      ...more,
      { kind: 'action', label: 'キーを確認する', url: change.pageUrl },
      note(NOT_YOU),
    ],
  } as const;
}

function stopList(stop: KeyStop): readonly Block[] {
  if (stop.stops.length === 0) return [];
  const rest = stop.stopsCount - stop.stops.length;
  const items = rest > 0 ? [...stop.stops, `ほか${rest}件`] : stop.stops;
  return [
    paragraph('このキーとともに、次のパッケージの更新やアクションができなくなります。'),
    { kind: 'list', items },
  ];
}

function stopFacts(stop: KeyStop, telling: Telling): Block {
  const lastUse = { label: '最終使用', value: useText(stop.lastUse, telling) };
  return { kind: 'facts', facts: [...keyFacts(stop, telling), lastUse] };
}

function remedy(stop: KeyStop): readonly Block[] {
  if (stop.access === 'full') {
    return [
      paragraph('フルアクセスキーは再生成できません。代わりに、スコープ付きキーを新しく作成してください。'),
      { kind: 'action', label: 'キーを作成する', url: stop.pageUrl },
    ];
  }
  return [
    { kind: 'action', label: 'キーを再生成する', url: stop.pageUrl },
    note('再生成すると、シークレットキーと有効期限が新しくなります。APIキー、コメント、権限は変わりません。'),
  ];
}

export const JA_KEY_SUBJECTS = {
  'key.created': (key: string) => `[Keyreeve] APIキー「${key}」が作成されました`,
  'key.regenerated': (key: string) => `[Keyreeve] APIキー「${key}」が再生成されました`,
  'key.changed': (key: string) => `[Keyreeve] APIキー「${key}」が変更されました`,
  'key.disabled': (key: string) => `[Keyreeve] APIキー「${key}」が停止されました`,
  'key.enabled': (key: string) => `[Keyreeve] APIキー「${key}」が再開されました`,
  'key.deleted': (key: string) => `[Keyreeve] APIキー「${key}」が削除されました`,
  'key.expiring': (key: string) => `[Keyreeve] APIキー「${key}」の有効期限が近づいています`,
  'key.expired': (key: string) => `[Keyreeve] APIキー「${key}」の有効期限が切れました`,
  'key.refused': (key: string) => `[Keyreeve] APIキー「${key}」が繰り返し拒否されています`,
};

export const JA_KEY_BODIES: BodyWords<KeyKind> = {
  'key.created': (change, telling) => changeBody('が作成されました', change, telling),
  'key.regenerated': (change, telling) =>
    changeBody('のシークレットキーが再生成されました', change, telling, [
      paragraph(
        change.oldWorksUntil === null
          ? '以前のシークレットキーはすでに使えません。使い続けているプログラムは拒否されます。'
          : `以前のシークレットキーは${telling.at(change.oldWorksUntil)}まで使えます。`,
      ),
    ]),
  'key.changed': (change, telling) =>
    changeBody('が変更されました', change, telling, [
      paragraph('変更内容'),
      {
        kind: 'facts',
        facts: change.changes.map(({ field, from, to }) => ({
          label: FIELDS[field],
          value: `${from === '' ? 'なし' : from} → ${to === '' ? 'なし' : to}`,
        })),
      },
    ]),
  'key.disabled': (change, telling) =>
    changeBody('が停止され、使えなくなりました', change, telling, [
      ...(change.reason === null ? [] : [paragraph(`理由：${plainLine(change.reason)}`)]),
      paragraph('あとから再開することも、完全に削除することもできます。'),
    ]),
  'key.enabled': (change, telling) => changeBody('が再開され、再び使えるようになりました', change, telling),
  'key.deleted': (change, telling) => changeBody('が完全に削除され、使えなくなりました', change, telling),
  'key.expiring': (stop, telling) => ({
    opening: [
      paragraph(
        `${plainLine(stop.accountName)} のAPIキー「${plainLine(stop.comment)}」は、${stop.expiresAt === null ? '有効期限' : telling.at(stop.expiresAt)}に使えなくなります。`,
      ),
    ],
    details: [...stopList(stop), stopFacts(stop, telling), ...remedy(stop)],
  }),
  'key.expired': (stop, telling) => ({
    opening: [
      paragraph(
        `${plainLine(stop.accountName)} のAPIキー「${plainLine(stop.comment)}」は有効期限が切れ、使えなくなりました。`,
      ),
    ],
    details: [...stopList(stop), stopFacts(stop, telling), ...remedy(stop)],
  }),
  'key.refused': (refused, telling) => ({
    opening: [
      paragraph(
        `${plainLine(refused.accountName)} のAPIキー「${plainLine(refused.comment)}」は、シークレットキーが正しいにもかかわらず、1時間以内に${refused.count}回拒否されました。`,
      ),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          ...keyFacts(refused, telling),
          { label: '理由', value: REASONS.get(refused.reason) ?? refused.reason },
          { label: '最後の拒否', value: useText(refused.lastRefusal, telling) },
        ],
      },
      paragraph('プログラムの設定に誤りがあるか、漏えいしたキーを第三者が試しているおそれがあります。'),
      { kind: 'action', label: 'キーを確認する', url: refused.pageUrl },
      note('このメールは、キーごとに1日1通までお送りします。'),
    ],
  }),
};
