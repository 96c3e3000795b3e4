import Type, { type Static } from 'typebox';
import { requestErrors } from '../../errors/index.ts';
import type { PushPlan } from './gallery.service.ts';

export const PushCheckSchema = Type.Object(
  {
    dryRun: Type.Literal(true),
    id: Type.String(),
    version: Type.String(),
    isNew: Type.Boolean({ description: 'The id is not there yet; it would belong to the owner.' }),
    ownerId: Type.String({ description: 'The account that the key acts for.' }),
    sizeBytes: Type.Integer(),
    sha512: Type.String({ description: 'Of the file, as lower-case hex.' }),
    message: Type.String(),
  },
  { additionalProperties: false, description: 'Of a dry run: what a push would do.' },
);

const YES = ['true', '1', ''];
const NO = ['false', '0'];

/**
 * Whether a push is to be checked alone. The name counts in any case and with a dash, and a value that is neither yes
 * nor no is refused: whoever mistypes it must not publish.
 *
 * @throws request.invalid
 */
export function readsDryRun(url: string): boolean {
  const start = url.indexOf('?');
  if (start < 0) return false;
  const values = [...new URLSearchParams(url.slice(start))]
    .filter(([name]) => name.toLowerCase().replace(/[-_]/g, '') === 'dryrun')
    .map(([, value]) => value.toLowerCase());
  if (values.every((value) => NO.includes(value))) return false;
  if (values.every((value) => YES.includes(value))) return true;
  throw requestErrors.invalid({ detail: 'dryRun must be true or false. Nothing was stored.' });
}

/** For all that changes packages and is no push. @throws request.invalid */
export function refuseDryRun(url: string): void {
  if (readsDryRun(url))
    throw requestErrors.invalid({ detail: 'Only a push can be a dry run. Nothing was changed.' });
}

export function toPlanText({ id, version, isNew }: PushPlan): string {
  const what = isNew ? `publish ${id} ${version} as a new package` : `add ${version} to ${id}`;
  return `Dry run: a push would ${what}. Nothing was stored.`;
}

export function presentPlan(plan: PushPlan): Static<typeof PushCheckSchema> {
  return {
    dryRun: true,
    id: plan.id,
    version: plan.version,
    isNew: plan.isNew,
    ownerId: plan.ownerId,
    sizeBytes: plan.sizeBytes,
    sha512: plan.sha512,
    message: toPlanText(plan),
  };
}
