import { expect, it } from 'vitest';
import { toTagWords } from './tag-words.ts';

it.each([
  [null, ''],
  ['  ', ''],
  ['PSModule', ' psmodule '],
  ['PSModule,Azure;\tPSFunction_Get-Key ', ' psmodule azure psfunction_get-key '],
])('the tags %j are searched as %j', (tags, words) => expect(toTagWords(tags)).toBe(words));
