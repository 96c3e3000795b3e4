import type { Credential } from './credential.ts';
import { anybody, type Target, type Verdict } from './oracle.ts';
import type { Answer, Row } from './row.ts';
import { PACKAGE_TARGETS } from './targets.ts';

/** The V2 feed is for everybody, and shows the packages of its own workspace alone. */
function onEntry(who: Credential, target: Target): Verdict {
  const verdict = anybody(who);
  return verdict === 'allow' && target.place !== 'home' ? 404 : verdict;
}

function judgeVersions(answer: Answer, _who: Credential, target: Target): string | null {
  const found = answer.body.split('<entry>').length - 1;
  const wanted = target.place === 'home' ? 1 : 0;
  return found === wanted ? null : `the feed shows ${found} versions, it ought to show ${wanted}`;
}

function rowsAt(root: string): Row[] {
  const common = {
    route: `GET ${root}/*`,
    isHidden: true,
    targets: PACKAGE_TARGETS,
    shape: 'odata',
  } as const;
  return [
    {
      route: `GET ${root}`,
      isHidden: root !== '/api/v2',
      shape: 'odata',
      send: () => ({ url: root }),
      expect: (who) => anybody(who),
    },
    {
      ...common,
      variant: 'all versions',
      send: (who, target) => ({ url: `${root}/FindPackagesById()?id='${target.id(who)}'` }),
      expect: (who) => anybody(who),
      judge: judgeVersions,
    },
    {
      ...common,
      variant: 'one version',
      send: (who, target) => ({ url: `${root}/Packages(Id='${target.id(who)}',Version='1.0.0')` }),
      expect: onEntry,
    },
    {
      ...common,
      variant: 'the latest release',
      send: (who, target) => ({ url: `${root}/package/${target.id(who)}` }),
      expect: onEntry,
    },
  ];
}

export const ODATA_ROWS: readonly Row[] = ['/api/v2', '/nuget'].flatMap(rowsAt);
