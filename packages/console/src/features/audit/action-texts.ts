/**
 * Every event of the log in words, by its technical name. An account is told apart by its kind: `account.created`
 * of a user has the name `account.created:user`.
 */
export const ACTION_TEXTS = {
  'access.refused': { en: 'Access refused', ja: 'アクセスを拒否' },
  'account.changed': { en: 'Changed account', ja: 'アカウントを変更' },
  'account.changed:user': { en: 'Changed user', ja: 'ユーザーを変更' },
  'account.changed:service': { en: 'Changed service account', ja: 'サービスアカウントを変更' },
  'account.created': { en: 'Created account', ja: 'アカウントを作成' },
  'account.created:user': { en: 'Created user', ja: 'ユーザーを作成' },
  'account.created:service': { en: 'Created service account', ja: 'サービスアカウントを作成' },
  'account.deleted': { en: 'Deleted account', ja: 'アカウントを削除' },
  'account.deleted:user': { en: 'Deleted user', ja: 'ユーザーを削除' },
  'account.deleted:service': { en: 'Deleted service account', ja: 'サービスアカウントを削除' },
  'account.disabled': { en: 'Disabled account', ja: 'アカウントを停止' },
  'account.disabled:user': { en: 'Disabled user', ja: 'ユーザーを停止' },
  'account.disabled:service': { en: 'Disabled service account', ja: 'サービスアカウントを停止' },
  'account.enabled': { en: 'Enabled account', ja: 'アカウントを再開' },
  'account.enabled:user': { en: 'Enabled user', ja: 'ユーザーを再開' },
  'account.enabled:service': { en: 'Enabled service account', ja: 'サービスアカウントを再開' },
  'audit.exported': { en: 'Exported audit log', ja: '監査ログを書き出し' },
  'feed_link.created': { en: 'Created feed link', ja: 'フィードのリンクを作成' },
  'feed_link.deleted': { en: 'Deleted feed link', ja: 'フィードのリンクを削除' },
  'invitation.accepted': { en: 'Accepted invitation', ja: '招待を承諾' },
  'invitation.sent': { en: 'Sent invitation', ja: '招待を送信' },
  'key.changed': { en: 'Changed key', ja: 'キーを変更' },
  'key.changed:scopes': { en: 'Changed patterns', ja: 'パターンを変更' },
  'key.created': { en: 'Created key', ja: 'キーを作成' },
  'key.deleted': { en: 'Deleted key', ja: 'キーを削除' },
  'key.disabled': { en: 'Disabled key', ja: 'キーを停止' },
  'key.enabled': { en: 'Enabled key', ja: 'キーを再開' },
  'key.imported': { en: 'Imported key', ja: 'キーをインポート' },
  'key.link_opened': { en: 'Opened key link', ja: 'キーのリンクを開封' },
  'key.overlap_ended': { en: 'Ended overlap', ja: '切り替え期間を終了' },
  'key.regenerated': { en: 'Regenerated key', ja: 'キーを再生成' },
  'key.revoked': { en: 'Key revoked by its holder', ja: 'キーの所持者が失効' },
  'mail.failed': { en: 'Mail not delivered', ja: 'メールの送信に失敗' },
  'mail.opened': { en: 'Opened mail', ja: 'メールを開封' },
  'package.deprecated': { en: 'Deprecated version', ja: 'バージョンを非推奨に設定' },
  'package.owner_added': { en: 'Added package owner', ja: 'パッケージの所有者を追加' },
  'package.owner_declined': { en: 'Declined to own package', ja: 'パッケージの所有を辞退' },
  'package.owner_removed': { en: 'Removed package owner', ja: 'パッケージの所有者を解除' },
  'package.owner_requested': { en: 'Asked to own package', ja: 'パッケージの所有を依頼' },
  'package.owner_request_withdrawn': { en: 'Withdrew package request', ja: 'パッケージ所有の依頼を取り消し' },
  'package.pushed': { en: 'Pushed package', ja: 'パッケージをプッシュ' },
  'package.relisted': { en: 'Relisted version', ja: 'バージョンを一覧に戻した' },
  'package.transferred': { en: 'Transferred package', ja: 'パッケージを引き継ぎ' },
  'package.undeprecated': { en: 'Lifted deprecation', ja: '非推奨を解除' },
  'package.unlisted': { en: 'Unlisted version', ja: 'バージョンを一覧から外した' },
  'package_prefix.changed': { en: 'Changed reserved prefix', ja: '予約済みプレフィックスを変更' },
  'package_prefix.created': { en: 'Reserved prefix', ja: 'プレフィックスを予約' },
  'package_prefix.deleted': { en: 'Released prefix', ja: 'プレフィックスの予約を解除' },
  'password.changed': { en: 'Changed password', ja: 'パスワードを変更' },
  'password.reset': { en: 'Reset password by link', ja: 'リンクからパスワードを再設定' },
  'password.reset_requested': { en: 'Asked for a reset link', ja: '再設定リンクを依頼' },
  'session.created': { en: 'Signed in', ja: 'サインイン' },
  'session.ended': { en: 'Ended session', ja: 'セッションを終了' },
  'session.refused': { en: 'Sign-in refused', ja: 'サインインを拒否' },
  'settings.changed': { en: 'Changed settings', ja: '設定を変更' },
  'setup.completed': { en: 'Set up workspace', ja: '初期設定を完了' },
  'signing_key.created': { en: 'Created signing key', ja: '署名鍵を作成' },
  'signing_key.retired': { en: 'Retired signing key at once', ja: '署名鍵をただちに廃止' },
  'token.ended': { en: 'Ended token', ja: 'トークンを無効化' },
  'token.exchanged': { en: 'Exchanged token', ja: 'トークンを交換' },
  'webhook.changed': { en: 'Changed webhook', ja: 'Webhookを変更' },
  'webhook.created': { en: 'Created webhook', ja: 'Webhookを作成' },
  'webhook.deleted': { en: 'Deleted webhook', ja: 'Webhookを削除' },
  'webhook.disabled': { en: 'Webhook stopped by the server', ja: 'サーバーがWebhookを停止' },
  'webhook.replayed': { en: 'Sent webhook event again', ja: 'Webhookのイベントを再送' },
  'webhook.secret_rotated': { en: 'Rotated webhook secret', ja: 'Webhookのシークレットを更新' },
  'webhook.tested': { en: 'Tested webhook', ja: 'Webhookをテスト' },
  'workspace.created': { en: 'Created workspace', ja: 'ワークスペースを作成' },
} as const satisfies Record<string, { readonly en: string; readonly ja: string }>;

/** The areas of the log, by the part of the name before the dot. */
export const AREA_TEXTS = {
  access: { en: 'Access', ja: 'アクセス' },
  account: { en: 'Accounts', ja: 'アカウント' },
  audit: { en: 'Audit log', ja: '監査ログ' },
  feed_link: { en: 'Feed links', ja: 'フィードのリンク' },
  invitation: { en: 'Invitations', ja: '招待' },
  key: { en: 'Keys', ja: 'キー' },
  mail: { en: 'Mails', ja: 'メール' },
  package: { en: 'Packages', ja: 'パッケージ' },
  package_prefix: { en: 'Reserved prefixes', ja: '予約済みプレフィックス' },
  password: { en: 'Passwords', ja: 'パスワード' },
  session: { en: 'Sessions', ja: 'セッション' },
  settings: { en: 'Settings', ja: '設定' },
  setup: { en: 'First run', ja: '初期設定' },
  signing_key: { en: 'Signing keys', ja: '署名鍵' },
  token: { en: 'Tokens', ja: 'トークン' },
  webhook: { en: 'Webhooks', ja: 'Webhook' },
  workspace: { en: 'Workspaces', ja: 'ワークスペース' },
} as const satisfies Record<string, { readonly en: string; readonly ja: string }>;

type Texts = Readonly<Record<string, { readonly en: string; readonly ja: string } | undefined>>;

/** What happened, in words; a name that the page does not know is its own word. */
export function wordAction(action: string, language: 'en' | 'ja', kind = ''): string {
  const texts: Texts = ACTION_TEXTS;
  return (texts[`${action}:${kind}`] ?? texts[action])?.[language] ?? action;
}

export function areaOf(action: string): string {
  return action.split('.')[0] ?? action;
}

export function wordArea(area: string, language: 'en' | 'ja'): string {
  const texts: Texts = AREA_TEXTS;
  return texts[area]?.[language] ?? area;
}
