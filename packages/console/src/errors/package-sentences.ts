import type { SentenceRule } from './sentences.ts';

const PACK_AGAIN = 'もう一度パックしてください。';

/** What to do about a field of the manifest, as the server says it behind the name of the field. */
const REMEDIES: readonly (readonly [en: string, ja: string])[] = [
  ['It must hold plain text', '要素を含まない文字列にしてください。'],
  ['Use an absolute http', 'http または https で始まる絶対アドレスにしてください。'],
  ['Use true or false', 'true か false にしてください。'],
  ['Give it the attribute', '属性 type="expression" か type="file" を付けてください。'],
  ['Use a version such as 2.8', '2.8 のようなバージョンにしてください。'],
  ['At most', 'パッケージの種類が多すぎます。'],
  ['It is a package of symbols', 'シンボルパッケージは受け付けていません。'],
  ['Each package type', '種類ごとに Template のような名前が必要です。バージョンは1つまでです。'],
  ['Use at most', '英数字、下線、ピリオド、ハイフンだけの短いIDにしてください。'],
  ['Use a version such as 1.2.3', '1.2.3 や 1.2.3-beta のようなバージョンにしてください。'],
];

function remedyOf(text: string): string {
  return REMEDIES.find(([en]) => text.startsWith(en))?.[1] ?? '';
}

/** Why a file is no package that is taken: the faults of the reader of the server, which programs hear in English. */
export const PACKAGE_RULES: readonly SentenceRule[] = [
  [
    /^Failed to read the package file\. .+$/,
    null,
    'ファイルをパッケージとして読み取れません。正しいマニフェストを持つNuGetパッケージか確認してください。',
  ],
  [
    /^The package file is empty\. .+$/,
    null,
    'ファイルが空です。少なくともマニフェスト（.nuspec）を入れてください。',
  ],
  [
    /^The package file (?:contradicts itself|has bytes before|states a wrong size).+$/s,
    null,
    `パッケージファイルの構造に矛盾があります。nuget packなどの標準的なツールで${PACK_AGAIN}`,
  ],
  [/^The package file uses the zip64 format.+$/, null, `zip64形式は使えません。zip64を使わずに${PACK_AGAIN}`],
  [
    /^The package holds too many files: at most (\S+) are allowed\.$/,
    null,
    'ファイルが多すぎます。$1件以内にしてください。',
  ],
  [
    /^The package holds two files of the same name.+$/,
    null,
    '同じ名前のファイルが2つあります（大文字と小文字は区別しません）。どちらかを変更してください。',
  ],
  [
    /^The package may hold only plain files.+$/,
    null,
    '通常のファイルとフォルダーだけを入れてください。シンボリックリンクや特殊ファイルは実体に置き換えてください。',
  ],
  [
    /^The package unpacks to more than (\S+) times its size\..+$/,
    null,
    '展開すると元のサイズの$1倍を超えます。埋め草だけのファイルを除いてください。',
  ],
  [
    /^The files of the package are too large when unpacked: together at most (\S+) bytes are allowed\.$/,
    null,
    '展開後のサイズが大きすぎます。合計$1バイト以内にしてください。',
  ],
  [
    /^The file list of the package is larger than .+$/,
    null,
    'ファイル一覧が大きすぎます。ファイルを減らすか、名前を短くしてください。',
  ],
  [
    /^A file name in the package is not allowed.+$/s,
    null,
    '使えないファイル名があります。短い相対名にしてください。',
  ],
  [
    /^A file in the package is compressed in an unknown way\..+$/,
    null,
    '対応していない圧縮方式のファイルがあります。deflateか無圧縮にしてください。',
  ],
  [
    /^A file in the package is encrypted\..+$/,
    null,
    `暗号化されたファイルがあります。パスワードなしで${PACK_AGAIN}`,
  ],
  [
    /^One or more files have a date in the future\..+$/,
    null,
    `日付が未来のファイルがあります。時計またはファイルの日付を直して${PACK_AGAIN}`,
  ],
  [
    /^Reading the package took too long\..+$/,
    null,
    '読み取りに時間がかかりすぎました。ファイルを減らし、単純にしてください。',
  ],
  [
    /^The package has no manifest.+$/,
    null,
    'マニフェストがありません。ルートに.nuspecファイルを1つだけ置いてください。',
  ],
  [
    /^The package has more than one \.nuspec.+$/,
    null,
    'ルートに.nuspecファイルが複数あります。1つだけにしてください。',
  ],
  [
    /^The manifest \(\.nuspec\) has a document type.+$/,
    null,
    'マニフェストに文書型宣言（DOCTYPE）があります。取り除いてください。',
  ],
  [
    /^The manifest \(\.nuspec\) has an unknown XML namespace\..+$/,
    null,
    'マニフェストのXML名前空間が不明です。NuGetのものにするか、なしにしてください。',
  ],
  [
    /^The manifest \(\.nuspec\) has an unknown encoding\..+$/,
    null,
    'マニフェストの文字コードが不明です。UTF-8で保存してください。',
  ],
  [
    /^The manifest \(\.nuspec\) in the package is damaged.+$/,
    null,
    `マニフェストが壊れています。${PACK_AGAIN}`,
  ],
  [
    /^The manifest \(\.nuspec\) is (?:larger than|too complex).+$/s,
    null,
    'マニフェストが大きすぎるか、複雑すぎます。文章や要素を減らしてください。',
  ],
  [
    /^The manifest \(\.nuspec\) is not well-formed.+$/,
    null,
    `マニフェストが正しいXMLではありません。直して${PACK_AGAIN}`,
  ],
  [
    /^The manifest has the element "(.+)" more than once\..+$/,
    null,
    'マニフェストに要素「$1」が複数あります。1つだけにしてください。',
  ],
  [
    /^The manifest lacks the (?:required field|element) "(.+?)".*$/,
    null,
    'マニフェストに「$1」がありません。追加してください。',
  ],
  [
    /^The manifest names a dependency twice.+$/,
    null,
    '1つのグループに同じ依存関係が2回あります。1つを取り除いてください。',
  ],
  [
    /^The dependencies of the manifest are not valid\..+$/s,
    null,
    'マニフェストの依存関係が正しくありません。IDとバージョンの範囲を確認してください。',
  ],
  [
    /^A framework assembly of the manifest lacks.+$/,
    null,
    'フレームワークアセンブリに assemblyName がありません。追加してください。',
  ],
  [
    /^A target framework of the manifest is not valid\..+$/,
    null,
    'ターゲットフレームワークが正しくありません。net8.0 や netstandard2.0 のような名前にしてください。',
  ],
  [
    /^The field "version" of the manifest is not valid: begin.+$/,
    null,
    'プレリリースのラベルは、1.2.3-beta のように英字で始めてください。',
  ],
  [
    /^The field "(.+?)" of the manifest is too long: at most (\S+) characters are allowed\.$/,
    null,
    'マニフェストの「$1」が長すぎます。$2文字以内にしてください。',
  ],
  [
    /^The fields "id" and "version" are too long: together at most (\S+) characters are allowed\.$/,
    null,
    'IDとバージョンが長すぎます。合わせて$1文字以内にしてください。',
  ],
  [
    /^The field "(.+?)" of the manifest is not valid\. (.+)$/s,
    null,
    (name = '', remedy = '') => `マニフェストの「${name}」が正しくありません。${remedyOf(remedy)}`,
  ],
];
