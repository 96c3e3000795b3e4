import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../lib/ascii.ts';

// Only ASCII case is ignored, of the column as of the text: left to itself SQLite's LIKE minds no case and
// PostgreSQL's minds all of it.
function isLike(column: string, pattern: string): RawBuilder<boolean> {
  return sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
}

/** A search text is a text: the wildcards of LIKE have no meaning in it. */
function toPlainPattern(text: string): string {
  return asciiLower(text).replace(/[\\%_]/g, (character) => `\\${character}`);
}

/** A pattern of names in the language of LIKE: `*` is any run of characters, and nothing else is special. */
export function toLikePattern(namePattern: string): string {
  return toPlainPattern(namePattern).replace(/\*+/g, '%');
}

/** The rows whose column has this text somewhere in it. */
export function containsText(column: string, text: string): RawBuilder<boolean> {
  return isLike(column, `%${toPlainPattern(text)}%`);
}

/** The rows whose column begins with this text. */
export function startsWithText(column: string, text: string): RawBuilder<boolean> {
  return isLike(column, `${toPlainPattern(text)}%`);
}
