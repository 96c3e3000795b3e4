import { defineWords } from '../i18n/words.tsx';

export const conflictWords = defineWords(
  'conflict',
  {
    savedNow: 'Saved now',
    yours: 'Yours',
    discardMine: 'Discard mine',
    reviewMine: 'Review and save mine',
  },
  {
    savedNow: '保存済み',
    yours: 'あなたの変更',
    discardMine: '自分の変更を破棄',
    reviewMine: '確認して保存',
  },
);
