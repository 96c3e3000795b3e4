import { defineWords } from '../i18n/words.tsx';

export const keyStateWords = defineWords(
  'keyState',
  {
    valid: 'Valid',
    daysLeft_one: '{{count}} day left',
    daysLeft_other: '{{count}} days left',
    overlap: 'Overlap',
    hoursLeft: '{{count}} h left',
    disabled: 'Disabled',
    expired: 'Expired',
    refusedSince: '{{count}} refused since',
    fullAccess: 'Full access',
    active: 'Active',
  },
  {
    valid: '有効',
    daysLeft_other: '残り{{count}}日',
    overlap: '切り替え中',
    hoursLeft: '残り{{count}}時間',
    disabled: '停止中',
    expired: '期限切れ',
    refusedSince: '以後{{count}}回拒否',
    fullAccess: 'フルアクセス',
    active: '有効',
  },
);
