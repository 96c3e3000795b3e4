import type { SentenceRule } from './sentences.ts';

const DOINGS: readonly (readonly [en: string, ja: string])[] = [
  ['push new versions of packages', '既存パッケージの新しいバージョンのプッシュ'],
  ['push new packages', '新しいパッケージのプッシュ'],
  ['unlist or relist packages', '一覧からの除外と復帰'],
];

function doing(verb: string): string {
  return DOINGS.find(([en]) => en === verb)?.[1] ?? verb;
}

const list = (patterns: string): string =>
  patterns.replace(/ and (\d+) more$/, '、他$1件').replaceAll(', ', '、');

/** What the key may do instead: `; it may push new packages that match A.*, B*, and unlist packages that match *`. */
function elseOf(text: string): string {
  const found = [
    ...text.matchAll(
      /(push new versions of packages|push new packages|unlist or relist packages) that match /g,
    ),
  ];
  const parts = found.map((match, index) => {
    const patterns = text.slice(match.index + match[0].length, found[index + 1]?.index);
    return `${list(patterns.replace(/, (?:and )?$/, ''))} に一致する${doing(match[1] ?? '')}`;
  });
  return parts.length === 0 ? '' : `できること：${parts.join('、')}。`;
}

const ASK = '管理者に依頼してください。';

/** What is told to whoever pushes, or tries to. Programs hear it in English. */
export const PUSH_RULES: readonly SentenceRule[] = [
  [
    /^This API key may (push new packages|push new versions of packages|unlist or relist packages) that match (.+); (\S+) does not match$/,
    null,
    (verb = '', patterns = '', id = '') =>
      `このAPIキーで${doing(verb)}ができるのは、${list(patterns)} に一致するものだけです。${id} は一致しません。`,
  ],
  [
    /^This API key may not push packages, neither new ones nor new versions(?:; it may (.+))?\.$/,
    null,
    (rest = '') => `このAPIキーでは、新しいパッケージも新しいバージョンもプッシュできません。${elseOf(rest)}`,
  ],
  [
    /^This API key may not (push new packages|push new versions of packages|unlist or relist packages)(?:; it may (.+))?\.$/,
    null,
    (verb = '', rest = '') => `このAPIキーでは、${doing(verb)}はできません。${elseOf(rest)}`,
  ],
  [
    /^The account of this API key is granted (\S+) on (.+); (\S+) does not match\. Ask an administrator to grant it$/,
    null,
    (action = '', patterns = '', id = '') =>
      `このAPIキーのアカウントに ${action} が許可されているのは ${list(patterns)} だけです。${id} は一致しません。${ASK}`,
  ],
  [
    /^The account of this API key is not granted (\S+?)(?: on (\S+))?\. Ask an administrator to grant it$/,
    null,
    (action = '', id = '') =>
      `このAPIキーのアカウントには、${id === '' ? '' : `${id} に対する `}${action} が許可されていません。${ASK}`,
  ],
  [
    /^This API key acts for (.+), which is not an owner of (\S+)\. Use a key .+$/,
    null,
    (who = '', id = '') => {
      const names: Readonly<Record<string, string>> = {
        'its own account': '自身のアカウント',
        'another account': '別のアカウント',
      };
      return `このAPIキーは${names[who] ?? ` ${who} `}として動作しますが、${id} の所有者ではありません。所有者として動作するキーを使うか、所有者に追加を依頼してください。`;
    },
  ],
  [
    /^This package ID has been reserved \((.+)\)\. Ask an administrator for it, .+$/,
    null,
    'このパッケージIDは予約されています（$1）。管理者に依頼するか、別のIDを使ってください。',
  ],
  [
    /^This package ID has been reserved \((.+)\)\. Ask the owner .+$/,
    null,
    'このパッケージIDは予約されています（$1）。予約したアカウントか管理者に依頼するか、別のIDを使ってください。',
  ],
  [
    /^A package with ID '(.+)' and version '(.+)' already exists and cannot be modified\.$/,
    null,
    '$1 $2 はすでに存在し、変更できません。新しいバージョンでプッシュしてください。',
  ],
  [
    /^The package has ([\d,]+) of ([\d,]+) versions \(maxVersionsPerPackage\)\. .+$/,
    'The package has $1 of $2 versions. Go on under a new id, or have an administrator raise the limit.',
    'パッケージのバージョンが上限の$2件に対して$1件あります。新しいIDを使うか、管理者に上限の引き上げを依頼してください。',
  ],
  [
    /^The owner has ([\d,]+) of ([\d,]+) packages \(maxPackagesPerAccount\)\. .+$/,
    'The owner has $1 of $2 packages. Push new versions of its packages, use another owner, or have an administrator raise the limit.',
    '所有者のパッケージが上限の$2件に対して$1件あります。既存パッケージの新しいバージョンをプッシュするか、別の所有者を使うか、管理者に上限の引き上げを依頼してください。',
  ],
  [
    /^The packages of the owner have ([\d,]+) of ([\d,]+) bytes, and this needs ([\d,]+) \(maxGalleryBytesPerAccount\)\. .+$/,
    'The packages of the owner have $1 of $2 bytes, and this needs $3. Push smaller packages, use another owner, or have an administrator raise the limit.',
    '所有者のパッケージは上限$2バイトのうち$1バイトを使っていて、これには$3バイト必要です。小さいパッケージにするか、別の所有者を使うか、管理者に上限の引き上げを依頼してください。',
  ],
  [
    /^This API key has expired(?: \(since (\S+)\))?\. .+$/,
    null,
    (since = '') =>
      `このAPIキーは期限切れです${since === '' ? '' : `（${since} から）`}。再生成してください。IDとスコープは変わりません。`,
  ],
  [/^This API key is disabled\. .+$/, null, 'このAPIキーは停止中です。先に再開してください。'],
  [
    /^The account of this API key is disabled\. .+$/,
    null,
    'このAPIキーのアカウントは停止中です。管理者に再開を依頼してください。',
  ],
  [/^The upload broke off\. .+$/, null, '送信が途中で切れました。もう一度お試しください。'],
];
