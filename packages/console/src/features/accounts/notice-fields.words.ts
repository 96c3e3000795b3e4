import { defineWords } from '../../i18n/words.tsx';

/** Which mails an account gets, and whose clock they tell. */
export const noticeFieldsWords = defineWords(
  'noticeFields',
  {
    title: 'Mails',
    zoneHint: 'Mails tell times in this zone, and in UTC.',
    wanted: 'Mails about keys that stop',
    expiring: 'before a key expires',
    expired: 'when a key has expired',
    security: 'Mails about security are always sent: without them nobody would hear of a stolen key.',
    noAddress:
      'It has no contact address: these mails go to the administrators, each in the own zone and by the own choice.',
  },
  {
    title: 'メール',
    zoneHint: 'メールの時刻は、このタイムゾーンとUTCで表示されます。',
    wanted: '止まるキーについてのメール',
    expiring: 'キーの期限が近いとき',
    expired: 'キーの期限が切れたとき',
    security: '安全に関するメールは必ず送られます。止めると、キーが盗まれても気付けないためです。',
    noAddress:
      '連絡先アドレスがないため、管理者に送られます。タイムゾーンと受け取りの設定は各管理者のものに従います。',
  },
);
