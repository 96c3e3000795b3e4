import type {
  KeyChange,
  KeyFacts,
  KeyStop,
  KeyUse,
  NoticeKind,
  NoticePayloads,
  NoticeRequest,
} from '../../../jobs/index.ts';
import { type Block, type Fact, note, paragraph, quoted } from './blocks.ts';
import type { BodyWords, MailBody, Telling } from './words.ts';

type KeyKind = Exclude<Extract<NoticeKind, `key.${string}`>, 'key.delivery'>;

const NOT_YOU =
  'この操作にお心当たりがない場合は、上のページでキーを停止したうえで、管理者へご連絡ください。';
/** Of a key that does not work any more. */
const NOT_YOU_EITHER = 'この操作にお心当たりがない場合は、管理者へご連絡ください。';
/** Why keys with a right secret are refused; what is not here is shown as it is. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['insufficient_scope', 'キーの権限を超える操作'],
  ['ip_not_allowed', '許可されていないアドレスからのアクセス'],
  ['rate_limited', 'アクセス回数の超過'],
  ['account_disabled', 'アカウントの停止'],
  ['disabled', 'キーの停止'],
  ['expired', '有効期限切れ'],
]);
const FIELDS = {
  comment: 'コメント',
  patterns: 'パターン',
  ipRanges: '許可するアドレス',
  limits: '利用制限',
} as const;

function nameFacts(key: KeyFacts): readonly Fact[] {
  return [
    { label: 'アカウント', value: key.accountName },
    { label: 'APIキー', value: key.keyId, isCode: true },
    { label: 'コメント', value: key.comment },
    ...(key.access === 'full' ? [{ label: 'アクセス', value: 'フルアクセス' }] : []),
  ];
}

function keyFacts(key: KeyFacts, { at }: Telling): readonly Fact[] {
  const value = key.expiresAt === null ? '期限なし' : at(key.expiresAt);
  return [...nameFacts(key), { label: '有効期限', value }];
}

export function actorFacts(
  { actor, at: ms }: NoticeRequest,
  { at }: Telling,
  label = '操作者',
): readonly Fact[] {
  const by = actor.name === null ? 'Keyreeve' : actor.name;
  return [
    { label, value: actor.ip === null ? by : `${by}（${actor.ip}から）` },
    { label: '日時', value: at(ms) },
  ];
}

function useText(use: KeyUse | null, { at }: Telling): string {
  if (use === null) return '未使用';
  const from = [use.ip, use.userAgent].filter((part) => part !== null);
  return from.length === 0 ? at(use.at) : `${at(use.at)}、${from.join('、')}`;
}

function opening(key: KeyFacts, what: string): readonly Block[] {
  return [paragraph(`${quoted(key.accountName)} のAPIキー「${quoted(key.comment)}」${what}。`)];
}

function changeBody(
  what: string,
  change: KeyChange,
  telling: Telling,
  more: readonly Block[] = [],
): MailBody {
  return {
    opening: opening(change, what),
    details: [
      { kind: 'facts', facts: [...keyFacts(change, telling), ...actorFacts(change, telling)] },
      ...more,
      { kind: 'action', label: 'キーを確認する', url: change.pageUrl },
      note(NOT_YOU),
    ],
  };
}

/** What became of the secret that a regenerated key had before. */
export function oldSecret(oldWorksUntil: number | null, { at }: Telling): Block {
  return paragraph(
    oldWorksUntil === null
      ? '以前のシークレットキーはすでに使えません。使い続けているプログラムは拒否されます。'
      : `以前のシークレットキーは${at(oldWorksUntil)}まで使えます。`,
  );
}

function disabled(payload: NoticePayloads['key.disabled'], telling: Telling): MailBody {
  const isRevoked = payload.isRevoked === true;
  const reason = isRevoked || payload.reason === null ? [] : [{ label: '理由', value: payload.reason }];
  return {
    opening: opening(
      payload,
      isRevoked
        ? 'は、シークレットキーを持つプログラムまたは人の操作により失効し、使えなくなりました'
        : 'が停止され、使えなくなりました',
    ),
    details: [
      {
        kind: 'facts',
        facts: [...keyFacts(payload, telling), ...actorFacts(payload, telling), ...reason],
      },
      paragraph(
        isRevoked
          ? 'このシークレットキーは、キーを再開しても二度と使えません。引き続き使うには、キーを再生成してから再開してください。不要な場合は完全に削除できます。'
          : 'あとから再開することも、完全に削除することもできます。',
      ),
      { kind: 'action', label: 'キーを確認する', url: payload.pageUrl },
      note(NOT_YOU_EITHER),
    ],
  };
}

function deleted(change: KeyChange, telling: Telling): MailBody {
  return {
    opening: opening(change, 'が完全に削除され、使えなくなりました'),
    details: [
      { kind: 'facts', facts: [...nameFacts(change), ...actorFacts(change, telling)] },
      paragraph('元に戻すことはできません。使い続けているプログラムには、別のキーが必要です。'),
      { kind: 'action', label: 'ほかのキーを確認する', url: change.pageUrl },
      note(NOT_YOU_EITHER),
    ],
  };
}

function stopList(stop: KeyStop, what: string): readonly Block[] {
  if (stop.stops.length === 0) return [];
  const rest = stop.stopsCount - stop.stops.length;
  const items = rest > 0 ? [...stop.stops, `ほか${rest}件`] : stop.stops;
  return [paragraph(what), { kind: 'list', items }];
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
      oldSecret(change.oldWorksUntil, telling),
    ]),
  'key.changed': (change, telling) =>
    changeBody('が変更されました', change, telling, [
      paragraph('変更内容は次のとおりです。'),
      {
        kind: 'facts',
        facts: change.changes.map(({ field, from, to }) => ({
          label: FIELDS[field],
          value: `${from === '' ? 'なし' : from} → ${to === '' ? 'なし' : to}`,
          isCode: field !== 'comment',
        })),
      },
    ]),
  'key.disabled': disabled,
  'key.enabled': (change, telling) => changeBody('が再開され、再び使えるようになりました', change, telling),
  'key.deleted': deleted,
  'key.expiring': (stop, telling) => ({
    opening: opening(
      stop,
      stop.expiresAt === null
        ? 'の有効期限が近づいています'
        : `は、${telling.at(stop.expiresAt)}に使えなくなります`,
    ),
    details: [
      ...stopList(stop, 'それ以降、次のパッケージの更新やアクションができなくなります。'),
      stopFacts(stop, telling),
      ...remedy(stop),
    ],
  }),
  'key.expired': (stop, telling) => ({
    opening: opening(stop, 'は有効期限が切れ、使えなくなりました'),
    details: [
      ...stopList(stop, 'そのため、次のパッケージの更新やアクションができなくなりました。'),
      stopFacts(stop, telling),
      ...remedy(stop),
    ],
  }),
  'key.refused': (refused, telling) => ({
    opening: opening(
      refused,
      `は、シークレットキーが正しいにもかかわらず、1時間以内に${refused.count}回拒否されました`,
    ),
    details: [
      {
        kind: 'facts',
        facts: [
          ...keyFacts(refused, telling),
          { label: '理由', value: REASONS.get(refused.reason) ?? refused.reason },
          { label: '最後の拒否', value: useText(refused.lastRefusal, telling) },
        ],
      },
      paragraph(
        'プログラムの設定に誤りがあるか、漏えいしたキーを第三者が試しているおそれがあります。プログラムの設定をご確認ください。アクセス元にお心当たりがない場合は、キーを停止するか、再生成してください。',
      ),
      { kind: 'action', label: 'キーを確認する', url: refused.pageUrl },
      note('このメールは、キーごとに1日1通までお送りします。'),
    ],
  }),
};
