import { ADMIN_EMAIL, expect, test } from './fixtures.ts';
import { countScripts } from './initial-scripts.ts';

/** The budget of the design, in kilobytes as they travel. */
const INITIAL_SCRIPT_BYTES_MAX = 250_000;

for (const [name, path, as] of [
  ['the sign-in page', '/sign-in', null],
  ['the first page behind the sign-in', '/overview', ADMIN_EMAIL],
] as const) {
  test(`${name} loads less than 250 kB of compressed JavaScript`, async ({ visit }) => {
    const { bytes, scripts } = await countScripts(await visit({ as }), path);
    console.log(`    ${path}: ${bytes} bytes in ${scripts} scripts`);
    // A number of nothing, or of files that travelled as they are, would prove nothing.
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(INITIAL_SCRIPT_BYTES_MAX);
  });
}
