import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { wordDetail } from './detail-sentences.ts';

const READER = path.resolve(import.meta.dirname, '../../../server/src/features/gallery/nupkg');

/** Beginnings of the sentences that the reader of packages says, as they stand in its source. */
function sentences(): string[] {
  const sources = readdirSync(READER)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(path.join(READER, name), 'utf8'));
  const found = sources.flatMap((text) => [
    ...text.matchAll(/['`]((?:The|A|One|Reading|Failed to) [^'`\n]{16,})['`]/g),
  ]);
  const texts = found.map((match) => (match[1] ?? '').replaceAll(/\$\{[^}]*\}/g, '7'));
  // What the reader says to itself speaks of none of these.
  return [...new Set(texts)].filter((text) => /package|manifest|\bfiles?\b|fields?/i.test(text));
}

test('every fault that the reader of packages names is told in Japanese', () => {
  expect(sentences().length).toBeGreaterThan(30);
  // What follows in the next line of the source is the rest of the sentence.
  const untold = sentences().filter(
    (text) => !/[ぁ-ん].*。$/.test(wordDetail(text.endsWith(' ') ? `${text}rest.` : text, 'ja') ?? ''),
  );
  expect(untold).toEqual([]);
});
