import type { Page } from '@playwright/test';
import type { PicturedPage } from './pages.ts';
import { ADMIN_EMAIL, MEMBER_EMAIL } from './town-people.ts';

const WORDS = {
  en: {
    usageOf: (name: string) => `Usage of ${name}`,
    usage: 'Usage',
    editOf: (name: string) => `Edit ${name}`,
    patterns: 'Package patterns',
    comment: 'Comment',
    save: 'Save',
    stale: 'This key was changed meanwhile',
    regenerateOf: (name: string) => `Regenerate ${name}`,
    regenerate: 'Regenerate',
    deleteOf: (name: string) => `Delete ${name}`,
    disableOf: (name: string) => `Disable ${name}`,
    enableOf: (name: string) => `Enable ${name}`,
    copySecret: 'Copy secret key',
    more: (name: string) => `More actions: ${name}`,
    edit: 'Edit',
    delete: 'Delete',
    disable: 'Disable',
    enable: 'Enable',
    whose: 'Whose key is this?',
    field: 'Key, or a text with a key in it',
    right: 'Data lake ingest',
    mistyped: 'This key is mistyped',
    showAll: 'Show all',
  },
  ja: {
    usageOf: (name: string) => `${name} の使用状況`,
    usage: '使用状況',
    editOf: (name: string) => `${name} を編集`,
    patterns: 'パッケージのパターン',
    comment: 'コメント',
    save: '保存',
    stale: 'このキーは別の場所で変更されました',
    regenerateOf: (name: string) => `${name} を再生成`,
    regenerate: '再生成',
    deleteOf: (name: string) => `${name} を削除`,
    disableOf: (name: string) => `${name} を停止`,
    enableOf: (name: string) => `${name} を再開`,
    copySecret: 'シークレットキーをコピー',
    more: (name: string) => `その他の操作: ${name}`,
    edit: '編集',
    delete: '削除',
    disable: '停止',
    enable: '再開',
    whose: 'このキーの持ち主を調べる',
    field: 'キー、またはキーを含むテキスト',
    right: 'Data lake ingest',
    mistyped: 'キーに入力ミスがあります',
    showAll: 'すべて表示',
  },
} as const;

type Language = 'en' | 'ja';
type Verb = 'usage' | 'edit' | 'regenerate' | 'delete' | 'disable' | 'enable';

/** Chooses a verb on the card of a key: by its button, or on a telephone from the menu. */
async function act(page: Page, language: Language, verb: Verb, comment: string): Promise<void> {
  const words = WORDS[language];
  const menu = page.getByRole('button', { name: words.more(comment), exact: true });
  const button = page
    .getByRole('article', { name: comment, exact: true })
    .getByRole('button', { name: words[`${verb}Of`](comment), exact: true });
  await menu.or(button).first().waitFor();
  if (await menu.isVisible()) {
    await menu.click();
    await page.getByRole('menuitem', { name: words[verb], exact: true }).click();
  } else {
    await button.click();
  }
  await page.getByRole('dialog').waitFor();
}

async function openEdit(page: Page, language: Language, comment: string): Promise<void> {
  await act(page, language, 'edit', comment);
  const field = page.getByRole('dialog').getByRole('textbox', { name: WORDS[language].patterns });
  await field.fill('Hayama.Dát*');
  await field.press('Enter');
}

/** Somebody else saves the key whose form is open. */
async function saveElsewhere(page: Page, comment: string): Promise<void> {
  const list = await page.request.get('/v1/keys', { params: { q: comment } });
  const { items } = (await list.json()) as {
    items: { id: string; version: number; scopes: { actions: string[]; resources: string[] }[] }[];
  };
  const [key] = items;
  if (key === undefined) throw new Error(`There is no key ${comment}.`);
  const scopes = key.scopes.map((scope) => ({
    ...scope,
    // Another one each time, or nothing would be saved.
    resources: [...scope.resources.slice(0, 1), `Hayama.Gateway${key.version}.*`],
  }));
  const headers = { 'if-match': `"${key.version}"` };
  await page.request.patch(`/v1/keys/${key.id}`, { headers, data: { scopes } });
}

async function lookUp(page: Page, language: Language, text: string): Promise<void> {
  const words = WORDS[language];
  await page.getByRole('button', { name: words.whose }).click();
  await page.getByRole('textbox', { name: words.field }).fill(text);
  await page.keyboard.press('Enter');
}

/** The id of a key, from the list that is shown. */
async function keyIdOf(page: Page, comment: string): Promise<string> {
  const list = await page.request.get('/v1/keys', { params: { q: comment } });
  const { items } = (await list.json()) as { items: { id: string }[] };
  return items[0]?.id ?? '';
}

const onMyKeys = { path: '/my-keys', as: ADMIN_EMAIL };

/** One's own keys, the dialogs of a key, and the look-up box. */
export const KEY_PAGES: readonly PicturedPage[] = [
  {
    name: 'my-keys-all',
    ...onMyKeys,
    prepare: (page, language) => page.getByRole('button', { name: WORDS[language].showAll }).click(),
  },
  {
    name: 'my-keys-fresh',
    path: '/my-keys',
    as: MEMBER_EMAIL,
    prepare: async (page, language) => {
      await act(page, language, 'regenerate', 'Data lake ingest');
      await page.getByRole('dialog').getByRole('button', { name: WORDS[language].regenerate }).click();
      await page.getByRole('button', { name: WORDS[language].copySecret }).waitFor();
    },
  },
  {
    name: 'key-usage',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'usage', 'CI publish: DataFactory'),
  },
  {
    name: 'key-usage-refused',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'usage', 'Nightly export'),
  },
  {
    name: 'regenerate-key',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'regenerate', 'CI publish: DataFactory'),
  },
  {
    name: 'delete-key',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'delete', 'CI publish: DataFactory'),
  },
  {
    name: 'disable-key',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'disable', 'CI publish: DataFactory'),
  },
  {
    name: 'enable-key',
    ...onMyKeys,
    prepare: (page, language) => act(page, language, 'enable', 'Laptop, temporary'),
  },
  {
    name: 'edit-key',
    ...onMyKeys,
    prepare: (page, language) => openEdit(page, language, 'CI publish: DataFactory'),
  },
  {
    name: 'edit-key-conflict',
    ...onMyKeys,
    prepare: async (page, language) => {
      const words = WORDS[language];
      const comment = 'Release bot 2025';
      await act(page, language, 'edit', comment);
      const field = page.getByRole('dialog').getByRole('textbox', { name: words.patterns });
      await field.fill('HayamaDsc');
      await field.press('Enter');
      await saveElsewhere(page, comment);
      await page.getByRole('dialog').getByRole('button', { name: words.save, exact: true }).click();
      await page.getByRole('dialog', { name: words.stale }).waitFor();
    },
  },
  {
    name: 'look-up',
    path: '/keys',
    prepare: async (page, language) => {
      await lookUp(page, language, await keyIdOf(page, 'Data lake ingest'));
      await page.getByRole('dialog').getByText(WORDS[language].right).waitFor();
    },
  },
  {
    name: 'look-up-mistyped',
    path: '/keys',
    prepare: async (page, language) => {
      await lookUp(page, language, `kr_zzzzzzzzzzzzzzzz_${'0'.repeat(43)}4VVbKx`);
      await page.getByText(WORDS[language].mistyped).waitFor();
    },
  },
  { name: 'all-keys-expired', path: '/keys?filter=expired&over=100' },
  { name: 'all-keys-nothing', path: '/keys?q=zzzz' },
];
