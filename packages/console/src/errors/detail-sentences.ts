import type { Locale } from '../format/locale.ts';
import { PACKAGE_RULES } from './package-sentences.ts';
import { PUSH_RULES } from './push-sentences.ts';
import { reword, type SentenceRule } from './sentences.ts';

const GUESSED_PARTS: readonly (readonly [en: string, ja: string])[] = [
  ['widely known passwords', 'よく知られたパスワード'],
  ['the name or address of the account or of this product', 'アカウントや製品の名前・アドレス'],
  ['runs like 1234, qwerty or a year', '1234やqwerty、年号のような並び'],
];

function guessedParts(list: string): string {
  return GUESSED_PARTS.reduce((text, [en, ja]) => text.replace(en, ja), list).replaceAll(', ', '、');
}

const NOT_VISIBLE = 'が見つからないか、表示する権限がありません。';

/** What the server adds to its standing advice: the number, the name, the reason of this very case. */
const RULES: readonly SentenceRule[] = [
  [/^from must be before to$/, 'The start must be before the end.', '開始は終了より前にしてください。'],
  [
    /^from and to may hold at most (\d+) buckets; ask for less at once, or by=day$/,
    'The time is too long; at most $1 hours or days can be shown at once.',
    '期間が長すぎます。一度に表示できるのは$1時間または$1日までです。',
  ],
  [
    /^A key cannot loosen the limits that hold it\. .+$/,
    null,
    'キー自身に適用されている制限は、そのキーでは緩められません。コンソールにサインインするか、別のアカウントのキーを使ってください。',
  ],
  [
    /^The password has (\d+) characters; at least (\d+) are needed\. .+$/,
    null,
    'パスワードは$1文字です。$2文字以上必要です。関係のない単語をいくつか並べると、よいパスワードになります。',
  ],
  [
    /^The password repeats the same few characters\. .+$/,
    null,
    'パスワードが同じ数文字の繰り返しです。関係のない単語をいくつか並べると、よいパスワードになります。',
  ],
  [
    /^The password is little more than (.+)\. Add something unrelated: .+$/,
    null,
    (parts = '') =>
      `パスワードのほとんどが、${guessedParts(parts)}です。関係のない単語をいくつか加えてください。`,
  ],
  [
    /^The password is longer than (\d+) bytes; use a shorter one\.$/,
    null,
    'パスワードが$1バイトを超えています。短くしてください。',
  ],
  [
    /^The password contains half of a character .+$/,
    null,
    'パスワードに不完全な文字が含まれています。入力し直してください。',
  ],
  [
    /^There were too many failed tries\. Try again in (\d+) seconds?\.$/,
    null,
    '失敗した試行が多すぎます。$1秒後にもう一度お試しください。',
  ],
  [
    /^The server is busy checking passwords\. .+$/,
    null,
    'サーバーがパスワードの確認で混み合っています。変更は行われていません。しばらくしてから、もう一度お試しください。',
  ],
  [
    /^There is no such session of yours\. .+$/,
    null,
    'このセッションは見つかりません。すでに終了した可能性があります。',
  ],
  [
    /^You may not change (.+) of this account\. Ask an administrator\.$/,
    null,
    'このアカウントの $1 は変更できません。管理者に依頼してください。',
  ],
  [/^Only an administrator can delete an account\.$/, null, 'アカウントを削除できるのは管理者だけです。'],
  [/^There is no such account, or you may not see it\.$/, null, `アカウント${NOT_VISIBLE}`],
  [/^There is no such account, or it is disabled\.$/, null, 'アカウントが見つからないか、停止中です。'],
  [
    /^You do not hold (\S+) on (\S+) yourself\.$/,
    null,
    'あなた自身に、$2 に対する $1 が許可されていません。',
  ],
  [
    /^This account holds rights that you lack, so .+$/,
    null,
    'あなたにない権限を持つアカウントのため、メールアドレス・ロール・管理担当者の変更と再開はできません。',
  ],
  [/^There is no such key, or you may not see it\.$/, null, `キー${NOT_VISIBLE}`],
  [/^There is no such key or account, or you may not see it\.$/, null, `キーまたはアカウント${NOT_VISIBLE}`],
  [
    /^The account has (\d+) live keys; the limit \(maxKeysPerAccount\) is (\d+)\. .+$/,
    'The account has $1 live keys; the limit is $2. Delete keys that are no longer used.',
    'アカウントには有効期限内のキーが$1件あり、上限は$2件です。使わなくなったキーを削除してください。',
  ],
  [
    /^Your key does not hold (\S+) on (\S+), so it cannot hand it on\.$/,
    null,
    'あなたのキーには $2 に対する $1 が許可されていないため、渡すことはできません。',
  ],
  [
    /^The account is not granted (\S+) on (\S+)\.$/,
    null,
    'このアカウントには、$2 に対する $1 が許可されていません。',
  ],
  [
    /^Your account is not granted (\S+) on (\S+)\. Ask an administrator\.$/,
    null,
    'あなたのアカウントには、$2 に対する $1 が許可されていません。管理者に依頼してください。',
  ],
  [
    /^(\S+) is empty\. Name at least one; write \* as a pattern for everything\.$/,
    null,
    '$1 が空です。1つ以上指定してください。すべてに一致させるには、パターンに * と入力してください。',
  ],
  [
    /^The actions of a key are fixed\. .+$/,
    null,
    'キーの操作は固定されています。今と同じ操作を同じ順に指定してください。変更できるのはリソースだけです。',
  ],
  [
    /^(\S+) is fixed when a key is made\. .+$/,
    null,
    '$1 はキーの作成時に固定されます。代わりに新しいキーを作成してください。',
  ],
  [
    /^lifetimeDays is (\d+); it must be one of (.+)\. Every key expires\.$/,
    'The lifetime is $1 days; it must be one of $2. Every key expires.',
    (days = '', choices = '') =>
      `有効期間が${days}日です。${choices.replaceAll(', ', '、')}日のいずれかにしてください。キーには必ず有効期限があります。`,
  ],
  [
    /^lifetimeDays is (\d+); it must be a whole number from (\d+) to (\d+)\. Every key expires\.$/,
    'The lifetime is $1 days; it must be a whole number from $2 to $3. Every key expires.',
    '有効期間が$1日です。$2〜$3日の整数にしてください。キーには必ず有効期限があります。',
  ],
  [
    /^mailTo must be one plain address like .+ No key was made\.$/,
    'The address must be a plain one like ops@example.com. No key was made.',
    '送信先は ops@example.com のようなメールアドレスにしてください。キーは作成されていません。',
  ],
  [
    /^(\d+) of (\d+) rows are faulty; nothing was imported\.$/,
    null,
    '$2行のうち$1行に誤りがあります。何もインポートされていません。',
  ],
  [/^There is no such package, or you may not see it\.$/, null, `パッケージ${NOT_VISIBLE}`],
  [/^A package has at most (\d+) owners\.$/, null, 'パッケージの所有者は$1件までです。'],
  [
    /^This account is not an owner of the package\.$/,
    null,
    'このアカウントはパッケージの所有者ではありません。',
  ],
  [
    /^There is no such request, or it has run out, or it is not yours\.$/,
    null,
    '依頼が見つからないか、期限切れか、権限がありません。',
  ],
  [
    /^A package has at most (\d+) open requests\. .+$/,
    null,
    '1つのパッケージで回答待ちにできる依頼は$1件までです。回答を待つか、依頼を取り消してください。',
  ],
  [/^You may hand over your own ownership only\.$/, null, '渡せるのは、自分の所有権だけです。'],
  [
    /^You act for several owners of the package; .+$/,
    null,
    '複数の所有者として操作できるため、渡す所有者を指定してください。',
  ],
  [
    /^Only an owner of the package, a manager of one, or an administrator changes its owners\.$/,
    null,
    '所有者を変更できるのは、パッケージの所有者、所有者の管理担当者、管理者だけです。',
  ],
  [
    /^The account is the sole owner of (\d+) package\(s\)\. .+$/,
    null,
    'このアカウントだけが所有しているパッケージが$1件あります。先に、それぞれに別の所有者を追加してください。',
  ],
  [/^There is nothing at this address\.$/, null, 'このアドレスには何もありません。'],
  [/^The request is not valid\.$/, null, 'リクエストが正しくありません。'],
  [/^The body may have at most (\d+) bytes\.$/, null, '一度に送信できるのは$1バイトまでです。'],
  [/^cursor is not one that this list returned.*\.$/, null, '一覧を最初から読み込んでください。'],
  [
    /^If-Match must be an ETag as this server sent it, .+$/,
    null,
    'If-Matchには、このサーバーが送ったETagを指定してください。',
  ],
  [
    /^The server answered (\d+) without saying why; .+$/,
    null,
    'サーバーは理由を示さずに$1を返しました。プロキシの応答か、Keyreeveサーバーではない可能性があります。',
  ],
  [
    /^The address redirects; credentials are not sent on\. .+$/,
    null,
    'アドレスが転送されています。認証情報は転送先に送られません。転送先のアドレスを使ってください。',
  ],
];

/** The sentence in the words of the console, or null when it is not known. */
export function wordDetail(detail: string, locale: Locale): string | null {
  return reword([...RULES, ...PUSH_RULES, ...PACKAGE_RULES], detail, locale);
}
