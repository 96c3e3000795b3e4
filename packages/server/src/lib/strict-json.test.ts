import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_DEPTH_MAX, JsonFault, parseStrictJson } from './strict-json.ts';

function faultOf(text: string): string {
  try {
    parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonFault) return error.message;
    throw error;
  }
  return 'no fault';
}

describe('parseStrictJson', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"a":2}',
    String.raw`{"a\"b":1,"a\u0022b":2}`,
    String.raw`{"\/":1,"/":2}`,
    '{"x":{"a":1,"b":[{}],"a":2}}',
    '[{"a":1},{"a":1,"a":1}]',
    '{ "a" : {"a":[]} , "a" : 2 }',
    '{"":1,"":2}',
  ])('refuses %s: two parsers may read it differently', (text) => {
    expect(faultOf(text)).toContain('is named twice');
  });

  it('allows the same name in different objects, and as a value', () => {
    const text = '{"a":{"a":"a"},"b":[{"a":1},{"a":2},"a","a"],"c":"a,\\"a\\":1"}';
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '__proto__',
    'constructor',
    'prototype',
    String.raw`\u005f_proto__`,
    String.raw`construct\u006Fr`,
  ])('refuses the member %s at any depth', (name) => {
    expect(faultOf(`{"${name}":{"admin":true}}`)).toContain('is not allowed');
    expect(faultOf(`[{"a":[{"${name}":1}]}]`)).toContain('is not allowed');
  });

  it('allows those words as values', () => {
    expect(parseStrictJson('["__proto__",{"name":"constructor"}]')).toEqual([
      '__proto__',
      { name: 'constructor' },
    ]);
  });

  it(`accepts ${JSON_DEPTH_MAX} levels and refuses one more`, () => {
    const nest = (open: string, close: string, levels: number) =>
      `${open.repeat(levels)}${close.repeat(levels)}`;
    expect(faultOf(nest('[', ']', JSON_DEPTH_MAX))).toBe('no fault');
    expect(faultOf(nest('[', ']', JSON_DEPTH_MAX + 1))).toContain('nested deeper');
    expect(faultOf(`${'{"a":'.repeat(JSON_DEPTH_MAX + 1)}1${'}'.repeat(JSON_DEPTH_MAX + 1)}`)).toContain(
      'nested deeper',
    );
    expect(faultOf(nest('[', ']', 100_000))).toContain('nested deeper');
  });

  it('does not count levels that were left again, or brackets within texts', () => {
    expect(faultOf(`[${'[[]],'.repeat(100)}1]`)).toBe('no fault');
    expect(faultOf(JSON.stringify('['.repeat(100)))).toBe('no fault');
  });

  it('tolerates one byte order mark and no second one', () => {
    expect(parseStrictJson('\uFEFF{"a":1}')).toEqual({ a: 1 });
    expect(faultOf('\uFEFF\uFEFF{"a":1}')).toContain('not valid JSON');
  });

  it('refuses unpaired surrogates, raw or escaped, in names and in values', () => {
    for (const text of [
      '"\uD800"',
      String.raw`"\ud800"`,
      String.raw`{"\uDC00":1}`,
      String.raw`["a\ud83dx"]`,
    ]) {
      expect(faultOf(text)).toContain('surrogate');
    }
    expect(parseStrictJson(String.raw`"\ud83d\ude00"`)).toBe('\u{1F600}');
  });

  it('refuses the character U+0000, which one of the two databases cannot store', () => {
    for (const text of [String.raw`"a\u0000b"`, String.raw`{"\u0000":1}`])
      expect(faultOf(text)).toContain('U+0000');
    expect(parseStrictJson(String.raw`"\\u0000"`)).toBe(String.raw`\u0000`);
  });

  it.each(['', ' ', '{', '{"a"}', '[1,]', "{'a':1}", 'NaN', '{"a":1}x', '"\n"', '01', '\u00A01'])(
    'refuses %j as no JSON',
    (text) => expect(faultOf(text)).toContain('not valid JSON'),
  );

  it('never repeats a long member name in its message', () => {
    const name = 'k'.repeat(10_000);
    expect(faultOf(`{"${name}":1,"${name}":2}`).length).toBeLessThan(200);
  });

  it('reads every value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!/__proto__|constructor|prototype|\\u0000|\\ud[89a-f]/i.test(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts nothing that JSON.parse refuses, whatever the characters', () => {
    const characters = fc.constantFrom(...'{}[]",:\\ua0 1-eE.+/tfn\n'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 24 }), (text) => {
        let parsed: { readonly value: unknown } | null = null;
        try {
          parsed = { value: JSON.parse(text) as unknown };
        } catch {
          expect(() => parseStrictJson(text)).toThrow(JsonFault);
        }
        if (parsed !== null && faultOf(text) === 'no fault')
          expect(parseStrictJson(text)).toEqual(parsed.value);
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads 64 KiB of members, or of brackets and quotes, within 100 ms of processor time', () => {
    const members = `{${Array.from({ length: 6_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
    const escapes = `"${String.raw`\u0061`.repeat(10_000)}"`;
    const before = process.cpuUsage();
    parseStrictJson(members);
    parseStrictJson(escapes);
    parseStrictJson(`[${'"",'.repeat(20_000)}1]`);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(100_000);
  });
});
