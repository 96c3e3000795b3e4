import { describe, expect, it } from 'vitest';
import { asciiLower } from './ascii.ts';

describe('asciiLower', () => {
  it('lowers every ASCII capital and keeps all other ASCII characters', () => {
    expect(asciiLower('AZaz09_.-[]@`{')).toBe('azaz09_.-[]@`{');
    expect(asciiLower('AzureRM.DataFactoryV2')).toBe('azurerm.datafactoryv2');
  });

  it('never lets a foreign letter meet an ASCII one', () => {
    for (const foreign of ['\u212A', '\u0130', '\u00C9', '\u017F']) expect(asciiLower(foreign)).toBe(foreign);
  });

  it('agrees with itself: lowering twice changes nothing, and the length stays', () => {
    const text = 'Straße.İ.K\u212A.ÅB';
    expect(asciiLower(asciiLower(text))).toBe(asciiLower(text));
    expect(asciiLower(text)).toHaveLength(text.length);
  });
});
