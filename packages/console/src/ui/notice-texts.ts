import type { Settings } from '@keyreeve/sdk';
import type { Language } from '../i18n/i18n.ts';

export type NoticeKind = Settings['mailTexts'][number]['kind'];

interface Text {
  readonly en: string;
  readonly ja: string;
}

/** What mails are about, in the order in which people meet them. */
const NOTICE_TEXTS = {
  'account.invitation': { en: 'Invitation', ja: '招待' },
  'account.password_reset': { en: 'Password reset', ja: 'パスワードの再設定' },
  'session.new_place': { en: 'Sign-in from a new place', ja: '新しい場所からのサインイン' },
  'key.delivery': { en: 'Key by mail', ja: 'キーのメール送信' },
  'key.created': { en: 'Key created', ja: 'キーの作成' },
  'key.regenerated': { en: 'Key regenerated', ja: 'キーの再生成' },
  'key.changed': { en: 'Key changed', ja: 'キーの変更' },
  'key.disabled': { en: 'Key disabled', ja: 'キーの停止' },
  'key.enabled': { en: 'Key enabled', ja: 'キーの再開' },
  'key.deleted': { en: 'Key deleted', ja: 'キーの削除' },
  'key.expiring': { en: 'Key about to expire', ja: 'キーの期限が近い' },
  'key.expired': { en: 'Key expired', ja: 'キーの期限切れ' },
  'key.refused': { en: 'Key refused many times', ja: 'キーの拒否が多発' },
  'package.owner_requested': { en: 'Asked to own a package', ja: 'パッケージ所有の依頼' },
  'package.owners_changed': { en: 'Owners of a package changed', ja: 'パッケージ所有者の変更' },
  'webhook.disabled': { en: 'Webhook disabled by the server', ja: 'サーバーによるWebhookの停止' },
} as const satisfies Record<NoticeKind, Text>;

export const NOTICE_KINDS = Object.keys(NOTICE_TEXTS) as readonly NoticeKind[];

/** What a mail is about; a kind that the page does not know is its own word. */
export function wordNotice(kind: string, language: Language): string {
  const texts: Readonly<Record<string, Text | undefined>> = NOTICE_TEXTS;
  return texts[kind]?.[language] ?? kind;
}
