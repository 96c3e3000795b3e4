import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeGalleryUrl } from './gallery.url.ts';

describe('normalizeGalleryUrl', () => {
  it.each([
    ['/API/V2/Package/', '/api/v2/package/'],
    ['/Api/v2', '/api/v2'],
    ['//api/v2/package', '/api/v2/package'],
    ['/api//v2///package//Acme.A/1.0.0', '/api/v2/package/Acme.A/1.0.0'],
    ['/NuGet/Acme.A/1.0.0-Beta', '/nuget/Acme.A/1.0.0-Beta'],
    ['/api/V2/Acme.A/1.0.0-RC', '/api/v2/Acme.A/1.0.0-RC'],
    ['/API/V2?Id=X', '/api/v2?Id=X'],
    ["/API/V2/Packages(Id='Acme.A',Version='1.0.0')", "/api/v2/Packages(Id='Acme.A',Version='1.0.0')"],
    ["/API/V2/FindPackagesById()?id='A//B'", "/api/v2/FindPackagesById()?id='A//B'"],
    ['/api/v2/PackageX/1.0.0', '/api/v2/PackageX/1.0.0'],
  ])('folds the fixed part of %s', (url, expected) => {
    expect(normalizeGalleryUrl(url)).toBe(expected);
  });

  it.each([
    ['http://localhost:8080/API/V2/Packages()?$top=1', '/api/v2/Packages()?$top=1'],
    ['HTTPS://keys.example.com/V3/Index.json', '/v3/index.json'],
    ['http://localhost:8080//nuget', '/nuget'],
  ])('takes the absolute form that a proxy may send (RFC 9112 3.2.2): %s', (url, expected) => {
    expect(normalizeGalleryUrl(url)).toBe(expected);
  });

  it.each([
    '/',
    '//',
    '/?next=//api/v2',
    '/v1/keys/kr_AbC',
    '/V30/index.json',
    '/API/V20/x',
    '/apiv2',
    '/Nugets',
    '/nuget.exe',
    '/v1//API/V2',
    '*',
    '',
  ])('leaves %s alone', (url) => {
    expect(normalizeGalleryUrl(url)).toBe(url);
  });

  it.each([
    ['/V3/Index.json', '/v3/index.json'],
    ['//v3//Flat/Acme.Tools/1.0.0-Beta+A/x', '/v3/flat/acme.tools/1.0.0-beta+a/x'],
    ['/v3/search?q=Acme//Tools', '/v3/search?q=Acme//Tools'],
    ['/V3/Search?q=/V3/A', '/v3/search?q=/V3/A'],
    ['/v3/flat/K\u212A/index.json', '/v3/flat/k\u212A/index.json'],
  ])('folds the whole path of the V3 protocol, not its query: %s', (url, folded) => {
    expect(normalizeGalleryUrl(url)).toBe(folded);
  });

  it('changes nothing but case and slashes in front of the id, and nothing the second time', () => {
    const rest = fc.stringMatching(/^[A-Za-z0-9_.?=&%-]{1,30}(\/[A-Za-z0-9.+-]{0,20})?$/);
    const prefix = fc.constantFrom('/API/V2/', '/nuget/', '//Api//v2/', '/api/v2/package/', '/v1/', '/');
    fc.assert(
      fc.property(prefix, rest, (before, after) => {
        const once = normalizeGalleryUrl(before + after);
        expect(
          once.endsWith(after) ||
            after.toLowerCase().startsWith('package') ||
            after.toLowerCase().startsWith('api') ||
            after.toLowerCase().startsWith('nuget'),
        ).toBe(true);
        expect(normalizeGalleryUrl(once)).toBe(once);
      }),
    );
  });

  it('takes no time for long runs of slashes', () => {
    const startedAt = performance.now();
    normalizeGalleryUrl(`${'/'.repeat(16_000)}api${'/'.repeat(16_000)}v3`);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
