import type { Locator, Page } from '@playwright/test';
import { mintBy } from './fresh-key.ts';

export const WORDS = {
  en: {
    title: 'My API keys',
    dead: '2 keys no longer work',
    dying: '1 key stops working in 7 days',
    noCalls: 'No calls since.',
    refused: /Refused [\d,]+ calls since, the last /,
    regenerateOf: (name: string) => `Regenerate ${name}`,
    regenerate: 'Regenerate',
    copySecret: 'Copy secret key',
    copyFull: 'Copy full key',
    copied: 'Secret key copied',
    useIt: 'Use it',
    ready: 'New secret ready.',
    oldUntil: /The old one works until /,
    created: 'Key created.',
    stopsNow: 'Stops now',
    publish: 'Publish packages',
    unlistCard: 'Unlist packages',
    act: 'Act as my account',
    comment: 'Comment',
    patterns: 'Package patterns',
    create: 'Create',
    editOf: (name: string) => `Edit ${name}`,
    save: 'Save',
    find: 'Find a package',
    deleteOf: (name: string) => `Delete ${name}`,
    deleteTitle: (name: string) => `Delete “${name}”?`,
    deleteKey: 'Delete key',
    cancel: 'Cancel',
    instead: 'Disable instead',
    disabled: 'Disabled',
    undo: 'Undo',
    valid: 'Valid',
    all: /^All /,
    attention: /^Needs attention /,
    shown: '5 of 7 shown',
    showAll: 'Show all',
    sortBy: 'Sort by',
    byName: 'Name',
    pushes: 'Push new packages and versions',
    full: 'Full access',
    notRecreated: 'cannot be recreated',
    replaceOf: (name: string) => `Replace ${name} with a scoped key`,
    replaces: (fresh: string, old: string) => `“${fresh}” replaces “${old}”`,
    replaceNow: 'Disable the old key',
    disable: 'Disable',
    leave: 'Close without copying the secret?',
    leaveAnyway: 'Close anyway',
    packages: 'Packages',
    matches: (count: number) => (count === 1 ? '1 package matches now' : `${count} packages match now`),
  },
  ja: {
    title: '自分のAPIキー',
    dead: '2件のキーが使えなくなっています',
    dying: '1件のキーがあと7日で使えなくなります',
    noCalls: '以後の呼び出しはありません。',
    refused: /以後[\d,]+回の呼び出しを拒否（最後は/,
    regenerateOf: (name: string) => `${name} を再生成`,
    regenerate: '再生成',
    copySecret: 'シークレットキーをコピー',
    copyFull: '連結キーをコピー',
    copied: 'シークレットキーをコピーしました',
    useIt: '使い方',
    ready: '新しいシークレットの準備ができました。',
    oldUntil: /旧シークレットは.*まで使えます。/,
    created: 'キーを作成しました。',
    stopsNow: 'すぐ停止',
    publish: 'パッケージを公開する',
    unlistCard: 'パッケージを一覧から外す',
    act: '自分のアカウントとして使う',
    comment: 'コメント',
    patterns: 'パッケージのパターン',
    create: '作成',
    editOf: (name: string) => `${name} を編集`,
    save: '保存',
    find: 'パッケージを探す',
    deleteOf: (name: string) => `${name} を削除`,
    deleteTitle: (name: string) => `「${name}」を削除しますか？`,
    deleteKey: 'キーを削除',
    cancel: 'キャンセル',
    instead: '代わりに停止する',
    disabled: '停止中',
    undo: '元に戻す',
    valid: '有効',
    all: /^すべて /,
    attention: /^要対応 /,
    shown: '7件中5件を表示',
    showAll: 'すべて表示',
    sortBy: '並べ替え',
    byName: '名前順',
    pushes: '新規パッケージと新バージョンのプッシュ',
    full: 'フルアクセス',
    notRecreated: '再作成はできません',
    replaceOf: (name: string) => `${name} をスコープ付きキーに置き換え`,
    replaces: (fresh: string, old: string) => `「${old}」を「${fresh}」に置き換えます`,
    replaceNow: '古いキーを停止',
    disable: '停止',
    leave: 'シークレットをコピーせずに閉じますか？',
    leaveAnyway: 'このまま閉じる',
    packages: 'パッケージ',
    matches: (count: number) => `現在${count}件に一致`,
  },
} as const;

export type Words = (typeof WORDS)['en' | 'ja'];

export const cardOf = (page: Page, comment: string) =>
  page.getByRole('article', { name: comment, exact: true });
export const cards = (page: Page) => page.getByRole('article');
export const verbOf = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });

/** Types a pattern into the field of pills. */
export async function addPattern(dialog: Locator, words: Words, pattern: string): Promise<void> {
  await dialog.getByRole('textbox', { name: words.patterns }).fill(pattern);
  await dialog.getByRole('textbox', { name: words.patterns }).press('Enter');
}

export async function regenerate(page: Page, words: Words, comment: string) {
  await cardOf(page, comment)
    .getByRole('button', { name: words.regenerateOf(comment) })
    .click();
  return await mintBy(page, () => verbOf(page, words.regenerate).click());
}
