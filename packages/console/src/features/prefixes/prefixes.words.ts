import { defineWords } from '../../i18n/words.tsx';

export const prefixesWords = defineWords(
  'prefixes',
  {
    title: 'Reserved ids',
    text: 'New packages with these ids are pushed in the name of the accounts that they are reserved for alone; where several match, the longest decides. Packages that are there already stay as they are.',
    reserve: 'Reserve ids',
    pattern: 'Package ids',
    patternHint:
      'A whole id, or the beginning of ids and a *. AzureRM.* reserves AzureRM.Storage, not AzureRM itself.',
    accounts: 'Reserved for',
    accountsHint: 'Keys that act for one of them may push new packages. With nobody, no key may.',
    findAccount: 'Name, e-mail or technical name',
    noAccount: 'No account matches',
    nobody: 'Nobody',
    more: 'and {{count}} more',
    since: 'Since',
    emptyTitle: 'No ids are reserved',
    emptyText:
      'Whoever may push new packages chooses their ids freely. Reserve the ids that only your teams should use.',
    reserved: '{{pattern}} is reserved.',
    change: 'Change accounts',
    changeOf: 'Change the accounts of {{pattern}}',
    changeTitle: 'Who may use {{pattern}}?',
    changed: '{{pattern}} is reserved for others now.',
    release: 'Release',
    releaseOf: 'Release {{pattern}}',
    releaseTitle: 'Release {{pattern}}?',
    releaseText:
      'Everybody who may push new packages can use these ids again, unless another reservation contains them.',
    released: '{{pattern}} is not reserved any more.',
    actions: 'Actions',
    stale:
      'Somebody else has changed it meanwhile; saved now: {{names}}. Yours is not saved. Save again to replace it.',
  },
  {
    title: '予約済みID',
    text: 'これらのIDの新しいパッケージは、予約先のアカウントの名義でのみプッシュできます。複数に一致するときは、最も長いものが優先されます。既存のパッケージは変わりません。',
    reserve: 'IDを予約',
    pattern: 'パッケージID',
    patternHint:
      'ID全体、または末尾に * を付けたIDの先頭部分。AzureRM.* は AzureRM.Storage を予約し、AzureRM 自体は含みません。',
    accounts: '予約先',
    accountsHint:
      'いずれかとして動作するキーで、新しいパッケージをプッシュできます。空の場合は誰もプッシュできません。',
    findAccount: '名前・メールアドレス・技術名',
    noAccount: '一致するアカウントはありません',
    nobody: 'なし',
    more: '他{{count}}件',
    since: '予約日',
    emptyTitle: '予約済みのIDはありません',
    emptyText:
      '新しいパッケージをプッシュできる人は、IDを自由に選べます。特定のチームだけが使うIDを予約してください。',
    reserved: '{{pattern}} を予約しました。',
    change: 'アカウントを変更',
    changeOf: '{{pattern}} のアカウントを変更',
    changeTitle: '{{pattern}} を使えるアカウント',
    changed: '{{pattern}} の予約先を変更しました。',
    release: '予約を解除',
    releaseOf: '{{pattern}} の予約を解除',
    releaseTitle: '{{pattern}} の予約を解除しますか？',
    releaseText:
      '他の予約に含まれない限り、新しいパッケージをプッシュできる人は誰でもこのIDを使えるようになります。',
    released: '{{pattern}} の予約を解除しました。',
    actions: '操作',
    stale:
      '別の場所で変更されました。保存済みの予約先は {{names}} です。あなたの変更は保存されていません。置き換えるには、もう一度保存してください。',
  },
);
