import type { Locale } from '../format/locale.ts';
import { reword, type SentenceRule } from './sentences.ts';

const japaneseList = (list: string): string => list.replaceAll(/, | and /g, '、');

function oneOf(json: string): readonly string[] {
  return (JSON.parse(json) as readonly unknown[]).map(String);
}

/** What the rules of the server say about a field. */
const RULES: readonly SentenceRule[] = [
  [/^is required$/, null, '必須です。'],
  [/^is missing or empty$/, null, '必須です。'],
  [
    /^is required: the service account has no address$/,
    null,
    '必須です。サービスアカウントにアドレスが登録されていません。',
  ],
  [
    /^is required: only access "full" may be without expiry$/,
    null,
    '必須です。有効期限なしにできるのは、権限が full のキーだけです。',
  ],
  [/^is required when resource is given$/, null, 'リソースを指定するときは必須です。'],
  [/^is blank; write a name$/, null, '空白です。名前を入力してください。'],
  [/^is blank; say what the key is for$/, null, '空白です。どこで使うキーかを書いてください。'],
  [/^is longer than (\d+) characters$/, null, '$1文字以内にしてください。'],
  [
    /^contains control or text-direction characters; remove them$/,
    null,
    '制御文字または文字の向きを変える文字が含まれています。取り除いてください。',
  ],
  [
    /^must be a name of 1 to (\d+) visible characters$/,
    null,
    '目に見える文字で、1〜$1文字の名前を入力してください。',
  ],
  [
    /^must be one plain (?:e-mail address|address like ada@example\.com, at most 254 characters)$/,
    null,
    'ada@example.com のようなメールアドレスを1つ入力してください（254文字以内）。',
  ],
  [
    /^must be an IANA name like Asia\/Tokyo(?:, or null)?$/,
    'Must be a time zone like Asia/Tokyo.',
    'Asia/Tokyo のようなタイムゾーンを指定してください。',
  ],
  [/^is a second text for (\S+) \S+$/, null, '同じ種類と言語の文面（$1）がすでにあります。'],
  [/^must be one line of visible text$/, null, '目に見える文字で、1行で入力してください。'],
  [/^must have at least one visible character$/, null, '目に見える文字を入力してください。'],
  [/^users have no managers$/, null, 'ユーザーに管理担当者は設定できません。'],
  [
    /^(.+) is not an active user of this workspace$/,
    null,
    '$1 は、このワークスペースの有効なユーザーではありません。',
  ],
  [/^is not an account of this workspace$/, null, 'このワークスペースのアカウントではありません。'],
  [/^is in the past$/, null, '過去の日時です。'],
  [/^is already imported$/, null, 'すでにインポートされています。'],
  [
    /^must be the account itself or a service account that it manages$/,
    null,
    'アカウント自身、またはアカウントが管理するサービスアカウントを指定してください。',
  ],
  [/^cannot be changed$/, null, '変更できません。'],
  [
    /^is (-?\d+); it must be from 1 to (\d+)\. .+$/,
    'Must be from 1 to $2; it is $1.',
    '1〜$2で指定してください（現在の値は$1）。',
  ],
  [/^has (\d+) entries; at most (\d+) are allowed$/, null, '$1件あります。$2件以内にしてください。'],
  [
    /^has (\d+) patterns; at most (\d+) are allowed$/,
    null,
    'パターンが$1件あります。$2件以内にしてください。',
  ],
  [/^has more than (\d+) actions$/, null, '操作は$1件以内にしてください。'],
  [
    /^must be an address or a range like 10\.0\.0\.0\/8 or 2001:db8::\/32$/,
    null,
    'IPアドレス、または 10.0.0.0/8 や 2001:db8::/32 のような範囲を指定してください。',
  ],
  [/^must be an IPv4 or IPv6 address$/, null, 'IPv4またはIPv6のアドレスを指定してください。'],
  [/^is empty; nothing widens by being empty$/, null, '空です。1つ以上指定してください。'],
  [/^is empty; name at least one version$/, null, '空です。バージョンを1つ以上指定してください。'],
  [/^has more than (\d+) words$/, null, '語は$1個以内にしてください。'],
  [/^has more than (\d+) versions$/, null, 'バージョンは$1個以内にしてください。'],
  [
    /^is missing; the reason "other" needs one$/,
    'Is required for the reason “other”.',
    '理由が「その他」のときは必須です。',
  ],
  [/^does not exist in this gallery$/, null, 'このギャラリーに存在しません。'],
  [
    /^is the deprecated version itself; name another$/,
    null,
    '非推奨にするバージョン自体は指定できません。別のものを指定してください。',
  ],
  [
    /^is the owner who hands the package over$/,
    null,
    'パッケージを渡す所有者自身です。別のアカウントを指定してください。',
  ],
  [/^must name the owner who hands the package over$/, null, 'パッケージを渡す所有者を指定してください。'],
  [/^is not a version$/, null, 'バージョンの形式ではありません。'],
  [/^is not a package id$/, null, 'パッケージIDの形式ではありません。'],
  [
    /^(\S+) is not an account of this workspace$/,
    null,
    '$1 は、このワークスペースのアカウントではありません。',
  ],
  [
    /^must be a package id, or the beginning of ids with one \* at its end, like AzureRM\.\*; .+$/,
    'Must be a package id, or the beginning of ids and a * at its end, like AzureRM.*; only A-Z, a-z, 0-9, _, . and - may stand in it.',
    'パッケージID、またはAzureRM.*のように末尾に * を付けたIDの先頭部分を入力してください。使える文字は A-Z、a-z、0-9、_、.、- です。',
  ],
  [/^is empty; name at least one action$/, null, '空です。操作を1つ以上指定してください。'],
  [
    /^is empty; name at least one pattern \(\* for everything\)$/,
    null,
    '空です。パターンを1つ以上指定してください（* はすべてに一致します）。',
  ],
  [
    /^".*" is empty; write \* for everything$/,
    'The pattern is empty; write * for everything.',
    'パターンが空です。すべてに一致させるには * と入力してください。',
  ],
  [/^"(.+)" is longer than (\d+) characters$/s, null, '「$1」は$2文字を超えています。'],
  [
    /^"(.+)" may contain only A-Z, a-z, 0-9, _, \., - and \*$/s,
    null,
    '「$1」に使えない文字があります。英数字、ピリオド、ハイフン、下線、* を使ってください。',
  ],
  [
    /^"(.+)" may contain only printable ASCII characters without blanks$/s,
    null,
    '「$1」に使えない文字があります。空白を含まない半角文字を使ってください。',
  ],
  [
    /^must look like service:verb, service:resource:verb or service:\*, in lower case, at most 64 characters$/,
    null,
    'service:verb、service:resource:verb、service:* の形の小文字で、64文字以内にしてください。',
  ],
  [
    /^must look like service:verb or service:resource:verb, in lower case, at most 64 characters$/,
    null,
    'service:verb または service:resource:verb の形の小文字で、64文字以内にしてください。',
  ],
  [
    /^(.+) exclude each other; package:push is both new packages and new versions$/,
    null,
    (actions = '') =>
      `${japaneseList(actions)}は同時に指定できません。package:push は新しいパッケージと新しいバージョンの両方を含みます。`,
  ],
  [
    /^must name the same actions in the same order as now$/,
    null,
    '操作は変更できません。今と同じ操作を同じ順に指定してください。',
  ],
  [/^must be a whole number from (\d+) to (\d+)$/, null, '$1〜$2の整数を指定してください。'],
  [
    /^must be one of (\d+(?:, \d+)*)$/,
    null,
    (days = '') => `${japaneseList(days)}のいずれかを指定してください。`,
  ],
  [
    /^must be one of lifetimeChoicesDays \((.+)\)$/,
    'Must be one of the offered lifetimes ($1).',
    (days = '') => `選べる有効期間（${japaneseList(days)}）のいずれかにしてください。`,
  ],
  [
    /^is more than maxLifetimeDays \((\d+)\)$/,
    'Is more than the longest lifetime ($1).',
    '最長の有効期間（$1日）を超えています。',
  ],
  [
    /^is not an instant like 2027-03-01T09:00:00Z$/,
    null,
    '2027-03-01T09:00:00Z のような日時を指定してください。',
  ],
  [
    /^is not one that this list returned(?: in this order)?$/,
    null,
    'この一覧の続きではありません。一覧を最初から読み込んでください。',
  ],
  [/^is given twice; send it once$/, null, '2回指定されています。1回だけ指定してください。'],
  [/^must be a text$/, null, '文字列を指定してください。'],
  [
    /^must be an address like (https:\S+)$/,
    'Must be an address like $1.',
    '$1 のようなアドレスを入力してください。',
  ],
  [/^must start with https:\/\/$/, 'Must start with https://.', 'https:// で始めてください。'],
  [
    /^must have no user, password or fragment$/,
    null,
    'アドレスにユーザー名、パスワード、# 以降の部分を含めないでください。',
  ],
  [/^has a port that webhooks may not go to$/, null, 'Webhookの送信先に使えないポート番号です。'],
  [
    /^leads to an address that webhooks may not go to$/,
    null,
    'Webhookの送信先に使えないネットワークのアドレスです。',
  ],
  [/^must be "apikey"$/, null, '「apikey」を指定してください。'],
  [/^is not in the setting tokenResources$/, null, 'ワークスペースの設定にないリソースです。'],
  [
    /^must be 1 to (\d+) printable ASCII characters without blanks$/,
    null,
    '空白を含まない半角文字で、1〜$1文字にしてください。',
  ],
  [
    /^and apiKey with secretKey exclude each other$/,
    'Send either key, or apiKey with secretKey.',
    'key か、apiKey と secretKey の組の、どちらか一方だけを指定してください。',
  ],
];

/** What the validator of the server says, which speaks of schemas. */
const VALIDATOR_RULES: readonly SentenceRule[] = [
  [/^is not a known field; remove it$/, null, '不明な項目です。取り除いてください。'],
  [/^is not valid$/, null, '正しくありません。'],
  [
    /^must be one of (\[.+\])$/,
    (json = '[]') => `Must be one of ${oneOf(json).join(', ')}.`,
    (json = '[]') => `${oneOf(json).join('、')} のいずれかを指定してください。`,
  ],
  [/^must NOT have fewer than 1 characters$/, 'Must not be empty.', '入力してください。'],
  [
    /^must NOT have fewer than (\d+) characters$/,
    'Must have at least $1 characters.',
    '$1文字以上にしてください。',
  ],
  [
    /^must NOT have more than (\d+) characters$/,
    'Must have at most $1 characters.',
    '$1文字以内にしてください。',
  ],
  [/^must NOT have fewer than 1 items$/, 'Must not be empty.', '1件以上指定してください。'],
  [/^must NOT have fewer than (\d+) items$/, 'Must have at least $1 entries.', '$1件以上指定してください。'],
  [/^must NOT have more than (\d+) items$/, 'Must have at most $1 entries.', '$1件以内にしてください。'],
  [/^must NOT have duplicate items \(.+\)$/, 'Must not name anything twice.', '同じものが重複しています。'],
  [/^must match format "email"$/, 'Must be an e-mail address.', 'メールアドレスの形で入力してください。'],
  [
    /^must match format "uri"$/,
    'Must be an address like https://keys.example.com.',
    'https://keys.example.com のようなアドレスを入力してください。',
  ],
  [
    /^must match format "date-time"$/,
    'Must be an instant like 2027-03-01T09:00:00Z.',
    '2027-03-01T09:00:00Z のような日時を指定してください。',
  ],
  [/^must match (?:pattern|format) ".+"$/s, 'Does not have the expected form.', '形が正しくありません。'],
  [/^must be >= (-?\d+)$/, 'Must be $1 or more.', '$1以上にしてください。'],
  [/^must be <= (-?\d+)$/, 'Must be $1 or less.', '$1以下にしてください。'],
  [/^must be string$/, 'Must be a text.', '文字列を指定してください。'],
  [/^must be integer$/, 'Must be a whole number.', '整数を指定してください。'],
  [/^must be number$/, 'Must be a number.', '数を指定してください。'],
  [/^must be boolean$/, 'Must be true or false.', 'true または false を指定してください。'],
  [/^must be array$/, 'Must be a list.', '一覧を指定してください。'],
  [/^must be object$/, 'Must be an object.', 'オブジェクトを指定してください。'],
  [/^must be null$/, 'Must be left empty.', '空のままにしてください。'],
];

const NULL_BRANCH = 'must be null';

/**
 * The sentence about one field, or null when it is not known. Of a choice that also takes nothing (`… or must be
 * null`) only the other branch helps the reader.
 */
export function wordFieldMessage(message: string, locale: Locale): string | null {
  const rules = [...RULES, ...VALIDATOR_RULES];
  const whole = reword(rules, message, locale);
  if (whole !== null) return whole;
  const branches = message.split(' or ').filter((branch) => branch !== NULL_BRANCH);
  const words = branches.map((branch) => reword(rules, branch, locale));
  if (words.some((word) => word === null)) return null;
  return [...new Set(words)].join(locale === 'ja' ? 'または、' : ' Or: ');
}
