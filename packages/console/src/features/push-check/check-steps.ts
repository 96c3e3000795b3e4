import type { PackageCheck } from '@keyreeve/sdk';

/** What a push is asked, in the order of the server: the first refusal is the answer, and the rest is not asked. */
const STEPS = ['key', 'file', 'scope', 'owner', 'reserved', 'version', 'quota'] as const;
export type StepName = (typeof STEPS)[number];
export type StepState = 'passed' | 'failed' | 'open';

export interface Step {
  readonly name: StepName;
  readonly state: StepState;
}

const REFUSED_AT: Readonly<Record<string, StepName | undefined>> = {
  'package.key_refused': 'key',
  'package.unreadable': 'file',
  'package.too_large': 'file',
  'package.not_permitted': 'scope',
  'package.owner_unusable': 'owner',
  'package.not_owner': 'owner',
  'package.id_reserved': 'reserved',
  'package.exists': 'version',
  'package.quota_reached': 'quota',
};

/** A key without any right to push is refused before the package is read. */
function refusedAt({ refusal, package: read }: PackageCheck): StepName | null {
  if (refusal === null) return null;
  const step = REFUSED_AT[refusal.code] ?? null;
  return step === 'scope' && read === null ? 'key' : step;
}

/** How far a push would come. Reservations are about new ids alone, and versions about those that are there. */
export function toSteps(check: PackageCheck): readonly Step[] {
  const refused = refusedAt(check);
  const asked = STEPS.filter(
    (name) =>
      !(name === 'reserved' && check.isNew === false) && !(name === 'version' && check.isNew === true),
  );
  // A refusal that this page does not know may have come at any step: none is said to have passed.
  const failedIndex = check.refusal === null ? asked.length : refused === null ? -1 : asked.indexOf(refused);
  return asked.map((name, index) => ({
    name,
    state: index === failedIndex ? 'failed' : index < failedIndex ? 'passed' : 'open',
  }));
}
