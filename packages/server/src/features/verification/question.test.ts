import { describe, expect, it } from 'vitest';
import { readClientIp, readQuestion } from './question.ts';

describe('the question of a gateway', () => {
  it('may be empty: then only the credential counts', () => {
    expect(readQuestion({})).toEqual({ action: null, resource: null });
  });

  it('may name an action, with or without a resource', () => {
    expect(readQuestion({ action: 'stock:item:read' })).toEqual({
      action: 'stock:item:read',
      resource: null,
    });
    expect(readQuestion({ action: 'stock:read', resource: '/a?b=c' })).toEqual({
      action: 'stock:read',
      resource: '/a?b=c',
    });
  });

  it.each([
    '',
    ' ',
    'push',
    'package:*',
    'Package:push',
    'a:b:c:d',
    'package:push ',
    `a:${'b'.repeat(64)}`,
    'a:b\n',
  ])('is refused for the action %j, since no action would open the gate', (action) => {
    expect(() => readQuestion({ action })).toThrow(/action/);
  });

  it.each(['', 'a b', 'ü', '\u0000', 'x'.repeat(1025)])('is refused for the resource %j', (resource) => {
    expect(() => readQuestion({ action: 'stock:read', resource })).toThrow(/resource/);
  });

  it('is refused for a resource without an action', () => {
    expect(() => readQuestion({ resource: 'x' })).toThrow(/action is required/);
  });
});

describe('the address of the end client', () => {
  it('may be told or not', () => {
    expect(readClientIp(undefined)).toBeNull();
    expect(readClientIp('10.0.0.1')).toBe('10.0.0.1');
    expect(readClientIp('2001:db8::1')).toBe('2001:db8::1');
  });

  it.each(['', 'localhost', '10.0.0.0/8', '10.0.0.1:80'])('is refused as %j', (ip) => {
    expect(() => readClientIp(ip)).toThrow(/ip must be/);
  });
});
