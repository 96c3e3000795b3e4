import type { Deps } from '../deps.ts';
import { type SeedPackage, seedPackages } from '../features/gallery/index.ts';
import { systemCaller } from '../http/index.ts';
import { inTransaction } from '../storage/index.ts';

const PACKAGES_AT_ONCE = 25;
// Every so many packages one has many versions, as in galleries of the real world.
const LONG_EVERY = 100;
const LONG_VERSIONS = 109;
const SHORT_VERSIONS = 9;

const COMPANIES = ['Acme', 'Aozora', 'Contoso', 'Fabrikam', 'Northwind', 'Tailspin', 'Umbrella', 'Wingtip'];
const AREAS = [
  'Azure',
  'Billing',
  'Data',
  'Http',
  'Identity',
  'Logging',
  'Mobile',
  'Storage',
  'Testing',
  'Web',
];
const KINDS = ['Abstractions', 'Client', 'Core', 'Extensions', 'Factory', 'Server', 'Tools'];
/** Words of the measures: in one package of two thousand, and in every one. */
export const RARE_WORD = 'quokka';
export const BROAD_WORD = 'library';
const RARE_EVERY = 2_000;

/** The package of this number; the same number always gives the same package. */
function makePackage(number: number): SeedPackage {
  const pick = (words: readonly string[], step: number) =>
    words[Math.floor(number / step) % words.length] ?? '';
  const company = pick(COMPANIES, 1);
  const area = pick(AREAS, COMPANIES.length);
  const kind = pick(KINDS, COMPANIES.length * AREAS.length);
  const rare = number % RARE_EVERY === 7 ? ` The ${RARE_WORD} is its mascot.` : '';
  const id = `${company}.${area}.${kind}${number}`;
  const count = number % LONG_EVERY === 0 ? LONG_VERSIONS : SHORT_VERSIONS;
  return {
    id,
    title: `${company} ${area} ${kind}`,
    description:
      `A ${BROAD_WORD} for ${area.toLowerCase()} in the systems of ${company}: it offers the ${kind.toLowerCase()} that ` +
      `services need to work with ${area.toLowerCase()} safely, with retries, deadlines and traces.${rare}`,
    tags: `${area.toLowerCase()} ${kind.toLowerCase()} ${company.toLowerCase()} dotnet`,
    authors: `${company} Works`,
    versions: Array.from({ length: count }, (_, minor) =>
      minor % 5 === 3 ? `1.${minor}.0-preview.${minor}` : `1.${minor}.0`,
    ),
    dependencies: [`${company}.${area}.Core`, 'Newtonsoft.Json'],
  };
}

/** The id of the package of this number. */
export function seededId(number: number): string {
  return makePackage(number).id;
}

/**
 * Fills the gallery of the default workspace with packages that are alike but not equal, ten versions each on
 * average. Returns how many versions there are.
 */
export async function fillGallery(
  deps: Deps,
  options: { readonly packages: number; readonly onProgress?: (done: number) => void },
): Promise<number> {
  const caller = systemCaller(deps.defaultWorkspace, 'seeding');
  const owner = await inTransaction(
    deps.storage,
    async (tx) =>
      await deps.accounts.createInside(tx, caller, {
        kind: 'service',
        technicalName: 'gallery-seed',
        displayName: 'Gallery seed',
      }),
  );
  const by = { ownerId: owner.id, pushedAt: deps.clock.now() };
  let versions = 0;
  for (let start = 0; start < options.packages; start += PACKAGES_AT_ONCE) {
    const count = Math.min(PACKAGES_AT_ONCE, options.packages - start);
    const batch = Array.from({ length: count }, (_, index) => makePackage(start + index));
    await seedPackages(deps, caller, by, batch);
    versions += batch.reduce((sum, one) => sum + one.versions.length, 0);
    options.onProgress?.(start + count);
  }
  return versions;
}
