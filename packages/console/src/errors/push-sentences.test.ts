import { expect, test } from 'vitest';
import { wordDetail } from './detail-sentences.ts';

/** As the server says them; the tests of denials hold it to these words. */
const SENTENCES = [
  'This API key may push new packages that match AzureRM.DataFactory*; Other.Package does not match',
  'This API key may push new versions of packages that match A.*, B.* and 3 more; Other does not match',
  'This API key may not push new packages; it may push new versions of packages that match Acme.*, B*, and unlist or relist packages that match *.',
  'This API key may not push new packages.',
  'This API key may not push packages, neither new ones nor new versions; it may unlist or relist packages that match *.',
  'The account of this API key is granted package:pushnew on Acme.*; Other.A does not match. Ask an administrator to grant it',
  'The account of this API key is not granted package:pushnew on Other.A. Ask an administrator to grant it',
  'The account of this API key is not granted package:pushversion. Ask an administrator to grant it',
  'This API key acts for build-robot, which is not an owner of Acme.Tool. Use a key that acts for one of its owners, or ask them to add this one',
  'This API key acts for its own account, which is not an owner of Acme.Tool. Use a key that acts for one of its owners, or ask them to add this one',
  'This package ID has been reserved (AzureRM.*). Ask the owner of the reserved prefix or an administrator for access to it, or push under a different ID.',
  'This package ID has been reserved (AzureRM.*). Ask an administrator for it, or push under a different ID.',
  "A package with ID 'Acme.Tool' and version '1.0.0' already exists and cannot be modified.",
  'The owner has 20 of 20 packages (maxPackagesPerAccount). Push new versions of its packages, use another owner, or have an administrator raise the limit.',
  'The package has 1,000 of 1,000 versions (maxVersionsPerPackage). Go on under a new id, or have an administrator raise the limit.',
  'The packages of the owner have 10 of 12 bytes, and this needs 3 (maxGalleryBytesPerAccount). Push smaller packages, use another owner, or have an administrator raise the limit.',
  'This API key has expired (since 2027-03-02T09:00:00Z). Regenerate it; its id and scopes stay the same.',
  'This API key is disabled. Enable it in the console first.',
  'The account of this API key is disabled. Ask an administrator to enable it.',
  'The upload broke off. Push again.',
];

test.each(SENTENCES)('a refused push is told in Japanese too: %s', (sentence) => {
  expect(wordDetail(sentence, 'ja')).toMatch(/^[^a-z ]+.*[ぁ-ん].*。$/);
  expect(wordDetail(sentence, 'en')).toMatch(/^[A-Z].*\.$/);
});

test('what a key may do instead is told with its patterns', () => {
  expect(wordDetail(SENTENCES[2] ?? '', 'ja')).toBe(
    'このAPIキーでは、新しいパッケージのプッシュはできません。できること：Acme.*、B* に一致する既存パッケージの新しいバージョンのプッシュ、* に一致する一覧からの除外と復帰。',
  );
});

test('the name of a setting is not told to people', () => {
  for (const locale of ['en', 'ja'] as const)
    for (const sentence of SENTENCES) expect(wordDetail(sentence, locale)).not.toMatch(/max[A-Z]/);
});
