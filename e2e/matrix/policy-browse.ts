import type { Credential } from './credential.ts';
import { anybody, type Target, type Verdict } from './oracle.ts';
import type { Row } from './row.ts';
import { PACKAGE_TARGETS } from './targets.ts';

/** What people read of a gallery that is open to all: the packages of this workspace, no others. */
function onPackage(who: Credential, target: Target): Verdict {
  const verdict = anybody(who);
  return verdict === 'allow' && target.place !== 'home' ? 404 : verdict;
}

function packageRow(rest: string, path: string): Row {
  return {
    route: `GET /v1/gallery/packages/:id${rest}`,
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/gallery/packages/${target.id(who)}${path}` }),
    expect: onPackage,
  };
}

export const BROWSE_ROWS: readonly Row[] = [
  {
    route: 'GET /v1/gallery/packages',
    send: () => ({ url: '/v1/gallery/packages?limit=200' }),
    expect: (who) => anybody(who),
  },
  {
    route: 'GET /v1/gallery/packages',
    variant: 'for each package',
    targets: PACKAGE_TARGETS,
    send: (who, target) => ({ url: `/v1/gallery/packages?q=id:${target.id(who)}` }),
    expect: (who) => anybody(who),
    judge: (answer, _who, target) => {
      if (answer.body === '') return null;
      const count = answer.json<{ items: unknown[] }>().items.length;
      const wanted = target.place === 'home' ? 1 : 0;
      return count === wanted ? null : `shows ${count} packages, it ought to show ${wanted}`;
    },
  },
  packageRow('', ''),
  packageRow('/versions', '/versions'),
  packageRow('/:version', '/1.0.0'),
];

/** The packages of the matrix have no readme: whoever is let in hears just that. */
export const README_ROW: Row = {
  ...packageRow('/:version/readme', '/1.0.0/readme'),
  expect: (who) => {
    const verdict = anybody(who);
    return verdict === 'allow' ? 404 : verdict;
  },
};
