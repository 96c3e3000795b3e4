import { type Harness, startHarness } from '@keyreeve/testkit';
import type { RawBuilder } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containsText, startsWithText } from './like.ts';

const NAMES = ['100% sure', '1000 sure', 'under_score', 'underXscore', 'back\\slash', 'ÉCLAIR 芽衣', 'Sure'];

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  for (const [index, displayName] of NAMES.entries())
    await harness.createAccount({ kind: 'user', email: `user${index}@example.com`, displayName });
});
afterAll(() => harness.close());

async function namesWhere(condition: RawBuilder<boolean>): Promise<string[]> {
  const rows = await harness.deps.storage.read
    .selectFrom('accounts')
    .select('display_name')
    .where(condition)
    .orderBy('login_lower')
    .execute();
  return rows.map((row) => row.display_name);
}

describe('a search text', () => {
  it.each([
    ['SURE', ['100% sure', '1000 sure', 'Sure']],
    ['0% S', ['100% sure']],
    ['r_s', ['under_score']],
    ['k\\S', ['back\\slash']],
    ['%', ['100% sure']],
    ['芽', ['ÉCLAIR 芽衣']],
    ['Éclair', ['ÉCLAIR 芽衣']],
    ['éclair', []],
  ])('is found anywhere, of its letters only A to Z in either case: %s', async (text, found) => {
    expect(await namesWhere(containsText('display_name', text))).toEqual(found);
  });

  it.each([
    ['SURE', ['Sure']],
    ['100%', ['100% sure']],
    ['100', ['100% sure', '1000 sure']],
    ['UNDER_', ['under_score']],
    ['Back\\', ['back\\slash']],
    ['core', []],
  ])('is found at the beginning alone by whoever asks for that: %s', async (text, found) => {
    expect(await namesWhere(startsWithText('display_name', text))).toEqual(found);
  });
});
