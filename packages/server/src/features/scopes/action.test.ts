import { describe, expect, it } from 'vitest';
import { containersOf, coversAction, isAction, isActionPattern } from './action.ts';

describe('the grammar of actions', () => {
  it.each([
    'package:push',
    'iam:keys:write',
    'a:b',
    'my-service:do-this:now',
    'v2:run3',
    `a:${'b'.repeat(62)}`,
  ])('takes %s as an action', (text) => {
    expect(isAction(text)).toBe(true);
    expect(isActionPattern(text)).toBe(true);
  });

  it.each([
    '',
    'package',
    ':',
    'a:',
    ':b',
    'a:b:c:d',
    'a::b',
    'Package:push',
    'package:Push',
    'a:b ',
    ' a:b',
    'a:b\n',
    'a_b:c',
    '1a:b',
    'a:-b',
    'a.b:c',
    'pac\u212Aage:push',
    'a:*:b',
    '*:*',
    '*',
    'a:b*',
    `a:${'b'.repeat(63)}`,
  ])('takes %j neither as an action nor as a wildcard', (text) => {
    expect(isAction(text)).toBe(false);
    expect(isActionPattern(text)).toBe(false);
  });

  it('has `service:*` as its only wildcard, which is no action itself', () => {
    expect(isActionPattern('package:*')).toBe(true);
    expect(isAction('package:*')).toBe(false);
    for (const text of [
      'iam:keys:*',
      'a-b:*:*',
      '*:push',
      'Package:*',
      ':*',
      'a:**',
      `${'a'.repeat(63)}:*`,
    ]) {
      expect(isActionPattern(text)).toBe(false);
    }
  });
});

describe('coversAction', () => {
  it.each([
    ['package:push', 'package:push'],
    ['package:*', 'package:push'],
    ['package:*', 'package:*'],
    ['iam:*', 'iam:keys:write'],
    ['package:push', 'package:pushnew'],
    ['package:push', 'package:pushversion'],
  ])('lets %s contain %s', (held, wanted) => expect(coversAction(held, wanted)).toBe(true));

  // 28 and 29 of the upstream cases, and what must never follow from a prefix.
  it.each([
    ['package:push', 'package:unlist'],
    ['package:pushversion', 'package:push'],
    ['package:pushversion', 'package:pushnew'],
    ['package:pushnew', 'package:push'],
    ['package:push', 'package:*'],
    ['package:*', 'packages:push'],
    ['pack:*', 'package:push'],
    ['package:*', 'iam:keys:write'],
    ['iam:keys:write', 'iam:keys:read'],
    ['iam:keys:write', 'iam:*'],
  ])('never lets %s contain %s', (held, wanted) => expect(coversAction(held, wanted)).toBe(false));
});

describe('containersOf', () => {
  it('names exactly those that contain the action', () => {
    const all = ['package', 'packages', 'iam', 'stock'].flatMap((service) =>
      ['*', 'push', 'pushnew', 'pushversion', 'keys:read', 'keys:push'].map((verb) => `${service}:${verb}`),
    );
    for (const wanted of all) {
      const found = containersOf(wanted);
      expect(all.filter((held) => found.includes(held))).toEqual(
        all.filter((held) => coversAction(held, wanted)),
      );
    }
  });
});
