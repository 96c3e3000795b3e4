import type { Credential } from './credential.ts';
import { anybody, type Target, type Verdict } from './oracle.ts';
import type { Row } from './row.ts';
import { PACKAGE_TARGETS } from './targets.ts';

/** What a package client reads of a gallery that is open to all: the packages of this workspace, no others. */
function onPackage(who: Credential, target: Target): Verdict {
  const verdict = anybody(who);
  return verdict === 'allow' && target.place !== 'home' ? 404 : verdict;
}

function packageRow(route: string, path: (id: string) => string): Row {
  return {
    route: `GET ${route}`,
    targets: PACKAGE_TARGETS,
    shape: 'text',
    send: (who, target) => ({ url: path(target.id(who)) }),
    expect: onPackage,
  };
}

function listRow(path: string): Row {
  return {
    route: `GET ${path}`,
    shape: 'text',
    send: () => ({ url: `${path}?take=1000&prerelease=true` }),
    expect: (who) => anybody(who),
  };
}

/** A search shows nothing of another workspace. */
function searchRow(path: string, variant: string): Row {
  return {
    route: `GET ${path}`,
    variant,
    targets: PACKAGE_TARGETS,
    shape: 'text',
    send: (who, target) => ({ url: `${path}?q=${target.id(who)}&take=1000&prerelease=true` }),
    expect: (who) => anybody(who),
    judge: (answer, who, target) => {
      if (answer.body === '') return null;
      const isShown = answer.body.toLowerCase().includes(`"${target.id(who).toLowerCase()}"`);
      if (isShown === (target.place === 'home')) return null;
      return isShown ? 'shows a package of nowhere or of elsewhere' : 'lacks a package';
    },
  };
}

const HIVES = ['/v3/registration', '/v3/registration-semver2'];

export const V3_ROWS: readonly Row[] = [
  listRow('/v3/index.json'),
  listRow('/v3/search'),
  listRow('/v3/autocomplete'),
  searchRow('/v3/search', 'for each package'),
  searchRow('/v3/autocomplete', 'for each package'),
  packageRow('/v3/flat/:id/index.json', (id) => `/v3/flat/${id}/index.json`),
  packageRow('/v3/flat/:id/:version/:file', (id) => `/v3/flat/${id}/1.0.0/${id}.1.0.0.nupkg`),
  ...HIVES.flatMap((hive) => [
    packageRow(`${hive}/:id/index.json`, (id) => `${hive}/${id}/index.json`),
    packageRow(`${hive}/:id/:leaf`, (id) => `${hive}/${id}/1.0.0.json`),
    packageRow(`${hive}/:id/page/:lower/:upper`, (id) => `${hive}/${id}/page/1.0.0/1.0.0.json`),
  ]),
];
