import type { TranslationOf } from '../error-text.ts';
import type { ACCESS_TEXTS_EN } from './access.en.ts';

/** People, sign-in and the workspace. */
export const ACCESS_TEXTS_JA: TranslationOf<typeof ACCESS_TEXTS_EN> = {
  'account.grant_exceeds_own': {
    title: '自分が持っていない権限は付与できません。',
    remedy: '自分に許可されている操作とリソースだけを付与するか、管理者に依頼してください。',
  },
  'account.last_admin': {
    title: 'この管理者は、有効な最後の1名です。',
    remedy: '先に別の有効なユーザーを管理者にしてください。',
  },
  'account.login_taken': {
    title: 'この名前はすでに使われています。',
    remedy:
      'このメールアドレスまたは技術名は、ワークスペース内の別のアカウントが使っています。別のものを指定してください。',
  },
  'account.not_for_kind': {
    title: 'この種類のアカウントにはない項目です。',
    remedy: '項目を空のままにしてください。',
  },
  'account.owns_packages': {
    title: 'このアカウントだけが所有しているパッケージがあります。',
    remedy: '先に、それぞれのパッケージに別の所有者を追加してください。',
  },
  'account.password_weak': {
    title: 'パスワードが推測されやすいものです。',
    remedy:
      '12文字以上で、よく知られていないパスワードにしてください。大切なのは長さで、文字の種類は問いません。',
  },
  'account.unknown_manager': {
    title: 'このワークスペースの有効なユーザーではない管理担当者が含まれています。',
    remedy: '有効なユーザーを管理担当者に選んでください。',
  },
  'auth.account_disabled': {
    title: 'このキーのアカウントは停止中です。',
    remedy: 'アカウントの再開を管理者に依頼してください。',
  },
  'auth.ambiguous_credentials': {
    title: '異なる認証情報が2つ送信されました。',
    remedy: '認証情報は1つのヘッダーで1つだけ送信してください。',
  },
  'auth.cross_site': {
    title: '別のサイトからのリクエストを拒否しました。',
    remedy: 'コンソールを本来のアドレスで開き、そこで操作してください。',
  },
  'auth.forbidden': {
    title: 'この操作は許可されていません。',
    remedy: 'ワークスペースの管理者に依頼してください。',
  },
  'auth.insufficient_scope': {
    title: 'この認証情報では許可されていない操作です。',
    remedy: 'この操作をスコープに含むキーを、同じ操作が許可されているアカウントで使ってください。',
  },
  'auth.invalid_credential': {
    title: '認証情報が正しくありません。',
    remedy: 'キー全体をコピーしたか、キーが削除・停止・再生成・期限切れになっていないかを確認してください。',
  },
  'auth.ip_not_allowed': {
    title: 'このアドレスからはキーを使えません。',
    remedy: 'キーのIP許可リストにあるアドレスから使うか、リストを変更してください。',
  },
  'auth.key_disabled': {
    title: 'このキーは停止中です。',
    remedy: '停止した人または管理者に、再開を依頼してください。',
  },
  'auth.key_expired': {
    title: 'このキーは期限切れです。',
    remedy: 'キーを再生成してください。ID・コメント・スコープは変わりません。',
  },
  'auth.kind_not_accepted': {
    title: 'この種類の認証情報はここでは使えません。',
    remedy: 'メールアドレスとパスワードでコンソールにサインインし、そこで操作してください。',
  },
  'auth.other_account': {
    title: '別のアカウントがサインインしています。',
    remedy:
      '変更は行われていません。ページを再読み込みするか、元のアカウントでもう一度サインインしてください。',
  },
  'auth.required': {
    title: 'サインインしていません。',
    remedy: 'コンソールにサインインしてから、もう一度お試しください。',
  },
  'auth.session_ended': {
    title: 'セッションが終了しました。',
    remedy: '再度サインインしてください。',
  },
  'mailbox.not_kept': {
    title: 'このメールはもう保存されていません。',
    remedy: 'メールの本文は、送信済みになるか送信を取りやめた時点で消去されます。',
  },
  'oauth.invalid_authorization_details': {
    title: '要求された権限の詳細が、キーの権限を超えています。',
    remedy: 'キーに許可されている操作とリソースだけを指定してください。',
  },
  'oauth.invalid_client': {
    title: 'プログラムのキーを確認できませんでした。',
    remedy: 'APIキーをクライアントID、シークレットキーをクライアントシークレットとして送信してください。',
  },
  'oauth.invalid_request': {
    title: 'トークンのリクエストを読み取れません。',
    remedy: '示されたパラメーターを修正し、各パラメーターは1回だけ送信してください。',
  },
  'oauth.invalid_scope': {
    title: '要求された操作は、このキーに許可されていません。',
    remedy: 'キーに許可されている操作だけを、半角スペース1つで区切って指定してください。',
  },
  'oauth.invalid_target': {
    title: 'このリソース用のトークンは発行できません。',
    remedy: 'ワークスペースの設定にあるリソースを指定するか、リソースの指定を外してください。',
  },
  'oauth.invalid_token': {
    title: '問い合わせ元の認証情報が正しくありません。',
    remedy: '使用できるキーまたはトークンで問い合わせてください。',
  },
  'oauth.unsupported_grant_type': {
    title: 'この方法ではトークンを発行できません。',
    remedy: 'キーのクライアント認証情報を使うか、トークンを交換してください。',
  },
  'oauth.unsupported_token_type': {
    title: 'キーをトークンのように終了させることはできません。',
    remedy: 'コンソールでキーを停止するか、削除してください。',
  },
  'session.account_disabled': {
    title: 'アカウントは停止中です。',
    remedy: 'パスワードは正しく入力されています。アカウントの再開を管理者に依頼してください。',
  },
  'session.link_unusable': {
    title: 'このリンクは使えません。',
    remedy:
      '使用済みか期限切れ、またはリンクの一部しかコピーされていません。パスワード設定のリンクはサインイン画面から、招待は管理者から、もう一度受け取ってください。',
  },
  'session.throttled': {
    title: '失敗した試行が多すぎます。',
    remedy:
      'しばらく待ってから、もう一度お試しください。待ち時間は失敗のたびに長くなり、成功すると元に戻ります。',
  },
  'session.wrong_credentials': {
    title: 'メールアドレスまたはパスワードが違います。',
    remedy: '両方を確認してもう一度お試しいただくか、パスワード再設定のリンクを受け取ってください。',
  },
  'session.wrong_current_password': {
    title: '現在のパスワードが違います。',
    remedy:
      '今サインインに使っているパスワードを入力してください。忘れた場合はサインアウトし、再設定のリンクを受け取ってください。',
  },
  'settings.contradiction': {
    title: '設定が互いに矛盾しています。',
    remedy: '示された設定をまとめて変更してください。',
  },
  'settings.smtp_required': {
    title: 'シークレットキーをメールに記載するには、SMTPサーバーが必要です。',
    remedy:
      '先にKEYREEVE_SMTP_URLを設定するか、ワンタイムリンクのままにしてください。SMTPがないとメールはサーバー内のメールボックスに残り、管理者がシークレットを読めてしまいます。',
  },
  'setup.already_done': {
    title: 'このワークスペースは初期設定が完了しています。',
    remedy: 'サインインするか、ワークスペースの管理者に招待を依頼してください。',
  },
  'setup.wrong_code': {
    title: 'セットアップコードが違います。',
    remedy:
      'サーバーの初回起動時に表示されたコード、またはワークスペースの作成時に発行されたコードをコピーしてください。',
  },
  'signing_key.already_retired': {
    title: 'この署名鍵はすでに廃止されています。',
    remedy: '対応は不要です。この鍵は署名に使われず、この鍵のトークンは受け付けられません。',
  },
  'signing_key.successor_waiting': {
    title: '次の署名鍵がすでに待機しています。',
    remedy: '署名が始まるまでお待ちください。今の鍵をただちに止めるには、その鍵を廃止してください。',
  },
  'token.chain_too_long': {
    title: 'トークンの交換回数が上限を超えました。',
    remedy: '交換元のトークンのいずれかを交換してください。',
  },
  'token.resource_not_allowed': {
    title: 'このリソース用のトークンは許可されていません。',
    remedy: 'ワークスペースの設定にあるリソースを指定するか、リソースの指定を外してください。',
  },
  'token.too_long': {
    title: 'トークンが長くなりすぎます。',
    remedy: '指定する操作やリソースを減らしてください。',
  },
  'webhook.delivery_pending': {
    title: 'この配信はまだ完了していません。',
    remedy: '自動的に送信されます。完了するまでお待ちください。',
  },
  'webhook.disabled': {
    title: 'このWebhookは停止中です。',
    remedy: '先にWebhookを再開してください。何も送信されていません。',
  },
  'webhook.too_many': {
    title: 'ワークスペースのWebhookが多すぎます。',
    remedy: '使わなくなったWebhookを削除してください。ワークスペースごとに20件までです。',
  },
  'workspace.no_base_domain': {
    title: 'ベースドメインがありません。',
    remedy: 'KEYREEVE_BASE_DOMAINを設定するか、ワークスペースに別名のホストを1つ以上指定してください。',
  },
  'workspace.subdomain_taken': {
    title: 'このホスト名はすでに使われています。',
    remedy: '別のサブドメインまたは別名を選んでください。ホスト名はサーバー全体で一意です。',
  },
};
