import { defineWords } from '../i18n/words.tsx';

/** What accounts are and are made of, the same wherever they are shown. */
export const accountWords = defineWords(
  'account',
  {
    admin: 'Administrator',
    member: 'Member',
    email: 'E-mail',
    displayName: 'Display name',
    firstName: 'First name',
    lastName: 'Last name',
    technicalName: 'Technical name',
    role: 'Role',
    tags: 'Tags',
    locale: 'Language',
    description: 'Description',
    managers: 'Managers',
    grants: 'Rights',
  },
  {
    admin: '管理者',
    member: 'メンバー',
    email: 'メールアドレス',
    displayName: '表示名',
    firstName: '名',
    lastName: '姓',
    technicalName: '技術名',
    role: 'ロール',
    tags: 'タグ',
    locale: '言語',
    description: '説明',
    managers: '管理担当者',
    grants: '権限',
  },
);
