import { expect, type Locator, type Page, type Response } from '@playwright/test';

/** What an answer of create or regenerate holds, read from the network, past the page. */
export interface FreshKey {
  readonly key: { readonly id: string; readonly comment: string; readonly expiresAt: string };
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

export const KEY_WORDS = {
  en: {
    addAccess: 'Add access',
    comment: 'Comment',
    lifetime: 'Lifetime',
    scoped: 'Scoped',
    push: 'Push',
    pushBoth: 'New packages and new versions',
    pushNew: 'New packages only',
    pushVersion: 'New versions of existing packages only',
    unlist: 'Unlist and relist',
    patterns: 'Package patterns',
    find: 'Find a package',
    owner: 'Owner of the packages',
    addOther: 'Add an action',
    action: 'Action',
    addresses: 'Allowed addresses',
    limits: 'Limit how often the key may be used',
    requests: 'Requests',
    sendMail: 'Send the key by e-mail',
    mailTo: 'Send to',
    create: 'Create',
    cancel: 'Cancel',
    created: 'API key created',
    copyApiKey: 'Copy API key',
    copySecretKey: 'Copy secret key',
    copyFullKey: 'Copy full key',
    copySnippet: 'Copy snippet',
    fromEnvironment: 'From environment',
    reveal: 'Reveal secret',
    hide: 'Hide secret',
    done: 'Done',
    onClipboard: 'The secret is on your clipboard.',
    forgotten: 'The secret has been forgotten.',
    leave: 'Close without copying the secret?',
    leaveAnyway: 'Close anyway',
    back: 'Back',
    copyAndClose: 'Copy and close',
    regenerateOf: (comment: string) => `Regenerate ${comment}`,
    regenerate: 'Regenerate',
    regenerated: 'Key regenerated',
  },
  ja: {
    addAccess: 'アクセスを追加',
    comment: 'コメント',
    lifetime: '有効期間',
    scoped: 'スコープ付き',
    push: 'プッシュ',
    pushBoth: '新しいパッケージと新しいバージョン',
    pushNew: '新しいパッケージのみ',
    pushVersion: '既存パッケージの新しいバージョンのみ',
    unlist: '一覧から外す・戻す',
    patterns: 'パッケージのパターン',
    find: 'パッケージを探す',
    owner: 'パッケージの所有者',
    addOther: '操作を追加',
    action: '操作',
    addresses: '許可するアドレス',
    limits: '使用回数を制限する',
    requests: 'リクエスト数',
    sendMail: 'キーをメールで送る',
    mailTo: '送信先',
    create: '作成',
    cancel: 'キャンセル',
    created: 'APIキーを作成しました',
    copyApiKey: 'APIキーをコピー',
    copySecretKey: 'シークレットキーをコピー',
    copyFullKey: '連結キーをコピー',
    copySnippet: 'スニペットをコピー',
    fromEnvironment: '環境変数から',
    reveal: 'シークレットを表示',
    hide: 'シークレットを隠す',
    done: '完了',
    onClipboard: 'シークレットをクリップボードにコピーしました。',
    forgotten: 'シークレットを消去しました。',
    leave: 'シークレットをコピーせずに閉じますか？',
    leaveAnyway: 'このまま閉じる',
    back: '戻る',
    copyAndClose: 'コピーして閉じる',
    regenerateOf: (comment: string) => `${comment} を再生成`,
    regenerate: '再生成',
    regenerated: 'キーを再生成しました',
  },
} as const;

export type KeyWords = (typeof KEY_WORDS)['en' | 'ja'];

/** The dialog with this title. */
export function dialogOf(page: Page, title: string): Locator {
  return page.getByRole('dialog', { name: title });
}

function isMinting(response: Response): boolean {
  const { pathname } = new URL(response.url());
  return response.request().method() === 'POST' && /\/(keys|regenerate)$/.test(pathname);
}

/** Does what makes a secret, and reads it from the answer: the page is not asked for it. */
export async function mintBy(page: Page, act: () => Promise<unknown>): Promise<FreshKey> {
  const [response] = await Promise.all([page.waitForResponse(isMinting), act()]);
  expect(response.ok(), await response.text()).toBe(true);
  return (await response.json()) as FreshKey;
}

/** Opens the create dialog on the page of an account, or of one's own keys. */
export async function openCreateDialog(page: Page, words: KeyWords): Promise<Locator> {
  await page.getByRole('button', { name: words.addAccess }).first().click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('textbox', { name: words.comment })).toBeFocused();
  return dialog;
}

/** Makes a key with all rights of the account; the one-time window is open afterwards. */
export async function createKey(page: Page, words: KeyWords, comment: string): Promise<FreshKey> {
  const dialog = await openCreateDialog(page, words);
  await dialog.getByRole('textbox', { name: words.comment }).fill(comment);
  const fresh = await mintBy(page, () => dialog.getByRole('button', { name: words.create }).click());
  await expect(dialogOf(page, words.created)).toBeVisible();
  return fresh;
}
