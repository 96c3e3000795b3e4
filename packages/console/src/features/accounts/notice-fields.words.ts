import { defineWords } from '../../i18n/words.tsx';

/** Which mails an account gets, and whose clock they tell. */
export const noticeFieldsWords = defineWords(
  'noticeFields',
  {
    title: 'Mails',
    zoneHint: 'Times in mails are given in this zone and in UTC.',
    wanted: 'Mails about keys that stop',
    expiring: 'before a key expires',
    expired: 'when a key has expired',
    ownChoice: 'Each user chooses this in the profile.',
    security: 'Mails about security are always sent: without them nobody would hear of a stolen key.',
    noAddress:
      'It has no contact address: these mails go to the administrators, each by their own time zone and choice.',
  },
  {
    title: 'メール',
    zoneHint: 'メールの時刻は、このタイムゾーンとUTCで表示されます。',
    wanted: '止まるキーについてのメール',
    expiring: 'キーの期限が近いとき',
    expired: 'キーの期限が切れたとき',
    ownChoice: 'ユーザー本人がプロフィールで選びます。',
    security: '安全に関するメールは必ず送られます。止めると、キーが盗まれても気付けないためです。',
    noAddress:
      '連絡先アドレスがないため、管理者に送られます。タイムゾーンと受け取りの設定は各管理者のものに従います。',
  },
);
