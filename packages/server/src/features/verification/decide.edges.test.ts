import { describe, expect, it } from 'vitest';
import { freshnessHeaders } from './freshness.ts';
import { readClientIp, readQuestion } from './question.ts';

describe('an answer', () => {
  it('tells when it may come from memory, and how old that is', () => {
    expect(freshnessHeaders({ source: 'lease', ageMs: 120 })).toEqual({
      'x-keyreeve-freshness': 'lease;age-ms=120',
    });
    expect(freshnessHeaders({ source: 'database', ageMs: 0 })).toEqual({});
  });
});

describe('a question that cannot be decided', () => {
  it.each([
    ['action', () => readQuestion({ action: 'push' })],
    ['action', () => readQuestion({ resource: 'a' })],
    ['resource', () => readQuestion({ action: 'stock:read', resource: 'a b' })],
    ['ip', () => readClientIp('here')],
  ])('is refused for its %s by name', (field, ask) => {
    expect(ask).toThrow(
      expect.objectContaining({ code: 'request.invalid', fields: [expect.objectContaining({ field })] }),
    );
  });

  it('has at most 1,024 characters of resource', () => {
    const longest = 'x'.repeat(1_024);
    expect(readQuestion({ action: 'stock:read', resource: longest }).resource).toBe(longest);
  });
});
