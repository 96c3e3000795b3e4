import type { TranslationOf } from '../error-text.ts';
import type { REQUEST_TEXTS_EN } from './requests.en.ts';

/** Packages, requests of any kind, and what happens on the way to the server. */
export const REQUEST_TEXTS_JA: TranslationOf<typeof REQUEST_TEXTS_EN> = {
  'audit.not_chained': {
    title: 'この書き出しのために監査ログを準備しています。',
    remedy: '前回のアップグレード以降、記録の連鎖を作成中です。数分後にもう一度お試しください。',
  },
  'blob.damaged': {
    title: 'パッケージファイルが破損しています。',
    remedy:
      'チェックサムと一致しないため、ファイルは渡されません。管理者に伝えてください。管理者がバックアップから復元できます。',
  },
  'blob.full': {
    title: 'パッケージを保存する空きがありません。',
    remedy: '何も保存されていません。管理者に保存先の空きを増やしてもらってから、もう一度お試しください。',
  },
  'blob.missing': {
    title: 'パッケージファイルが見つかりません。',
    remedy:
      '保存先からファイルが失われています。管理者に伝えてください。管理者がバックアップから復元できます。',
  },
  'blob.unavailable': {
    title: '現在、パッケージファイルを利用できません。',
    remedy:
      'しばらくしてから、もう一度お試しください。続く場合は管理者に伝えてください。管理者がログから原因を調べられます。',
  },
  'odata.filter_malformed': {
    title: 'フィルターを読み取れません。',
    remedy: '示された箇所を直してください。',
  },
  'odata.filter_too_complex': {
    title: 'フィルターが長すぎるか、入れ子が深すぎます。',
    remedy: '短いフィルターに分けてください。',
  },
  'odata.filter_unsupported': {
    title: 'フィードが対応していないフィルターです。',
    remedy: 'フィードが対応するものでフィルターしてください。一覧はドキュメントにあります。',
  },
  'odata.no_such_resource': {
    title: 'フィードにこのリソースはありません。',
    remedy: 'フィードのアドレスに示されるリソースを使ってください。',
  },
  'odata.option_invalid': {
    title: 'クエリのオプションが正しくありません。',
    remedy: '示されたオプションを直してください。',
  },
  'odata.unknown_property': {
    title: 'フィードにこのプロパティはありません。',
    remedy: 'フィードに示されるプロパティ名を使ってください。',
  },
  'package.exists': {
    title: 'このパッケージバージョンはすでに存在し、変更できません。',
    remedy: '新しいバージョンでプッシュしてください。一度公開した内容は変わりません。',
  },
  'package.id_reserved': {
    title: 'このパッケージIDは予約されています。',
    remedy: '予約されたプレフィックスの所有者か管理者に利用を依頼するか、別のIDを使ってください。',
  },
  'package.key_refused': {
    title: 'APIキーが受け付けられませんでした。',
    remedy: 'キーが正しくないか、期限切れか、このパッケージに対する権限がありません。',
  },
  'package.key_required': {
    title: 'APIキーが必要です。',
    remedy: 'X-NuGet-ApiKeyヘッダーで連結キーを送信してください。',
  },
  'package.last_owner': {
    title: 'パッケージの最後の所有者です。',
    remedy: '先に別の所有者を追加してください。パッケージには必ず所有者が必要です。',
  },
  'package.not_found': {
    title: 'このパッケージバージョンは存在しません。',
    remedy: 'IDとバージョンを確認してください。',
  },
  'package.not_owner': {
    title: 'このAPIキーのアカウントは、パッケージの所有者ではありません。',
    remedy:
      '所有者として動作するキーを使うか、アカウントをパッケージに追加するよう所有者に依頼してください。',
  },
  'package.not_permitted': {
    title: 'このAPIキーでは許可されていない操作です。',
    remedy:
      '操作とパターンがこのパッケージを含むキーを、同じ範囲が許可されているアカウントで使ってください。',
  },
  'package.owner_unusable': {
    title: 'このAPIキーは、もう所有者として動作できません。',
    remedy:
      '所有者が削除または停止されたか、キーのアカウントが所有者を管理しなくなりました。別の所有者のキーを作成してください。',
  },
  'package.prefix_taken': {
    title: 'このプレフィックスはすでに予約されています。',
    remedy: '既存の予約のアカウントを変更してください。1つのプレフィックスに複数のアカウントを設定できます。',
  },
  'package.quota_reached': {
    title: 'ギャラリーの上限に達しました。',
    remedy: 'プッシュを減らすか、別の所有者を使うか、設定の上限を引き上げるよう管理者に依頼してください。',
  },
  'package.range_not_satisfiable': {
    title: '指定された範囲がファイルの外にあります。',
    remedy: 'ファイルのサイズ内の範囲、またはファイル全体を指定してください。',
  },
  'package.request_void': {
    title: 'この依頼はもう使えません。',
    remedy:
      '依頼した人が所有権を渡せなくなったか、パッケージの所有者が変わっています。所有者に改めて依頼してもらってください。',
  },
  'package.too_large': {
    title: 'パッケージファイルがサイズの上限を超えています。',
    remedy: 'パッケージを小さくしてから、もう一度プッシュしてください。',
  },
  'package.too_many_owners': {
    title: 'パッケージの所有者が多すぎます。',
    remedy:
      '代わりにサービスアカウントを共有の所有者にしてください。管理担当者それぞれが、その所有者のキーを持てます。',
  },
  'package.too_many_requests': {
    title: 'このパッケージには、回答待ちの依頼が多すぎます。',
    remedy: '回答を待つか、いくつかの依頼を取り消してください。',
  },
  'package.unreadable': {
    title: 'パッケージを読み取れません。',
    remedy: '正しいマニフェストを含む、正しいNuGetパッケージかどうかを確認してください。',
  },
  'request.body_too_large': {
    title: '一度に送信した量が多すぎます。',
    remedy: '量を減らして送信してください。',
  },
  'request.headers_too_large': {
    title: 'ブラウザーが送信したヘッダーが大きすぎます。',
    remedy: 'このアドレスのCookieを削除してから、もう一度お試しください。',
  },
  'request.internal': {
    title: 'サーバー内部でエラーが発生しました。',
    remedy: 'リクエストIDを管理者に伝えてください。管理者がログから原因を調べられます。',
  },
  'request.invalid': {
    title: '送信した内容に正しくない項目があります。',
    remedy: '示された項目を直してから、もう一度お試しください。',
  },
  'request.malformed': {
    title: 'サーバーがリクエストを読み取れません。',
    remedy: 'ページを再読み込みしてから、もう一度お試しください。',
  },
  'request.method_not_allowed': {
    title: 'このアドレスでは行えない操作です。',
    remedy: 'ページを再読み込みしてから、もう一度お試しください。',
  },
  'request.not_found': {
    title: '存在しないか、表示する権限がありません。',
    remedy: 'アドレスを確認してください。すでに削除された可能性もあります。',
  },
  'request.precondition_failed': {
    title: '別の人が先に変更しました。',
    remedy: '変更内容を確認してから、もう一度変更してください。',
  },
  'request.precondition_required': {
    title: '表示していたバージョンが送信されませんでした。',
    remedy: 'ページを再読み込みしてから、もう一度変更してください。',
  },
  'request.outcome_unknown': {
    title: '変更が保存されたかどうか確認できませんでした。',
    remedy: 'もう一度試す前に、変更されているかどうかを確認してください。',
  },
  'request.timeout': {
    title: 'リクエストの受信に時間がかかりすぎました。',
    remedy: 'より速い接続で、もう一度お試しください。',
  },
  'request.too_many': {
    title: 'リクエストが多すぎます。',
    remedy: 'しばらく待ってから、もう一度お試しください。',
  },
  'request.unavailable': {
    title: 'サーバーが一時的に混み合っています。',
    remedy: '変更は行われていません。しばらくしてから、もう一度お試しください。',
  },
  'request.unknown_host': {
    title: 'サーバーが知らないホスト名です。',
    remedy:
      'ワークスペースのホスト名を使うか、このホスト名を別名として追加するよう管理者に依頼してください。',
  },
  'request.unsupported_media_type': {
    title: 'サーバーが受け付けない形式の内容です。',
    remedy: 'ページを再読み込みしてから、もう一度お試しください。',
  },
  'client.malformed_answer': {
    title: 'Keyreeveサーバーからの応答ではありません。',
    remedy: 'アドレスと、途中にプロキシがないかを確認してください。',
  },
  'client.timeout': {
    title: 'サーバーが時間内に応答しませんでした。',
    remedy:
      '接続を確認してから、もう一度お試しください。変更の操作だった場合は、反映されているかを確認してください。',
  },
  'client.unexpected': {
    title: 'コンソールでエラーが発生しました。',
    remedy: 'ページを再読み込みしてください。繰り返す場合は管理者に伝えてください。',
  },
  'client.unexpected_answer': {
    title: 'サーバーの代わりに、途中の機器が応答しました。',
    remedy: 'しばらくしてから、もう一度お試しください。繰り返す場合は管理者に伝えてください。',
  },
  'client.unreachable': {
    title: 'サーバーに接続できません。',
    remedy: '接続を確認してから、もう一度お試しください。',
  },
};
