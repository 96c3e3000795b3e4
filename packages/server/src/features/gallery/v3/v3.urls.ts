import type { SemVerLevel } from '../feed-entries.repo.ts';

/** The part of an address that clients replace: ids and versions in lower case. */
export interface V3Urls {
  readonly index: string;
  readonly flatBase: string;
  readonly search: string;
  readonly autocomplete: string;
  readonly publish: string;
  readonly legacy: string;
  readonly detailsTemplate: string;
  readonly readmeTemplate: string;
  registrationBase(level: SemVerLevel): string;
  registration(level: SemVerLevel, idLower: string): string;
  registrationPage(level: SemVerLevel, idLower: string, lower: string, upper: string): string;
  leaf(level: SemVerLevel, idLower: string, versionLower: string): string;
  /** The version in its own casing: PSResourceGet looks for it in the address, minding case. */
  nupkg(idLower: string, version: string): string;
  /** A file of the package by what it is for. */
  file(idLower: string, versionLower: string, kind: 'readme' | 'icon' | 'license'): string;
}

/** Hives of registrations: clients before SemVer 2 get one without such versions. */
export const HIVES: readonly { readonly level: SemVerLevel; readonly path: string }[] = [
  { level: 'semver1', path: '/v3/registration' },
  { level: 'semver2', path: '/v3/registration-semver2' },
];

/** The absolute addresses of a workspace, from its configured URL: answers never repeat the host of a request. */
export function createV3Urls(base: string): V3Urls {
  const flatBase = `${base}/v3/flat/`;
  const hive = (level: SemVerLevel): string =>
    `${base}${HIVES.find((one) => one.level === level)?.path ?? ''}/`;
  return {
    index: `${base}/v3/index.json`,
    flatBase,
    search: `${base}/v3/search`,
    autocomplete: `${base}/v3/autocomplete`,
    publish: `${base}/api/v2/package`,
    legacy: `${base}/api/v2`,
    detailsTemplate: `${base}/packages/{id}/{version}`,
    readmeTemplate: `${flatBase}{lower_id}/{lower_version}/readme`,
    registrationBase: hive,
    registration: (level, idLower) => `${hive(level)}${idLower}/index.json`,
    registrationPage: (level, idLower, lower, upper) =>
      `${hive(level)}${idLower}/page/${lower}/${upper}.json`,
    leaf: (level, idLower, versionLower) => `${hive(level)}${idLower}/${versionLower}.json`,
    nupkg: (idLower, version) => `${flatBase}${idLower}/${version}/${idLower}.${version}.nupkg`,
    file: (idLower, versionLower, kind) => `${flatBase}${idLower}/${versionLower}/${kind}`,
  };
}
