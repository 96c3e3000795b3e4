import type { TranslationOf } from '../error-text.ts';
import type { KEY_TEXTS_EN } from './keys.en.ts';

/** Keys, and the answers to the question whether a key is good. */
export const KEY_TEXTS_JA: TranslationOf<typeof KEY_TEXTS_EN> = {
  'feed.too_many_links': {
    title: 'フィードのリンクが多すぎます。',
    remedy: '使わなくなったリンクを削除してください。最後に使われた日時は一覧で確認できます。',
  },
  'key.account_disabled': {
    title: 'アカウントは停止中です。',
    remedy: '先にアカウントを再開してください。',
  },
  'key.altered': {
    title: '保存されているキーがKeyreeveの外で書き換えられました。',
    remedy:
      '何者かがデータベースに直接書き込みました。このキーはすべて拒否されます。経緯を調べたうえで、キーを削除するかバックアップから復元してください。',
  },
  'key.field_immutable': {
    title: 'この項目は変更できません。',
    remedy:
      'アカウント・所有者・権限・操作・有効期間はキーの作成時に固定されます。代わりに新しいキーを作成してください。',
  },
  'key.import_faulty': {
    title: 'インポートする内容に誤りがあります。',
    remedy: '何もインポートされていません。示された行を直してから、もう一度インポートしてください。',
  },
  'key.lifetime_not_allowed': {
    title: 'この有効期間は選べません。',
    remedy: '用意されている有効期間から選んでください。',
  },
  'key.link_unusable': {
    title: 'このリンクは使えません。',
    remedy:
      'すでに開かれたか、期限切れか、存在しないリンクです。キーを再生成して新しいシークレットを取得してください。',
  },
  'key.mail_address_missing': {
    title: 'キーの送信先アドレスがありません。',
    remedy:
      'アドレスを入力するか、サービスアカウントに登録するか、メールを送らずに作成してください。キーは作成されていません。',
  },
  'key.mail_address_not_allowed': {
    title: 'このアドレスにはキーを送信できません。',
    remedy: 'ユーザーのキーは本人のアドレスにだけ送信されます。アドレスは空のままにしてください。',
  },
  'key.mail_limit': {
    title: '同じアドレスへのキーのメールが多すぎます。',
    remedy:
      'キーのメールは1つのアドレスに1時間あたり20通までです。しばらく待つか、メールなしで作成してください。キーは作成されていません。',
  },
  'key.mail_value_needs_smtp': {
    title: 'シークレットキーをメールに記載するには、SMTPサーバーが必要です。',
    remedy:
      'KEYREEVE_SMTP_URLを設定するか、ワンタイムリンクで送る設定にしてください。キーは作成されていません。',
  },
  'key.no_overlap': {
    title: '終了させる旧シークレットはありません。',
    remedy: '対応は不要です。使えるのは最新のシークレットだけです。',
  },
  'key.not_regenerable': {
    title: 'このキーは再生成できません。',
    remedy:
      '別のシステムで作られ、インポートされたシークレットです。代わりになるスコープ付きキーを作成してください。',
  },
  'key.overlap_not_allowed': {
    title: '旧シークレットを残すことはできません。',
    remedy: '残せるのは有効なキーだけです。旧シークレットをすぐに停止するか、先にキーを再開してください。',
  },
  'key.owner_not_allowed': {
    title: 'このキーは、この所有者として動作できません。',
    remedy:
      'キーを使えるのは、自分のアカウント、またはそのアカウントが管理するサービスアカウントとしてだけです。',
  },
  'key.scope_exceeds_account': {
    title: 'アカウントに許可されている範囲を超えるスコープです。',
    remedy: '範囲を狭めるか、先にアカウントに許可する範囲を広げるよう管理者に依頼してください。',
  },
  'key.limits_exceed_caller': {
    title: '回数制限のあるキーで、キーの作成や制限の緩和はできません。',
    remedy: 'コンソールにサインインして操作するか、制限のないキーを使ってください。',
  },
  'key.scope_exceeds_caller': {
    title: '自分が持っていない権限は渡せません。',
    remedy:
      'キーで、自分より権限の広いキーを作成・更新することはできません。コンソールにサインインして操作してください。',
  },
  'key.scope_required': {
    title: 'スコープ付きキーにはスコープが必要です。',
    remedy: '操作とパターンを1つ以上選ぶか、このアカウントの全権限を持つキーにしてください。',
  },
  'key.scopes_not_allowed': {
    title: 'このキーにはスコープを指定できません。',
    remedy: '操作とパターンの指定を外すか、スコープ付きキーにしてください。',
  },
  'key.too_many': {
    title: 'アカウントのキーが多すぎます。',
    remedy: '使わなくなったキーを削除するか、設定で上限を引き上げるよう依頼してください。',
  },
  'key.write_not_permitted': {
    title: 'この認証情報では、キーを表示できますが変更はできません。',
    remedy: 'コンソールにサインインして変更してください。',
  },
  valid: {
    title: 'このキーは有効です。',
    remedy: '対応は不要です。',
  },
  malformed: {
    title: 'キーではないか、正しくコピーされていません。',
    remedy: 'チェックサムが一致しません。キー全体をもう一度コピーしてください。',
  },
  not_found: {
    title: 'キーが見つからないか、シークレットが違います。',
    remedy: 'キーが削除されていないか、再生成前の古いシークレットではないかを確認してください。',
  },
  expired: {
    title: 'このキーは期限切れです。',
    remedy: 'キーを再生成してください。ID・コメント・スコープは変わりません。',
  },
  disabled: {
    title: 'このキーは停止中です。',
    remedy: '使う場合は、キーを再開してください。',
  },
  account_disabled: {
    title: 'このキーのアカウントは停止中です。',
    remedy: 'アカウントの再開を管理者に依頼してください。',
  },
  insufficient_scope: {
    title: 'このキーでは許可されていない操作です。',
    remedy: 'この操作と対象をスコープに含むキーを、同じ範囲が許可されているアカウントで使ってください。',
  },
  ip_not_allowed: {
    title: 'このアドレスからはキーを使えません。',
    remedy: 'キーのIP許可リストにあるアドレスから使うか、リストを変更してください。',
  },
  rate_limited: {
    title: '短時間にキーが使われすぎました。',
    remedy: 'しばらく待ってから、もう一度お試しください。',
  },
  quota_exceeded: {
    title: 'キーの使用回数が上限に達しました。',
    remedy: '回数が回復するまで待つか、キーまたはアカウントの上限の引き上げを依頼してください。',
  },
  'limit.rate_limited': {
    title: 'キーの使用頻度が高すぎます。',
    remedy: '少し待ってから間隔を空けて使うか、キーまたはアカウントの制限の緩和を依頼してください。',
  },
  'limit.quota_exceeded': {
    title: 'キーの使用回数が上限に達しました。',
    remedy: '回数が回復するまで待つか、キーまたはアカウントの上限の引き上げを依頼してください。',
  },
};
