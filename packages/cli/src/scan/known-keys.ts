import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { ID_CHARACTERS } from './key-shape.ts';

const API_KEY = new RegExp(`^[a-z]{2,8}_[0-9A-Za-z]{${ID_CHARACTERS}}$`);

/** A parser for commander: an API key that is left out; may be repeated. What is none would leave out nothing. */
export function knownKeys(text: string, before: readonly string[] = []): string[] {
  if (!API_KEY.test(text)) throw new InvalidArgumentError('Give an API key, like kr_0123456789ABCDEF.');
  return [...before, text];
}

/** A parser for commander: a file of API keys that are left out, one a line, with comments behind `#`. */
export function knownKeysFile(file: string, before: readonly string[] = []): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new InvalidArgumentError('It cannot be read.');
  }
  const keys = [...before];
  for (const [index, line] of text.split('\n').entries()) {
    const key = line.replace(/#.*/, '').trim();
    if (key === '') continue;
    // The line is not repeated: it may hold a secret.
    if (!API_KEY.test(key)) throw new InvalidArgumentError(`Its line ${index + 1} is no API key.`);
    keys.push(key);
  }
  return keys;
}
