import type { BodyOf } from '@keyreeve/sdk';
import type { Language } from '../../i18n/i18n.ts';

export type EventType = NonNullable<BodyOf<'createWebhook'>['eventTypes']>[number];

interface Text {
  readonly en: string;
  readonly ja: string;
}

const EVENT_TEXTS = {
  'key.created': { en: 'Key created', ja: 'キーの作成' },
  'key.imported': { en: 'Key imported', ja: 'キーのインポート' },
  'key.changed': { en: 'Key changed', ja: 'キーの変更' },
  'key.regenerated': { en: 'Key regenerated', ja: 'キーの再生成' },
  'key.overlap_ended': { en: 'Old secret ended', ja: '旧シークレットの終了' },
  'key.disabled': { en: 'Key disabled', ja: 'キーの停止' },
  'key.enabled': { en: 'Key enabled', ja: 'キーの再開' },
  'key.revoked': { en: 'Key revoked by its holder', ja: '所持者によるキーの失効' },
  'key.deleted': { en: 'Key deleted', ja: 'キーの削除' },
  'key.expiring': { en: 'Key about to expire', ja: 'キーの期限が近い' },
  'key.expired': { en: 'Key expired', ja: 'キーの期限切れ' },
} as const satisfies Record<EventType, Text>;

export const EVENT_TYPES = Object.keys(EVENT_TEXTS) as readonly EventType[];

const OTHERS: Readonly<Record<string, Text | undefined>> = {
  'webhook.test': { en: 'Test event', ja: 'テストイベント' },
};

/** What happened; a type that the page does not know is its own word. */
export function wordEvent(type: string, language: Language): string {
  const texts: Readonly<Record<string, Text | undefined>> = { ...EVENT_TEXTS, ...OTHERS };
  return texts[type]?.[language] ?? type;
}
