import type { Key } from '@keyreeve/sdk';
import { describe, expect, test } from 'vitest';
import { changedResourcesOf, changesOf, draftOf } from './edit-key-draft.ts';
import { ipRangesOf } from './ip-ranges.ts';

const key = {
  comment: 'CI',
  ipRanges: ['192.0.2.1'],
  scopes: [
    { actions: ['package:push'], resources: ['Hayama.*', 'HayamaDsc', 'NotYetPushed'] },
    { actions: ['stock:read'], resources: ['eu/1'] },
  ],
} as unknown as Key;
const draft = draftOf(key, ['HayamaDsc']);

test('names of packages are ticked in the list; what is in no list stands among the patterns', () => {
  expect(draft.scopes).toEqual([
    { patterns: ['Hayama.*', 'NotYetPushed'], text: '', singles: ['HayamaDsc'] },
    { patterns: ['eu/1'], text: '', singles: [] },
  ]);
});

describe('a save sends', () => {
  test('nothing when nothing differs, whatever the order', () => {
    expect(changesOf(key, draft)).toEqual({});
    expect(changesOf(key, { ...draft, comment: ' CI ' })).toEqual({});
  });

  test('only the field that differs', () => {
    expect(changesOf(key, { ...draft, comment: 'CD' })).toEqual({ comment: 'CD' });
    expect(changesOf(key, { ...draft, ipText: '' })).toEqual({ ipRanges: [] });
  });

  test('all scopes with their actions in their places, also what is still being typed', () => {
    const [first, second] = draft.scopes;
    if (first === undefined || second === undefined) throw new Error('The draft lost its scopes.');
    const typed = { ...draft, scopes: [{ ...first, text: 'Edge.*' }, second] };
    expect(changesOf(key, typed)).toEqual({
      scopes: [
        { actions: ['package:push'], resources: ['Hayama.*', 'NotYetPushed', 'Edge.*', 'HayamaDsc'] },
        { actions: ['stock:read'], resources: ['eu/1'] },
      ],
    });
  });
});

test('a save over what somebody else has saved leaves alone what the person left alone', () => {
  const saved = {
    ...key,
    scopes: [key.scopes[0], { actions: ['stock:read'], resources: ['eu/1', 'eu/2'] }],
  } as Key;
  const [first, second] = draft.scopes;
  if (first === undefined || second === undefined) throw new Error('The draft lost its scopes.');
  const typed = { ...draft, scopes: [{ ...first, text: 'Edge.*' }, second] };
  expect(changesOf(key, typed, saved)).toEqual({
    scopes: [
      { actions: ['package:push'], resources: ['Hayama.*', 'NotYetPushed', 'Edge.*', 'HayamaDsc'] },
      { actions: ['stock:read'], resources: ['eu/1', 'eu/2'] },
    ],
  });
  expect(changesOf(key, { ...draft, comment: 'CD' }, saved)).toEqual({ comment: 'CD' });
  expect(changedResourcesOf(key, typed, 0)).toContain('Edge.*');
  expect(changedResourcesOf(key, typed, 1)).toBeUndefined();
});

test('addresses are parted by lines, blanks and commas of both languages', () => {
  expect(ipRangesOf(' 192.0.2.1\n198.51.100.0/24、2001:db8::/32，10.0.0.1 ')).toEqual([
    '192.0.2.1',
    '198.51.100.0/24',
    '2001:db8::/32',
    '10.0.0.1',
  ]);
});
