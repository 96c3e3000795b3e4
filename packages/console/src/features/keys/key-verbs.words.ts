import { defineWords } from '../../i18n/words.tsx';

/** What can be done with a key: the verb alone, and with the key for those who only hear it. */
export const keyVerbsWords = defineWords(
  'keyVerbs',
  {
    edit: 'Edit',
    editOf: 'Edit {{name}}',
    regenerate: 'Regenerate',
    regenerateOf: 'Regenerate {{name}}',
    replace: 'Replace with scoped key',
    replaceOf: 'Replace {{name}} with a scoped key',
    disable: 'Disable',
    disableOf: 'Disable {{name}}',
    enable: 'Enable',
    enableOf: 'Enable {{name}}',
    endOverlap: 'End overlap',
    endOverlapOf: 'End overlap of {{name}}',
    delete: 'Delete',
    deleteOf: 'Delete {{name}}',
  },
  {
    edit: '編集',
    editOf: '{{name}} を編集',
    regenerate: '再生成',
    regenerateOf: '{{name}} を再生成',
    replace: 'スコープ付きキーに置き換え',
    replaceOf: '{{name}} をスコープ付きキーに置き換え',
    disable: '停止',
    disableOf: '{{name}} を停止',
    enable: '再開',
    enableOf: '{{name}} を再開',
    endOverlap: '切り替えを終了',
    endOverlapOf: '{{name}} の切り替えを終了',
    delete: '削除',
    deleteOf: '{{name}} を削除',
  },
);
