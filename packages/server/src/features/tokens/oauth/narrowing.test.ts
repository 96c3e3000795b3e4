import { describe, expect, it } from 'vitest';
import { AppError } from '../../../errors/index.ts';
import type { Permission } from '../../../lib/permission.ts';
import { type AskedRights, narrowRights, readAskedRights, readResource } from './narrowing.ts';

const form = (parameters: Record<string, string>) => new Map(Object.entries(parameters));
const permit = (action: string, ...resources: readonly string[]): Permission => ({
  actions: [action],
  resources,
});

function refusalOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'none';
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.detail}`;
    throw error;
  }
}

const readScope = (scope: string) => readAskedRights(form({ scope })).actions;
const readDetails = (details: unknown) =>
  readAskedRights(
    form({ authorization_details: typeof details === 'string' ? details : JSON.stringify(details) }),
  ).details;
const detail = (more: object = {}) => ({
  type: 'keyreeve',
  actions: ['stock:read'],
  identifiers: ['*'],
  ...more,
});

describe('a scope', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `stock:a${index}`);

  it('is actions with single blanks between them, each told once', () => {
    expect(readScope('stock:read package:* stock:read')).toEqual(['stock:read', 'package:*']);
    expect(readAskedRights(form({}))).toEqual({ actions: null, details: null });
  });

  it.each([
    'stock:read  stock:write',
    ' stock:read',
    'stock:read ',
    'stock:read\tstock:write',
    'stock:read\n',
  ])('is refused for its blanks as %j', (scope) => {
    expect(refusalOf(() => readScope(scope))).toMatch(/^oauth\.invalid_scope .*single spaces/);
  });

  it('is refused for what is no action, which is told in part', () => {
    expect(refusalOf(() => readScope(`stock:read ${'X'.repeat(200)}`))).toBe(
      `oauth.invalid_scope scope names ${'X'.repeat(80)}, which does not look like service:verb, service:resource:verb or service:*.`,
    );
  });

  it('names at most 100 actions in at most 6,500 characters', () => {
    expect(readScope(names(100).join(' '))).toHaveLength(100);
    expect(refusalOf(() => readScope(names(101).join(' ')))).toMatch(/^oauth\.invalid_scope .*101 actions/);
    // All of 64 characters, and so the longest that there can be.
    const longest = names(100).map((name) => name.padEnd(64, 'x'));
    expect(readScope(longest.join(' '))).toHaveLength(100);
    expect(refusalOf(() => readScope('x'.repeat(6_500)))).toMatch(/does not look like/);
    expect(refusalOf(() => readScope('x'.repeat(6_501)))).toMatch(/^oauth\.invalid_scope .*6501 characters/);
  });
});

describe('authorization_details', () => {
  it('are objects of our type, told without repeats', () => {
    expect(readDetails([detail(), detail({ actions: ['a:b', 'a:b'], identifiers: ['x', 'x'] })])).toEqual([
      permit('stock:read', '*'),
      permit('a:b', 'x'),
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /cannot be read\. The text is not valid JSON/],
    ['one object without a list', detail(), /must be a JSON array/],
    ['an empty list', [], /must be a JSON array/],
    ['a text in the list', ['x'], /\[0\] must be an object/],
    ['a list in the list', [[]], /\[0\] must be an object/],
    ['null in the list', [detail(), null], /\[1\] must be an object/],
    ['another type', [detail({ type: 'other' })], /\[0\]\.type must be keyreeve/],
    ['a member that could be meant as a limit', [detail({ until: 5 })], /\[0\] has the unknown member until/],
    ['an unknown member of any length', [detail({ ['x'.repeat(200)]: 5 })], /unknown member x{80};/],
    ['actions that are no list', [detail({ actions: 'a:b' })], /\[0\]\.actions must be an array/],
    ['an action that is no text', [detail({ actions: ['a:b', 1] })], /\[0\]\.actions must be an array/],
    ['identifiers that are no list', [detail({ identifiers: {} })], /\[0\]\.identifiers must be an array/],
    [
      'an identifier that is no text',
      [detail({ identifiers: ['*', null] })],
      /\[0\]\.identifiers must be an/,
    ],
    ['no identifier', [detail({ identifiers: [] })], / authorization_details\[0\]\.identifiers is empty/],
    ['no action', [detail({ actions: [] })], /\[0\]\.actions is empty/],
  ])('are refused as %s', (_name, details, reason) => {
    const refusal = refusalOf(() => readDetails(details));
    expect(refusal).toMatch(/^oauth\.invalid_authorization_details /);
    expect(refusal).toMatch(reason);
  });

  it('have at most 16,384 characters', () => {
    const text = JSON.stringify([detail()]);
    expect(readDetails(text.padEnd(16_384, ' '))).toHaveLength(1);
    expect(refusalOf(() => readDetails(text.padEnd(16_385, ' ')))).toMatch(/has 16385 characters/);
  });

  it('combine at most 500 actions with identifiers', () => {
    const list = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    const [actions, identifiers] = [list('a:b', 25), list('x', 20)];
    expect(readDetails([detail({ actions, identifiers })])).toHaveLength(1);
    expect(refusalOf(() => readDetails([detail({ actions, identifiers }), detail()]))).toMatch(
      /combines 501 actions/,
    );
  });
});

describe('the resource', () => {
  it('has two names, which must mean one service', () => {
    expect(readResource(form({}))).toBeUndefined();
    expect(readResource(form({ resource: 'a' }))).toBe('a');
    expect(readResource(form({ audience: 'b' }))).toBe('b');
    expect(readResource(form({ resource: 'a', audience: 'a' }))).toBe('a');
    expect(refusalOf(() => readResource(form({ resource: 'a', audience: 'b' })))).toMatch(
      /^oauth\.invalid_target resource and audience name different services/,
    );
  });
});

describe('rights that are asked for', () => {
  const held = [permit('package:*', 'Contoso.*'), permit('stock:read', '*')];
  const narrow = (asked: Partial<AskedRights>) =>
    narrowRights(held, { actions: null, details: null, ...asked });

  it('are no narrower when nothing is asked for', () => {
    expect(narrow({})).toBeUndefined();
  });

  it('are what lies within the scope, on what it was held on', () => {
    expect(narrow({ actions: ['package:push'] })).toEqual([permit('package:push', 'Contoso.*')]);
    expect(narrow({ actions: ['stock:read', 'package:*'] })).toEqual(held);
  });

  it('are the details, or what lies within both', () => {
    const details = [permit('package:push', 'Contoso.A'), permit('stock:read', 'eu/*')];
    expect(narrow({ details })).toEqual(details);
    expect(narrow({ details, actions: ['stock:read'] })).toEqual([permit('stock:read', 'eu/*')]);
  });

  it('are never more than what is held', () => {
    expect(refusalOf(() => narrow({ actions: ['stock:read', 'stock:write'] }))).toMatch(
      /^oauth\.invalid_scope The action stock:write is not held/,
    );
    expect(refusalOf(() => narrow({ details: [permit('package:push', 'Fabrikam')] }))).toMatch(
      /^oauth\.invalid_authorization_details The action package:push on Fabrikam is not held/,
    );
    expect(refusalOf(() => narrowRights([], { actions: ['stock:read'], details: null }))).toMatch(
      /^oauth\.invalid_scope/,
    );
  });

  it('are refused when scope and details have nothing in common', () => {
    const details = [permit('package:push', 'Contoso.A')];
    expect(refusalOf(() => narrow({ details, actions: ['stock:read'] }))).toMatch(
      /^oauth\.invalid_scope .*nothing in common/,
    );
  });
});
