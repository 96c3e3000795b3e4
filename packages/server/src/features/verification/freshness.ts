import Type from 'typebox';
import type { Freshness } from '../../storage/index.ts';

// Stryker disable all: a table that the OpenAPI document repeats, which is compared
export const FreshnessSchema = Type.Object(
  {
    source: Type.Union([Type.Literal('database'), Type.Literal('lease')]),
    ageMs: Type.Integer({
      minimum: 0,
      description: 'How long ago, in milliseconds, the server last made sure that nothing was revoked.',
    }),
  },
  {
    $id: 'Freshness',
    additionalProperties: false,
    description:
      '`database`: the answer is as true as a read of the database now. `lease`: it may come from memory, and a revocation at another server within the last `ageMs` (at most 2,000) may be missing.',
  },
);
// Stryker restore all

/** Nothing when the answer is as true as a read; otherwise an item with a parameter (RFC 8941 3.3). */
export function freshnessHeaders({ source, ageMs }: Freshness): Readonly<Record<string, string>> {
  return source === 'database' ? {} : { 'x-keyreeve-freshness': `lease;age-ms=${ageMs}` };
}
