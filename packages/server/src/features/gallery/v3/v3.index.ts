import { createV3Urls } from './v3.urls.ts';

/**
 * The service index. Symbols, signatures of the repository and known vulnerabilities are left out on purpose: a
 * client that sees the first two uses them, the second only over https, and an empty list of the third is a fault.
 */
export function presentServiceIndex(base: string) {
  const urls = createV3Urls(base);
  const plain = urls.registrationBase('semver1');
  const resources: [string, string, string][] = [
    ['PackageBaseAddress/3.0.0', urls.flatBase, 'Package files by exact version.'],
    ['RegistrationsBaseUrl', plain, 'Metadata of packages.'],
    ['RegistrationsBaseUrl/3.0.0-beta', plain, 'Metadata of packages.'],
    ['RegistrationsBaseUrl/3.0.0-rc', plain, 'Metadata of packages.'],
    ['RegistrationsBaseUrl/3.4.0', plain, 'Metadata of packages, compressed for those who accept it.'],
    ['RegistrationsBaseUrl/3.6.0', urls.registrationBase('semver2'), 'The same with SemVer 2 versions.'],
    ['RegistrationsBaseUrl/Versioned', urls.registrationBase('semver2'), 'The same with SemVer 2 versions.'],
    ...['', '/3.0.0-beta', '/3.0.0-rc', '/3.5.0'].map((version): [string, string, string] => [
      `SearchQueryService${version}`,
      urls.search,
      'Search for packages.',
    ]),
    ...['', '/3.0.0-beta', '/3.0.0-rc', '/3.5.0'].map((version): [string, string, string] => [
      `SearchAutocompleteService${version}`,
      urls.autocomplete,
      'Ids and versions while they are being typed.',
    ]),
    ['PackagePublish/2.0.0', urls.publish, 'Push, unlist and relist.'],
    ['LegacyGallery', urls.legacy, 'The V2 feed.'],
    ['LegacyGallery/2.0.0', urls.legacy, 'The V2 feed.'],
    ['ReadmeUriTemplate/6.13.0', urls.readmeTemplate, 'The read-me of a version.'],
    ['PackageDetailsUriTemplate/5.1.0', urls.detailsTemplate, 'The page of a version, for people.'],
  ];
  return {
    version: '3.0.0',
    resources: resources.map(([type, id, comment]) => ({ '@id': id, '@type': type, comment })),
  };
}
