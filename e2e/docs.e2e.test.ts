import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../packages/server/src/config/index.ts';
import { buildNupkg } from '../packages/testkit/src/nupkg-builder.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { openPage } from './docs/doc-page.ts';
import { type DocsShell, FULL_KEY, fillIn, openShell } from './docs/shell.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from './server-process.ts';

const CLI = path.resolve(import.meta.dirname, '../packages/cli/src/bin.ts');

let workplace: Workplace;
let server: ServerProcess;
let admin: Person;
let shell: DocsShell;

beforeAll(async () => {
  workplace = openWorkplace();
  server = await workplace.start({ env: { ...WITH_ADMIN, KEYREEVE_BASE_DOMAIN: 'keys.test' } });
  admin = await signIn(server.url);
  const scopes = [{ actions: ['iam:*', 'package:*'], resources: ['*'] }];
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: 'docs', access: 'scoped', scopes });
  shell = openShell(workplace.folder, {
    KEYREEVE_URL: server.url,
    KEYREEVE_API_KEY: fullKey,
    PRESENTED: fullKey,
  });
});
afterAll(() => workplace.close());

/** Runs each line, with the key that the latest one before it has printed; what all of them print. */
async function runLines(blocks: readonly { readonly text: string }[]): Promise<string> {
  let fullKey = '';
  let output = '';
  for (const line of blocks.flatMap((block) => block.text.trim().split('\n'))) {
    const ended = await shell.run(fillIn(line, server.url, fullKey));
    expect(ended.code, `${line}\n${ended.output}`).toBe(0);
    fullKey = FULL_KEY.exec(ended.stdout)?.[0] ?? fullKey;
    output += ended.output;
  }
  return output;
}

describe('README.md', () => {
  it('shows commands that work: from the first key to a token, an answer and a push', async () => {
    const page = openPage('README.md');
    const created = await runLines([page.claim('sh', 'service-accounts create')]);
    const fullKey = FULL_KEY.exec(created)?.[0] ?? '';
    const token = await shell.run(fillIn(page.claim('sh', '/iam/login').text, server.url, fullKey));
    expect(JSON.parse(token.stdout)).toMatchObject({ token: expect.stringMatching(/^eyJ/) });
    const answer = await shell.run(fillIn(page.claim('sh', '/v1/authorize').text, server.url, fullKey));
    expect(answer.stdout).toMatch(/^HTTP\/1.1 204 /);
    const file = 'AzureRM.DataFactoryV2.1.0.0.nupkg';
    writeFileSync(
      path.join(workplace.folder, file),
      buildNupkg({ id: 'AzureRM.DataFactoryV2', version: '1.0.0' }),
    );
    const pushed = await shell.run(fillIn(page.claim('sh', 'nuget push').text, server.url, fullKey));
    expect(pushed.output).toContain('Your package was pushed.');
    page.expectAllClaimed();
  });
});

describe('README.ja.md', () => {
  it('shows the commands of the English page, no more and no less', () => {
    const page = openPage('README.ja.md');
    const shown = (blocks: typeof page.blocks) => blocks.map((block) => ({ ...block, line: 0 }));
    expect(shown(page.claimAll(() => true))).toEqual(shown(openPage('README.md').blocks));
  });
});

describe('docs/gallery/private.md', () => {
  it('shows commands that work, from the closed gallery to the open one', async () => {
    const page = openPage('docs/gallery/private.md');
    const packages = await mintKey(admin, admin.accountId, { comment: 'publishes', access: 'account' });
    const file = path.join(workplace.folder, 'Acme.Tools.1.0.0.nupkg');
    writeFileSync(file, buildNupkg({ id: 'Acme.Tools', version: '1.0.0' }));
    const push = `nuget push ${file} -Source ${server.url}/api/v2/package -ApiKey ${packages.fullKey}`;
    expect((await shell.run(push)).output).toContain('Your package was pushed.');
    const open = page.claim('sh', 'galleryRead=anonymous');
    const output = await runLines(page.claimAll('sh'));
    expect(output).toContain('Acme.Tools 1.0.0');
    expect(existsSync(path.join(workplace.folder, 'packages/Acme.Tools.1.0.0'))).toBe(true);
    const config = fillIn(page.claim('xml').text, server.url, packages.fullKey);
    writeFileSync(path.join(workplace.folder, 'own.config'), config);
    const listed = await shell.run('nuget list -Source keyreeve -ConfigFile own.config');
    expect(listed.output).toContain('Acme.Tools 1.0.0');
    await runLines([open]);
    page.expectAllClaimed();
  });
});

describe('docs/operations/blobs.md', () => {
  it('shows settings that the server takes', () => {
    const page = openPage('docs/operations/blobs.md');
    const { blobs } = loadConfig(parseEnv(page.claim('ini').text));
    expect(blobs).toMatchObject({ kind: 's3', bucket: 'acme-packages', prefix: 'keyreeve/' });
    page.expectAllClaimed();
  });
});

describe('docs/scan.md', () => {
  it('shows what a scan shows, and a hook that stops a commit', async () => {
    const page = openPage('docs/scan.md');
    const place = path.join(workplace.folder, 'scanned');
    mkdirSync(path.join(place, 'deploy'), { recursive: true });
    mkdirSync(path.join(place, 'src'));
    writeFileSync(path.join(place, 'build.log'), 'all is well');
    const program = path.join(workplace.folder, 'keyreeve');
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, { mode: 0o755 });
    const inPlace = (commands: string) =>
      shell.run(`cd scanned\n${commands}`, {
        PATH: `${workplace.folder}:/usr/bin:/bin`,
        EMAIL: 'ada@example.com',
        GIT_AUTHOR_NAME: 'Ada',
        GIT_COMMITTER_NAME: 'Ada',
      });
    const { data: robot } = await admin.api.POST('/v1/service-accounts', {
      body: { technicalName: 'robot-of-scan', displayName: 'Robot' },
    });
    const key = await mintKey(admin, robot.id, { comment: 'leaked', access: 'account' });
    writeFileSync(path.join(place, 'old.env'), `# old\nKEYREEVE_API_KEY=${key.fullKey}\n`);
    const commit = await inPlace(
      'git init -q; git add old.env; git commit -qm old; git rm -q old.env; git rev-parse HEAD',
    );
    writeFileSync(
      path.join(place, 'deploy/values.yaml'),
      `keyreeve:\n  apiKey: ${key.apiKey}\n#\nsecretKey: ${key.secretKey}\n`,
    );
    for (const line of page.claim('sh', 'keyreeve scan --git').text.trim().split('\n')) {
      const ended = await inPlace(line);
      expect(ended.code, `${line}\n${ended.output}`).toBe(line.includes('build.log') ? 0 : 1);
      expect(ended.output).not.toContain(key.secretKey.slice(0, 8));
    }
    const shown = page
      .claim('text', 'build-robot')
      .text.replace('kr_0123456789ABCDEF', key.apiKey)
      .replace('build-robot', 'robot-of-scan')
      .replace('abcd…', `${key.secretKey.slice(0, 4)}…`)
      .replace('9f1c2b7a4e05', commit.stdout.trim().slice(0, 12));
    expect((await inPlace('keyreeve scan --git')).stdout).toBe(shown);
    expect((await inPlace(page.claim('sh', 'pre-commit').text)).code).toBe(0);
    const stopped = await inPlace('git add deploy; git commit -qm leak');
    expect(stopped).toMatchObject({ code: 1, output: expect.stringContaining('not asked') });
    expect((await inPlace('git reset -q; git add build.log; git commit -qm fine')).code).toBe(0);
    page.expectAllClaimed();
  });
});

/** Commands that wait for a person; `cli.http.test.ts` and the tests of the prompts answer them. */
const INTERACTIVE = /^(npx )?keyreeve (setup|login|logout)\b|--ask-password/;

// At the end: among the commands it runs is the one that revokes the key of the command line.
describe('docs/cli.md', () => {
  it('shows commands that work, each of them', async () => {
    const page = openPage('docs/cli.md');
    const key = await mintKey(admin, admin.accountId, { comment: 'in the docs', access: 'account' });
    await admin.api.POST('/v1/service-accounts', {
      body: { technicalName: 'bystander', displayName: 'Bystander' },
    });
    const pusher = await mintKey(admin, admin.accountId, { comment: 'pushes', access: 'account' });
    const pushed = await fetch(`${server.url}/api/v2/package`, {
      method: 'PUT',
      headers: { 'x-nuget-apikey': pusher.fullKey },
      body: Buffer.from(buildNupkg({ id: 'Contoso.Docs', version: '1.0.0' })),
    });
    expect(pushed.status).toBe(201);
    const row = `bystander,imported,full,,,${'ab'.repeat(32)}\n`;
    writeFileSync(
      path.join(workplace.folder, 'keys.csv'),
      `account,comment,access,scopes,expiresAt,sha256\n${row}`,
    );
    const lines = page
      .claimAll((block) => block.language === 'sh' && block.reasonNotExecuted === null)
      .flatMap((block) => block.text.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line.includes('keyreeve ') && !INTERACTIVE.test(line));
    // Deletions are shown beside what they delete, and others still need it: they come last.
    const isLast = (line: string) => / delete |revoke-self/.test(line);
    const ordered = [...lines.filter((line) => !isLast(line)), ...lines.filter(isLast)];
    expect(ordered.length).toBeGreaterThan(30);
    const failed: string[] = [];
    for (const line of ordered) {
      const asked = isLast(line) ? `${line} --yes` : line;
      const ended = await shell.run(asked.replaceAll('kr_ymVzYsTWyuyNxywJ', key.apiKey));
      if (ended.code !== 0) failed.push(`${line}\n  ${ended.code}: ${ended.output.trim()}`);
    }
    expect(failed).toEqual([]);
    page.expectAllClaimed();
  });
});
