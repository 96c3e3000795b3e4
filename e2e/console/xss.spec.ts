import type { BrowserContext, Page } from '@playwright/test';
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js';
import { Severity } from 'csp_evaluator/dist/finding.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';
import { buildNupkg, buildNuspec } from '../../packages/testkit/src/nupkg-builder.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey } from '../console.ts';
import { ADMIN_EMAIL, expect, type Site, test } from './fixtures.ts';
import { XSS_CORPUS } from './xss-corpus.ts';

/** Text that others have written, wherever the console shows any. */
async function plantCorpus(
  town: Site,
  isShort: boolean,
): Promise<{ readonly paths: readonly string[]; readonly planted: number }> {
  const admin = await town.signIn();
  const corpus = XSS_CORPUS.filter((_text, index) => !isShort || index % 4 === 0);
  const plant = async (text: string, index: number): Promise<string> => {
    const displayName = text.replaceAll('\n', ' ');
    // Without a password: the invitation in the mailbox has the name too.
    const body = { email: `xss.${index}@hayama.example`, displayName, firstName: displayName };
    const robot = { technicalName: `xss-${index}`, displayName, description: text };
    const { id } = (await admin.api.POST('/v1/service-accounts', { body: robot })).data;
    await mintKey(admin, id, { comment: text, access: 'account' });
    return (await admin.api.POST('/v1/users', { body })).data.id;
  };
  const [somebody = ''] = await Promise.all(corpus.map(plant));
  await pushHostile(town);
  const [first = ''] = XSS_CORPUS;
  const others = isShort ? [] : ['"><img src=x onerror=alert(1)>', 'javascript:alert(1)'];
  const addresses = [first, ...others].map(encodeURIComponent);
  return {
    // Names of people and programs, in lists and mails, descriptions and comments, and the package.
    planted: 5 * corpus.length + XSS_CORPUS.length,
    paths: [
      '/users?q=xss.&rows=100',
      `/users/${somebody}`,
      '/service-accounts?q=xss-&rows=100',
      '/keys?rows=100',
      '/packages?q=hayama.xss',
      '/packages/hayama.xss',
      '/audit',
      '/mails?rows=100',
      '/overview',
      ...addresses.flatMap((text) => [
        `/users/${text}`,
        `/packages/${text}`,
        `/users?q=${text}`,
        `/sign-in?to=${text}`,
        `/docs/errors/${text}`,
        `/nowhere/${text}`,
        `/key-link#${text}`,
        `/password-reset#${text}`,
      ]),
    ],
  };
}

async function pushHostile(town: Site): Promise<void> {
  const text = XSS_CORPUS.join('\n\n');
  const spec = {
    id: 'Hayama.Xss',
    version: '1.0.0',
    description: text.slice(0, 3_900),
    authors: XSS_CORPUS[1] ?? '',
  };
  const more = '<readme>README.md</readme></metadata>';
  const nuspecXml = buildNuspec(spec).replace('</metadata>', () => more);
  const body = Buffer.from(buildNupkg({ ...spec, nuspecXml, files: { 'README.md': text } }));
  const headers = { 'x-nuget-apikey': town.key('Release pipeline').secret };
  const answer = await fetch(`${town.apiUrl}/api/v2/package`, { method: 'PUT', headers, body });
  expect(answer.status, await answer.text()).toBe(201);
}

/** Counts dialogs of all pages, and closes them. */
function countDialogs(context: BrowserContext): { count: number } {
  const seen = { count: 0 };
  const watch = (page: Page) =>
    page.on('dialog', (dialog) => {
      seen.count += 1;
      void dialog.dismiss();
    });
  for (const page of context.pages()) watch(page);
  context.on('page', watch);
  return seen;
}

/** What the browser itself refused, in whichever page. */
async function countViolations(context: BrowserContext): Promise<{ count: number }> {
  const seen = { count: 0 };
  await context.exposeBinding('reportViolation', () => {
    seen.count += 1;
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', () => {
      void (globalThis as unknown as { reportViolation: () => Promise<void> }).reportViolation();
    });
  });
  return seen;
}

const POLICY = 'content-security-policy';

function countHigh(policy: string): number {
  const findings = new CspEvaluator(new CspParser(policy).csp).evaluate();
  return findings.filter(({ severity }) => severity === Severity.HIGH || severity === Severity.SYNTAX).length;
}

test('what people write opens no dialog, and the policy has nothing to refuse', async ({
  visit,
  town,
  allowFault,
}) => {
  const { paths, planted } = await plantCorpus(town, test.info().config.metadata['isShort'] === true);
  // Pages of errors are what some of the addresses lead to.
  allowFault(/the server responded with a status of 40\d/);
  const page = await visit({ as: ADMIN_EMAIL });
  const dialogs = countDialogs(page.context());
  const violations = await countViolations(page.context());
  for (const path of paths) {
    await page.goto(path);
    await page.locator('h1, main, pre').first().waitFor();
    // Lists and packages come after the page that is to hold them.
    if (path.includes('rows=') || path.includes('hayama.xss') || path === '/audit')
      await page.waitForLoadState('networkidle');
  }
  recordFigure(39, {
    name: 'dialogs opened by what people write',
    reached: `${dialogs.count}, of ${planted} texts on ${paths.length} pages`,
    wanted: '0',
    isHeld: dialogs.count === 0,
  });
  recordFigure(39, {
    name: 'violations of the content security policy',
    reached: violations.count,
    wanted: '0',
    isHeld: violations.count === 0,
  });
  expect([dialogs.count, violations.count]).toEqual([0, 0]);
});

test('the same texts as markup open dialogs without the policy, and are refused by it', async ({
  browser,
  town,
}) => {
  const served = await fetch(town.apiUrl);
  const policy = served.headers.get(POLICY) ?? '';
  const show = async (headers: Record<string, string>) => {
    const context = await browser.newContext();
    const dialogs = countDialogs(context);
    const violations = await countViolations(context);
    const page = await context.newPage();
    let texts: readonly string[] = [];
    await page.route(`${town.url}/markup`, (route) =>
      route.fulfill({ contentType: 'text/html; charset=utf-8', headers, body: texts.join('') }),
    );
    // One by one: a text may leave the page, or keep what follows from being read.
    for (const text of XSS_CORPUS.slice(0, 4)) {
      texts = ['<!doctype html><title>x</title>', text];
      await page.goto(`${town.url}/markup`);
      await page.waitForLoadState('load');
    }
    await context.close();
    return [dialogs.count, violations.count] as const;
  };
  const [open] = await show({});
  const [withPolicy, refused] = await show({ [POLICY]: policy });
  recordControl(39, {
    name: 'the same texts as markup, without and with the policy of the console',
    shown: `${open} dialogs without; ${withPolicy} dialogs and ${refused} violations with it`,
    hasFailed: open > 0 && withPolicy === 0 && refused > 0,
  });
  expect([open > 0, withPolicy, refused > 0]).toEqual([true, 0, true]);
});

test('csp_evaluator finds nothing grave in any policy that is served', async ({ town }) => {
  const paths = [
    '/',
    '/docs',
    '/docs/errors',
    '/docs/endpoints',
    '/key-link',
    '/invitation',
    '/v1/console',
    '/nowhere',
  ];
  const policies = await Promise.all(
    paths.map(async (path) => (await fetch(town.apiUrl + path)).headers.get(POLICY) ?? ''),
  );
  const grave = policies.map(countHigh).reduce((sum, count) => sum + count, 0);
  recordFigure(39, {
    name: 'findings of csp_evaluator that are high',
    reached: `${grave} in ${new Set(policies).size} policies`,
    wanted: '0',
    isHeld: grave === 0 && policies.every((policy) => policy !== ''),
  });
  const weak = countHigh("default-src 'self'; script-src 'self' 'unsafe-inline' data:");
  recordControl(39, {
    name: 'a policy that allows inline scripts',
    shown: `${weak} high findings`,
    hasFailed: weak > 0,
  });
  expect([grave, policies.includes(''), weak > 0]).toEqual([0, false, true]);
});
