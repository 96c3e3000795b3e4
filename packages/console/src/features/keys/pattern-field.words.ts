import { defineWords } from '../../i18n/words.tsx';

export const patternFieldWords = defineWords(
  'patternField',
  {
    placeholder: 'Type a pattern, press Enter',
    add: 'Add another',
    remove: 'Remove {{pattern}}',
    hint: '<code>*</code> stands for any characters. Case does not matter.',
    hintOther: '<code>*</code> stands for any characters. Case matters.',
    character: '“{{value}}” contains “{{character}}”. Use A–Z, 0–9, dot, hyphen, underscore and *.',
    characterOther: '“{{value}}” contains “{{character}}”. Use printable ASCII characters without blanks.',
    tooLong: '“{{value}}” is longer than {{max}} characters.',
    tooMany: 'A key has at most {{max}} patterns and packages; these are {{count}}.',
    leavesOut: '<code>{{pattern}}</code> does not cover <code>{{name}}</code> itself.',
    cure: 'Use {{pattern}}',
  },
  {
    placeholder: 'パターンを入力してEnter',
    add: 'さらに追加',
    remove: '{{pattern}} を外す',
    hint: '<code>*</code> は任意の文字列に一致します。大文字と小文字は区別しません。',
    hintOther: '<code>*</code> は任意の文字列に一致します。大文字と小文字を区別します。',
    character:
      '「{{value}}」に「{{character}}」が含まれています。英数字、ピリオド、ハイフン、下線、* を使ってください。',
    characterOther:
      '「{{value}}」に「{{character}}」が含まれています。空白を含まない半角文字を使ってください。',
    tooLong: '「{{value}}」は{{max}}文字を超えています。',
    tooMany: 'パターンとパッケージは1つのキーに{{max}}件までです（現在{{count}}件）。',
    leavesOut: '<code>{{pattern}}</code> は <code>{{name}}</code> 自体には一致しません。',
    cure: '変更：{{pattern}}',
  },
);
