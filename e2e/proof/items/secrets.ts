import type { ProofItem } from '../item.ts';

const DRILLS = [
  'packages/testkit/src/rotation-drills.http.test.ts',
  'packages/server/src/features/tokens/signing-keys/rotation-load.http.test.ts',
];

/** What is kept from whom, what replaces it, and what the product is made of. */
export const SECRETS: readonly ProofItem[] = [
  {
    number: 39,
    title: 'what people write, in Chromium',
    figures: [
      'dialogs opened by what people write',
      'violations of the content security policy',
      'findings of csp_evaluator that are high',
    ],
    controls: [
      'the same texts as markup, without and with the policy of the console',
      'a policy that allows inline scripts',
    ],
    suites: [{ name: 'console', files: ['e2e/console/xss.spec.ts'] }],
  },
  {
    number: 42,
    title: 'secrets where none belongs',
    figures: [
      'secrets in: rows of the database',
      'secrets in: files of the database and of the data folder',
      'secrets in: log',
      'secrets in: audit log as exported',
      'secrets in: backup',
      'secrets in: mails',
      'secrets in: webhooks',
      'secrets in: refusals',
      'secrets in: memory of the page after signing out',
    ],
    longFigures: ['secrets in: heap of the server'],
    controls: ['a secret planted in every place', 'a page that shows a secret at this moment'],
    longControls: ['a text that the server keeps in memory'],
    suites: [
      { name: 'console', files: ['e2e/console/secrets.spec.ts'] },
      { name: 'proof', files: ['e2e/proof/server-memory.full.test.ts'] },
      {
        name: 'vitest',
        projects: ['sqlite', 'postgres'],
        files: ['packages/testkit/src/secrets.http.test.ts'],
      },
    ],
  },
  {
    number: 44,
    title: 'rotation of keys and secrets under load',
    figures: [
      'failed requests while the signing key was rotated on demand',
      'failed requests while signing keys were rotated by the day for 60 hours',
      'failed requests while a signing key was retired at once',
      'tokens of a retired signing key that are accepted',
      'failed requests while the master key was rotated',
      'starts with the old master key after its rotation',
      'failed verifications while the pepper was rotated',
      'uses of a secret under the old pepper after its key was regenerated',
      'messages refused by receivers while the webhook secret was rotated',
      'messages signed by the old webhook secret after its overlap',
      'mails lost or doubled while the SMTP password was rotated',
      'mails taken by the mail server with the old SMTP password',
    ],
    controls: [
      'a signing key that is retired before its tokens have ended',
      'a node that never learns the new pepper',
      'a webhook secret that is rotated without an overlap',
      'a node that keeps the old password of the mail server',
    ],
    suites: [{ name: 'vitest', projects: ['sqlite', 'postgres'], files: DRILLS }],
  },
  {
    number: 45,
    title: 'rows of standards, each with a test',
    figures: [
      'requirements of ASVS L1 and L2 that are listed',
      'applicable requirements of ASVS L1 and L2 held by a test or a page',
      'rows whose test or page is not there',
      'rows of the standards with a test',
    ],
    controls: ['rows with a renamed test, a missing file, a missing heading and nothing'],
    suites: [{ name: 'proof', files: ['e2e/proof/requirements.test.ts', 'e2e/proof/standards.test.ts'] }],
  },
  {
    number: 46,
    title: 'dependencies and builds',
    figures: [
      'production packages',
      'scripts at installation: of production packages, or allowed beyond the databases of tests',
      'production packages without a version and a SHA-512 in the lockfile',
      'packages below the versions that mend known advisories',
      'components of the bill of materials (CycloneDX)',
    ],
    controls: ['lockfiles with a missing hash, a script, an old version and a new package'],
    longFigures: [
      'files of two builds of the SDK that differ',
      'files of two builds of the console that differ',
    ],
    figuresWherePossible: ['high and critical vulnerabilities by npm audit'],
    longControls: ['a build with one byte more'],
    suites: [{ name: 'proof', files: ['e2e/proof/dependencies.test.ts', 'e2e/proof/builds.full.test.ts'] }],
  },
];
