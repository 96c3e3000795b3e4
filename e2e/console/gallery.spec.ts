import type { Page } from '@playwright/test';
import { buildNupkg, buildNuspec, type NuspecSpec } from '../../packages/testkit/src/nupkg-builder.ts';
import {
  ADMIN_EMAIL,
  expect,
  expectNoAxeViolations,
  pressTabTo,
  readClipboard,
  type Site,
  test,
  unlessEnglish,
} from './fixtures.ts';

const WORDS = {
  en: {
    title: 'Packages',
    search: 'Search packages',
    signIn: 'Sign in',
    modules: 'Modules',
    nothing: 'No package matches “zzz”',
    install: 'Install',
    copy: 'Copy command',
    readme: 'Readme',
    dependencies: 'Dependencies',
    contents: 'What it holds',
    dsc: 'DSC resources',
    versions: 'Versions',
    owners: 'Owners',
    details: 'Details',
    latest: 'The latest version is 3.8.1.',
    unlisted: 'This version is not listed.',
    gone: 'There is no such package, or you may not see it.',
    goneVersion: 'There is no version 9.9.9 of this package.',
    toPackage: 'To the latest version',
    private: 'Only with a key or token',
    save: 'Save',
    whole: 'Show the whole readme',
  },
  ja: {
    title: 'パッケージ',
    search: 'パッケージを検索',
    signIn: 'サインイン',
    modules: 'モジュール',
    nothing: '「zzz」に一致するパッケージはありません',
    install: 'インストール',
    copy: 'コマンドをコピー',
    readme: 'README',
    dependencies: '依存関係',
    contents: '含まれるもの',
    dsc: 'DSCリソース',
    versions: 'バージョン',
    owners: '所有者',
    details: '詳細',
    latest: '最新バージョンは 3.8.1 です。',
    unlisted: 'このバージョンは掲載されていません。',
    gone: 'パッケージが存在しないか、表示する権限がありません。',
    goneVersion: 'このパッケージにバージョン9.9.9はありません。',
    toPackage: '最新バージョンへ',
    private: 'キーまたはトークンが必要',
    save: '保存',
    whole: 'READMEをすべて表示',
  },
} as const;

const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true, level: 1 });

interface Pushed extends NuspecSpec {
  readonly manifest?: string;
  readonly readme?: string;
}

/** With a key of the town that may push `Hayama.*`. */
async function push(town: Site, { manifest = '', readme, ...spec }: Pushed): Promise<void> {
  const more = `${manifest}${readme === undefined ? '' : '<readme>README.md</readme>'}</metadata>`;
  const nuspecXml = buildNuspec(spec).replace('</metadata>', () => more);
  const body = buildNupkg({ ...spec, nuspecXml, files: readme === undefined ? {} : { 'README.md': readme } });
  const answer = await fetch(`${town.apiUrl}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': town.key('Release pipeline').secret },
    body: Buffer.from(body),
  });
  expect(answer.status, await answer.text()).toBe(201);
}

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`the open gallery, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('is searched and read by somebody without an account', async ({ page }) => {
      await page.goto('/packages');
      const found = page.getByRole('list', { name: words.title }).getByRole('listitem');
      await expect(found).toHaveCount(10);
      await page.getByRole('searchbox', { name: words.search }).fill('gateway');
      await expect(found).toHaveCount(1);
      await page.getByRole('link', { name: 'Hayama.Edge.Gateway' }).click();
      await expect(heading(page, 'Hayama.Edge.Gateway')).toBeVisible();
      await expect(region(page, words.owners)).toContainText('Priya Raman');
      await expect(page.locator('body')).not.toContainText('@hayama.example');
    });

    test('says so when nothing is found, and shows modules alone', async ({ page }) => {
      await page.goto('/packages?q=zzz');
      await expect(page.getByText(words.nothing)).toBeVisible();
      await page.goto('/packages');
      await page.getByText(words.modules, { exact: true }).click();
      await expect(page.getByRole('list', { name: words.title }).getByRole('listitem')).toHaveCount(2);
    });

    test('leads to the sign-in and back to the same package', async ({ page }) => {
      await page.goto('/packages/hayama.datafactory');
      await page.getByRole('link', { name: words.signIn, exact: true }).click();
      await expect(page).toHaveURL(/\/sign-in\?to=%2Fpackages%2Fhayama\.datafactory$/);
    });

    test('tells how to install, with the address of this very server, by keyboard', async ({
      page,
      town,
    }) => {
      await page.goto('/packages/hayama.datafactory');
      const tabs = page.getByRole('region', { name: words.install });
      await pressTabTo(page, tabs.getByRole('tab', { name: 'dotnet' }));
      await page.keyboard.press('ArrowRight');
      await expect(tabs.getByRole('tabpanel')).toHaveText(
        '<PackageReference Include="Hayama.DataFactory" Version="3.8.1" />',
      );
      await tabs.getByRole('tab', { name: 'Install-PSResource' }).click();
      await tabs.getByRole('button', { name: words.copy }).click();
      const copied = await readClipboard(page);
      expect(copied).toContain(`-Uri '${town.url}/api/v2'`);
      expect(copied).toContain('Install-PSResource -Name Hayama.DataFactory -Version 3.8.1');
    });

    test('shows what a package needs, says and holds', async ({ page }) => {
      await page.goto('/packages/hayama.datafactory');
      const dependencies = region(page, words.dependencies);
      await expect(dependencies.getByRole('link', { name: 'Hayama.Telemetry' })).toHaveCount(2);
      await expect(dependencies.getByText('System.Text.Json')).toBeVisible();
      await expect(dependencies.getByRole('link', { name: 'System.Text.Json' })).toHaveCount(0);
      const readme = region(page, words.readme);
      await readme.getByRole('button', { name: words.whole }).click();
      await expect(readme.getByRole('heading', { name: 'Getting started', level: 4 })).toBeVisible();
      await expect(readme.getByRole('link', { name: 'the handbook' })).toHaveAttribute('rel', /noreferrer/);
      await expect(readme.getByRole('img')).toHaveCount(0);
      await page.goto('/packages/hayamadsc');
      await expect(region(page, words.contents)).toContainText(words.dsc);
      await expect(region(page, words.contents)).toContainText('HayamaCertificate');
    });

    test('shows each version at its own address, and says of an old one which is the latest', async ({
      page,
    }) => {
      await page.goto('/packages/hayama.datafactory');
      await page.getByRole('table', { name: words.versions }).getByRole('link', { name: '3.7.1' }).click();
      await expect(page).toHaveURL(/\/packages\/hayama\.datafactory\/3\.7\.1$/);
      await expect(page.getByText(words.latest)).toBeVisible();
      await page.goto('/packages/hayama.datafactory/3.7.3');
      await expect(page.getByText(words.unlisted)).toBeVisible();
      await page.goto('/packages/hayama.datafactory/9.9.9');
      await expect(page.getByText(words.goneVersion)).toBeVisible();
      await page.getByRole('link', { name: words.toPackage }).click();
      await expect(heading(page, 'Hayama.DataFactory')).toBeVisible();
    });

    test('says that a package is gone', async ({ page }) => {
      await page.goto('/packages/no.such.package');
      await expect(page.getByText(words.gone)).toBeVisible();
    });

    test('is for everybody', async ({ page }) => {
      await page.goto('/packages');
      await expect(page.getByRole('list', { name: words.title })).toBeVisible();
      await expectNoAxeViolations(page);
      for (const path of ['/packages/hayama.datafactory', '/packages/hayamadsc']) {
        await page.goto(path);
        await expect(region(page, words.details)).toBeVisible();
        await page.waitForLoadState('networkidle');
        await expectNoAxeViolations(page);
      }
    });

    test('asks for the sign-in once an administrator has closed it', async ({ startSite, visit }) => {
      const site = await startSite();
      const visitor = await visit({ at: site });
      await visitor.goto('/packages');
      const admin = await visit({ at: site, as: ADMIN_EMAIL });
      await admin.goto('/settings');
      await admin.getByText(words.private, { exact: true }).click();
      await admin.getByRole('button', { name: words.save }).click();
      await expect(admin.getByRole('button', { name: words.save })).toBeDisabled();
      await visitor.getByRole('searchbox', { name: words.search }).fill('edge');
      await expect(visitor.getByRole('main').getByRole('link', { name: words.signIn })).toBeVisible();
      await visitor.goto('/packages/hayama.datafactory');
      await expect(visitor).toHaveURL(/\/sign-in\?to=%2Fpackages%2Fhayama\.datafactory$/);
      await admin.goto('/packages/hayama.datafactory');
      await admin
        .getByRole('region', { name: words.install })
        .getByRole('tab', { name: 'Install-PSResource' })
        .click();
      await expect(admin.getByRole('tabpanel')).toContainText('-Credential (Get-Credential)');
    });
  });
}

const HOSTILE = `# <script>globalThis.wasHere = 1</script>

<img src=x onerror="globalThis.wasHere = 1">

[run](javascript:globalThis.wasHere=1) [data](data:text/html,<script>globalThis.wasHere=1</script>)
[file](file:///etc/passwd) [tab](java\tscript:globalThis.wasHere=1) [mail](mailto:a@b.example)
[here](/settings) [there](https://there.example/?a=1)

![spy](https://spy.example/pixel.png) ![inline](data:image/svg+xml,<svg/>)

<https://auto.example/> <javascript:globalThis.wasHere=1>

\u202egnirts desrever\u202c

#### deep

| a | |
|---|---|
| x | y |
`;

test.describe('what an author wrote', () => {
  test('is never run, loads nothing and leads nowhere but to the web', async ({ page, town }) => {
    await push(town, {
      id: 'Hayama.Hostile',
      version: '1.0.0',
      description: '"><script>globalThis.wasHere = 1</script> \u202etxt.exe\n'.repeat(4),
      authors: '<b onclick=alert(1)>Eve</b>',
      tags: '<i> "onclick=1 a&b',
      manifest: '<releaseNotes>&lt;script&gt;globalThis.wasHere=1&lt;/script&gt;</releaseNotes>',
      readme: HOSTILE,
    });
    await page.goto('/packages/hayama.hostile');
    const readme = region(page, 'Readme');
    await expect(readme.getByRole('link', { name: 'there', exact: true })).toHaveAttribute(
      'href',
      'https://there.example/?a=1',
    );
    const addresses = await readme
      .getByRole('link')
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    expect(addresses.toSorted()).toEqual([
      'https://auto.example/',
      'https://spy.example/pixel.png',
      'https://there.example/?a=1',
    ]);
    await expect(readme.getByRole('heading').first()).toHaveText('Readme');
    await expect(readme).toContainText('<script>globalThis.wasHere = 1</script>');
    await expect(readme).not.toContainText('\u202e');
    expect(await page.locator('#content script, #content img, #content iframe').count()).toBe(0);
    expect(await page.evaluate(() => (globalThis as { wasHere?: number }).wasHere)).toBeUndefined();
    await page.waitForLoadState('networkidle');
    await expectNoAxeViolations(page);
    await page.goto('/packages?q=hayama.hostile');
    await expect(page.getByText('<b onclick=alert(1)>Eve</b>')).toBeVisible();
    expect(await page.evaluate(() => (globalThis as { wasHere?: number }).wasHere)).toBeUndefined();
  });

  for (const [name, unit] of [
    ['brackets', '['],
    ['emphasis', '_a*'],
    ['nested lists', '- - - - - a\n'],
    ['quotes', '>'],
    ['table cells', '|a'],
    ['links', '[a](https://x.example/b '],
  ] as const) {
    test(`holds nobody up when it is 100,000 characters of ${name}`, async ({ page, town }) => {
      // Varied, as a package that is mere padding is refused.
      const noise = Array.from({ length: 4_000 }, (_, index) => index.toString(36)).join(' ');
      const id = `Hayama.Huge.${name.replaceAll(' ', '')}`;
      await push(town, { id, version: '1.0.0', readme: `${unit.repeat(120_000 / unit.length)}\n\n${noise}` });
      await page.goto(`/packages/${id}`);
      await expect(
        region(page, 'Readme').getByRole('button').or(region(page, 'Readme').locator('pre')).first(),
      ).toBeVisible();
      const startedAt = Date.now();
      await page.getByRole('tab', { name: 'nuget', exact: true }).click();
      await expect(page.getByRole('tabpanel')).toContainText('nuget install');
      expect(Date.now() - startedAt).toBeLessThan(3_000);
    });
  }

  test('does not load the reader of Markdown before there is a readme', async ({ page }) => {
    const scripts: string[] = [];
    page.on('response', (response) => scripts.push(response.url()));
    await page.goto('/packages/hayama.telemetry');
    await expect(region(page, 'Details')).toBeVisible();
    await page.waitForLoadState('networkidle');
    expect(scripts.filter((url) => url.includes('/markdown-'))).toEqual([]);
  });
});
