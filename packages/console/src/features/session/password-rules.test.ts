import { describe, expect, test } from 'vitest';
import { checkPassword } from './password-rules.ts';

const MIO = ['mio.tachibana@hayama.example', 'Mio Tachibana'];

describe('the rules of a password, while it is typed', () => {
  test('tick the length from the twelfth character on, however it is written', () => {
    expect(checkPassword('elevenchars', []).length).toBe('open');
    expect(checkPassword('twelve chars', []).length).toBe('met');
    expect(checkPassword('🗝️'.repeat(5), []).length).toBe('open');
    expect(checkPassword('海'.repeat(12), []).length).toBe('met');
  });

  test('tick the names once more than names is there', () => {
    expect(checkPassword('', MIO).names).toBe('open');
    expect(checkPassword('MioTachibana', MIO).names).toBe('open');
    expect(checkPassword('mio.tachibana', MIO).names).toBe('open');
    expect(checkPassword('hayama.example1', MIO).names).toBe('open');
    expect(checkPassword('mio likes ferries', MIO).names).toBe('met');
    expect(checkPassword('橘美緒橘美緒橘美緒', ['橘美緒']).names).toBe('open');
  });

  test('mind no name that is shorter than three characters', () => {
    expect(checkPassword('lilili', ['Li']).names).toBe('met');
  });
});
