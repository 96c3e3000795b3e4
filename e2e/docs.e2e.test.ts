import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildNupkg } from '../packages/testkit/src/nupkg-builder.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { run } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from './server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const CLI = path.join(ROOT, 'packages/cli/src/bin.ts');
const NUGET = path.join(ROOT, 'node_modules/nuget-exe/nuget-5.8.0.exe');

/** The shell blocks of a page, in order. */
function shellBlocks(page: string): string[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

/** Commands that wait for a person; `cli.http.test.ts` and the tests of the prompts answer them. */
const INTERACTIVE = /^(npx )?keyreeve (setup|login|logout)\b|--ask-password/;

let workplace: Workplace;
let server: ServerProcess;
let admin: Person;
let adminKey: string;

beforeAll(async () => {
  workplace = openWorkplace();
  server = await workplace.start({ env: { ...WITH_ADMIN, KEYREEVE_BASE_DOMAIN: 'keys.test' } });
  admin = await signIn(server.url);
  const scopes = [{ actions: ['iam:*', 'package:*'], resources: ['*'] }];
  adminKey = (await mintKey(admin, admin.accountId, { comment: 'docs', access: 'scoped', scopes })).fullKey;
});
afterAll(() => workplace.close());

/** Runs a line as a reader would, in a shell in which `keyreeve` and `nuget` are what the docs say they are. */
async function runLine(line: string): Promise<{ code: number | null; output: string; stdout: string }> {
  const functions = [
    `keyreeve() { ${process.execPath} ${CLI} "$@"; }`,
    'npx() { "$@"; }',
    `nuget() { mono ${NUGET} "$@" -NonInteractive; }`,
  ];
  return await run('/bin/bash', ['-c', `set -e\n${functions.join('\n')}\n${line}`], {
    cwd: workplace.folder,
    env: {
      KEYREEVE_URL: server.url,
      KEYREEVE_API_KEY: adminKey,
      XDG_CONFIG_HOME: workplace.folder,
      HOME: workplace.folder,
      PRESENTED: adminKey,
    },
  });
}

describe.each(['README.md', 'README.ja.md'])('%s', (page) => {
  it('shows the commands of the other language, no more and no less', () => {
    const strip = (name: string) => shellBlocks(name).join('\n');
    expect(strip(page)).toBe(strip('README.md'));
  });
});

describe('README.md', () => {
  it('shows commands that work: from the first key to a token, an answer and a push', async () => {
    const [, , create = '', login = '', authorize = '', push = ''] = shellBlocks('README.md');
    const created: string[] = [];
    for (const line of create.trim().split('\n')) {
      const ended = await runLine(line);
      expect(ended.code, `${line}\n${ended.output}`).toBe(0);
      created.push(ended.stdout);
    }
    const fullKey = /kr_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}/.exec(created.at(-1) ?? '')?.[0] ?? '';
    const fill = (text: string) =>
      text
        .replaceAll('http://localhost:8080', server.url)
        .replaceAll('<API key>', fullKey.slice(0, 19))
        .replaceAll('<secret key>', fullKey.slice(20))
        .replaceAll('<full key>', fullKey);
    const token = await runLine(fill(login));
    expect(JSON.parse(token.stdout)).toMatchObject({ token: expect.stringMatching(/^eyJ/) });
    const answer = await runLine(fill(authorize));
    expect(answer.stdout).toMatch(/^HTTP\/1.1 204 /);
    const file = 'AzureRM.DataFactoryV2.1.0.0.nupkg';
    writeFileSync(
      path.join(workplace.folder, file),
      buildNupkg({ id: 'AzureRM.DataFactoryV2', version: '1.0.0' }),
    );
    const pushed = await runLine(fill(push));
    expect(pushed.output).toContain('Your package was pushed.');
  });
});

describe('docs/gallery/private.md', () => {
  it('shows commands that work, from the closed gallery to the open one', async () => {
    const packages = await mintKey(admin, admin.accountId, { comment: 'publishes', access: 'account' });
    const file = path.join(workplace.folder, 'Acme.Tools.1.0.0.nupkg');
    writeFileSync(file, buildNupkg({ id: 'Acme.Tools', version: '1.0.0' }));
    const push = `nuget push ${file} -Source ${server.url}/api/v2/package -ApiKey ${packages.fullKey}`;
    expect((await runLine(push)).output).toContain('Your package was pushed.');
    const lines = shellBlocks('docs/gallery/private.md').flatMap((block) => block.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(8);
    let fullKey = '';
    let output = '';
    for (const line of lines) {
      const filled = line
        .replaceAll('http://localhost:8080', server.url)
        .replaceAll('<API key>', fullKey.slice(0, 19))
        .replaceAll('<secret key>', fullKey.slice(20))
        .replaceAll('<full key>', fullKey);
      const ended = await runLine(filled);
      expect(ended.code, `${line}\n${ended.output}`).toBe(0);
      fullKey = /kr_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}/.exec(ended.stdout)?.[0] ?? fullKey;
      output += ended.output;
    }
    expect(output).toContain('Acme.Tools 1.0.0');
    expect(existsSync(path.join(workplace.folder, 'packages/Acme.Tools.1.0.0'))).toBe(true);
  });
});

// At the end: among the commands it runs is the one that revokes the key of the command line.
describe('docs/cli.md', () => {
  it('shows commands that work, each of them', async () => {
    const key = await mintKey(admin, admin.accountId, { comment: 'in the docs', access: 'account' });
    await admin.api.POST('/v1/service-accounts', {
      body: { technicalName: 'bystander', displayName: 'Bystander' },
    });
    const row = `bystander,imported,full,,,${'ab'.repeat(32)}\n`;
    writeFileSync(
      path.join(workplace.folder, 'keys.csv'),
      `account,comment,access,scopes,expiresAt,sha256\n${row}`,
    );
    const lines = shellBlocks('docs/cli.md')
      .flatMap((block) => block.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter(
        (line) => line.includes('keyreeve ') && !INTERACTIVE.test(line) && !line.includes('--ask-password'),
      );
    // Deletions are shown beside what they delete, and others still need it: they come last.
    const isLast = (line: string) => / delete |revoke-self/.test(line);
    const ordered = [...lines.filter((line) => !isLast(line)), ...lines.filter(isLast)];
    expect(ordered.length).toBeGreaterThan(30);
    const failed: string[] = [];
    for (const line of ordered) {
      const asked = isLast(line) ? `${line} --yes` : line;
      const ended = await runLine(asked.replaceAll('kr_ymVzYsTWyuyNxywJ', key.apiKey));
      if (ended.code !== 0) failed.push(`${line}\n  ${ended.code}: ${ended.output.trim()}`);
    }
    expect(failed).toEqual([]);
  });
});
