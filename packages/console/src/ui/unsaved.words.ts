import { defineWords } from '../i18n/words.tsx';

/** Words about changes that are not saved: on the way out, and when somebody else was faster. */
export const unsavedWords = defineWords(
  'unsaved',
  {
    leaveTitle: 'Leave without saving?',
    leaveText_one: '{{count}} change has not been saved.',
    leaveText_other: '{{count}} changes have not been saved.',
    leaveAnyway: 'Leave anyway',
    saveAndLeave: 'Save and leave',
    savedNow: 'Saved now',
    yours: 'Yours',
    notChanged: 'not changed by you',
    empty: 'empty',
    discardMine: 'Discard mine',
    saveMine: 'Review and save mine',
    compared: 'What is saved now, and what you have changed',
  },
  {
    leaveTitle: '保存せずに移動しますか？',
    leaveText_other: '{{count}}件の変更が保存されていません。',
    leaveAnyway: 'このまま移動',
    saveAndLeave: '保存して移動',
    savedNow: '保存済み',
    yours: 'あなたの変更',
    notChanged: '変更なし',
    empty: '空',
    discardMine: '自分の変更を破棄',
    saveMine: '確認して保存',
    compared: '保存済みの内容と、あなたの変更',
  },
);
