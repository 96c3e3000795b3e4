import { expect, type Page } from '@playwright/test';
import type { Owner } from './own-keys.ts';

export const WORDS = {
  en: {
    edit: 'Edit',
    comment: 'Comment',
    patterns: 'Package patterns',
    addresses: 'Allowed addresses',
    save: 'Save',
    saved: 'Key saved.',
    staleTitle: 'This key was changed meanwhile',
    byAdmin: /Mio Tachibana saved other patterns/,
    compared: 'What is saved now, and what you have changed',
    discardMine: 'Discard mine',
    saveMine: 'Review and save mine',
    again: 'Sign in again to continue',
    password: 'Password for ',
    signIn: 'Sign in',
    offline: 'No connection to the server.',
    regenerate: 'Regenerate',
    hours24: '24 hours',
    stopsNow: 'Stops now',
    regenerated: 'Key regenerated',
    copyFull: 'Copy full key',
    done: 'Done',
    oldUntil: /The old secret works until/,
    endOverlap: 'End overlap',
    overlap: 'Overlap',
    disable: 'Disable',
    enable: 'Enable',
    reason: /^Reason/,
    disabled: 'Disabled',
    because: 'Found in a log',
    valid: 'Valid',
    undo: 'Undo',
  },
  ja: {
    edit: '編集',
    comment: 'コメント',
    patterns: 'パッケージのパターン',
    addresses: '許可するアドレス',
    save: '保存',
    saved: 'キーを保存しました。',
    staleTitle: 'このキーは別の場所で変更されました',
    byAdmin: /Mio Tachibanaさんが別のパターンを保存しました/,
    compared: '保存済みの内容と、あなたの変更',
    discardMine: '自分の変更を破棄',
    saveMine: '確認して保存',
    again: '続けるには再度サインインしてください',
    password: 'のパスワード',
    signIn: 'サインイン',
    offline: 'サーバーに接続できません。',
    regenerate: '再生成',
    hours24: '24時間',
    stopsNow: 'すぐ停止',
    regenerated: 'キーを再生成しました',
    copyFull: '連結キーをコピー',
    done: '完了',
    oldUntil: /旧シークレットは.*まで使えます/,
    endOverlap: '切り替えを終了',
    overlap: '切り替え中',
    disable: '停止',
    enable: '再開',
    reason: /^理由/,
    disabled: '停止中',
    because: 'ログで見つかった',
    valid: '有効',
    undo: '元に戻す',
  },
} as const;

export type Words = (typeof WORDS)['en' | 'ja'];

export const dialogOf = (page: Page) => page.getByRole('dialog');
export const rowOf = (page: Page, comment: string) => page.getByRole('row').filter({ hasText: comment });
export const verbOf = (page: Page, name: string) => dialogOf(page).getByRole('button', { name, exact: true });

/** The page of all keys, with only this one in it. */
export async function openKeys(page: Page, comment: string): Promise<void> {
  await page.goto(`/keys?q=${encodeURIComponent(comment)}`);
  await expect(rowOf(page, comment)).toBeVisible();
}

export type Verb = 'edit' | 'regenerate' | 'endOverlap' | 'disable' | 'enable';

/** The icons of a row name the key too. */
export function nameOf(words: Words, verb: Verb, comment: string): string {
  if (words === WORDS.ja)
    return verb === 'endOverlap' ? `${comment} の切り替えを終了` : `${comment} を${words[verb]}`;
  return verb === 'endOverlap' ? `End overlap of ${comment}` : `${words[verb]} ${comment}`;
}

export async function request(page: Page, words: Words, verb: Verb, comment: string): Promise<void> {
  await page.getByRole('button', { name: nameOf(words, verb, comment), exact: true }).click();
}

export async function openEdit(page: Page, words: Words, comment: string): Promise<void> {
  await openKeys(page, comment);
  await request(page, words, 'edit', comment);
  await expect(dialogOf(page).getByRole('textbox', { name: words.comment })).toBeFocused();
}

export async function addPattern(page: Page, words: Words, pattern: string): Promise<void> {
  const field = dialogOf(page).getByRole('textbox', { name: words.patterns });
  await field.fill(pattern);
  await field.press('Enter');
}

export async function resourcesOf(owner: Owner, keyId: string): Promise<readonly string[]> {
  const { data } = await owner.api.GET('/v1/keys/{keyId}', { params: { path: { keyId } } });
  return data.scopes.flatMap((scope) => scope.resources);
}
