import type { Credential } from './credential.ts';
import { seesPackage, type Verdict } from './oracle.ts';
import { BROWSE_ROWS, README_ROW } from './policy-browse.ts';
import { GALLERY_ROWS, onListing } from './policy-gallery.ts';
import { ODATA_ROWS } from './policy-odata.ts';
import { V3_ROWS } from './policy-v3.ts';
import type { Row } from './row.ts';

/** No door opens without a credential; a session opens it only for the pages of the workspace itself. */
function knock({ facts, isCrossSite }: Credential): number | null {
  if (facts.kind === 'astray') return 421;
  if (facts.kind === 'ambiguous') return 400;
  if (facts.kind === 'nobody' || facts.kind === 'bad') return 401;
  return facts.kind === 'session' && isCrossSite ? 401 : null;
}

/**
 * A row of the open gallery, read once more where the workspace has closed it: what the caller may not read is as if
 * it were not there, in lists as by its name.
 */
function behindDoor(row: Row): Row {
  const { judge } = row;
  const isList = judge !== undefined || row.targets === undefined;
  const expect: Row['expect'] = (who, target): Verdict =>
    knock(who) ?? (isList || seesPackage(who, target) ? 'allow' : 404);
  const closed = { ...row, variant: `${row.variant ?? 'all of it'}, in a private gallery`, expect };
  if (judge === undefined) return closed;
  return {
    ...closed,
    judge: (answer, who, target) =>
      judge(answer, who, seesPackage(who, target) ? target : { ...target, place: 'nowhere' }),
  };
}

const downloads = GALLERY_ROWS.filter((row) => row.route === 'GET /api/v2/package/:id/:version');

/** Whoever may neither change nor read it is told what he would hear if it were not there. */
const hiding: readonly Row[] = GALLERY_ROWS.filter((row) =>
  /^(DELETE|POST) .api.v2.package.:id.:version$|^PUT .api.v2.package.:id.deprecations$/.test(row.route),
).map((row) => ({
  ...row,
  variant: 'in a private gallery',
  expect: (who, target) => {
    const verdict = onListing(who, target);
    return verdict === 403 && who.facts.kind === 'key' && !seesPackage(who, target) ? 404 : verdict;
  },
}));

const closedReadme: Row = { ...behindDoor(README_ROW), expect: (who) => knock(who) ?? 404 };

export const PRIVATE_ROWS: readonly Row[] = [
  ...[...ODATA_ROWS, ...V3_ROWS, ...BROWSE_ROWS, ...downloads].map(behindDoor),
  closedReadme,
  ...hiding,
];
