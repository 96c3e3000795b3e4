import { describe, expect, it } from 'vitest';
import { parseSharedJson, shareText } from './shared-json.ts';

describe('parseSharedJson', () => {
  it('gives the value that JSON.parse gives, the same one for the same text', () => {
    const text = '[{"actions":["orders:read"],"resources":["*"]}]';
    expect(parseSharedJson(text)).toEqual(JSON.parse(text));
    expect(parseSharedJson(text)).toBe(parseSharedJson(text));
    expect(() => parseSharedJson('{')).toThrow(SyntaxError);
  });

  it('lets nobody change what others have too, however deep', () => {
    const value = parseSharedJson('[{"actions":["orders:read"]}]') as { actions: string[] }[];
    expect(() => value[0]?.actions.push('orders:write')).toThrow(TypeError);
    expect(() => value.pop()).toThrow(TypeError);
    const large = parseSharedJson(JSON.stringify(['x'.repeat(2_000)])) as string[];
    expect(() => large.pop()).toThrow(TypeError);
  });

  it('keeps a bounded number of texts, and no long ones', () => {
    const first = parseSharedJson('["first"]');
    for (let index = 0; index < 2_000; index += 1) parseSharedJson(`["${index}"]`);
    expect(parseSharedJson('["first"]')).not.toBe(first);
    const long = JSON.stringify(['x'.repeat(1_000)]);
    expect(parseSharedJson(long)).not.toBe(parseSharedJson(long));
  });
});

describe('shareText', () => {
  it('gives the text that it is given, also beyond its bounds', () => {
    for (const text of [
      '',
      'scoped',
      'x'.repeat(2_000),
      ...Array.from({ length: 2_100 }, (_, n) => `id_${n}`),
    ])
      expect(shareText(text)).toBe(text);
  });
});
