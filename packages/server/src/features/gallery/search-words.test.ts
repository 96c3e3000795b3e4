import { describe, expect, it } from 'vitest';
import { parseSearchWords } from './search-words.ts';

describe('the words of a search', () => {
  it.each<[string, [string, string][]]>([
    ['', []],
    ['   ', []],
    ['azure', [['any', 'azure']]],
    [
      'azure  storage',
      [
        ['any', 'azure'],
        ['any', 'storage'],
      ],
    ],
    ['tag:PSModule', [['tag', 'PSModule']]],
    [
      'Tags:a tags:b',
      [
        ['tag', 'a'],
        ['tag', 'b'],
      ],
    ],
    ['id:Acme.Tools', [['id', 'Acme.Tools']]],
    ['PackageId:Acme.Tools', [['id', 'Acme.Tools']]],
    ['id:"Acme.Tools"', [['id', 'Acme.Tools']]],
    ['"two words"', [['any', 'two words']]],
    [
      'tag:"two words" x',
      [
        ['tag', 'two words'],
        ['any', 'x'],
      ],
    ],
    [
      'an "open quote',
      [
        ['any', 'an'],
        ['any', 'open quote'],
      ],
    ],
    ['tag:', [['any', 'tag:']]],
    ['tag:""', []],
    ['""', []],
    ['author:ada', [['any', 'author:ada']]],
    ['author:"ada l"', [['any', 'author:ada l']]],
    ['https://example.com', [['any', 'https://example.com']]],
    ['constructor:x', [['any', 'constructor:x']]],
    [
      "100%_' ;",
      [
        ['any', "100%_'"],
        ['any', ';'],
      ],
    ],
    [
      '失効 の',
      [
        ['any', '失効'],
        ['any', 'の'],
      ],
    ],
  ])('%s', (text, words) => {
    expect(parseSearchWords(text).map((word) => [word.kind, word.text])).toEqual(words);
  });
});
