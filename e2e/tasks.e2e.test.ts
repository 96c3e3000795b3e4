import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ifMatch } from '../packages/sdk/src/index.ts';
import { buildNupkg } from '../packages/testkit/src/nupkg-builder.ts';
import { runPython } from './clients.ts';
import { addServiceAccount, mintKey, type Person, signIn } from './console.ts';
import { type DocPage, openPage } from './docs/doc-page.ts';
import { type DocsShell, FULL_KEY, fillIn, openShell } from './docs/shell.ts';
import type { Run } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from './server-process.ts';

let workplace: Workplace;
let server: ServerProcess;
let admin: Person;
let folder: string;
let shell: DocsShell;

beforeAll(async () => {
  workplace = openWorkplace();
  server = await workplace.start({ env: WITH_ADMIN });
  admin = await signIn(server.url);
  const scopes = [{ actions: ['iam:*', 'package:*', 'orders:*', 'documents:*'], resources: ['*'] }];
  await admin.api.PATCH('/v1/users/{id}', {
    params: { path: { id: admin.accountId } },
    headers: ifMatch(1),
    body: { grants: scopes },
  });
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: 'tasks', access: 'scoped', scopes });
  folder = path.join(workplace.folder, 'reader');
  shell = openShell(folder, { KEYREEVE_URL: server.url, KEYREEVE_API_KEY: fullKey });
});
afterAll(() => workplace.close());
beforeEach(() => {
  mkdirSync(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs commands that must succeed. */
async function run(text: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const ended = await shell.run(fillIn(text, server.url), env);
  expect(ended.code, `${text}\n${ended.output}`).toBe(0);
  return ended;
}

function fullKeyIn({ stdout }: Run): string {
  return FULL_KEY.exec(stdout)?.[0] ?? '';
}

/** Keeps a block as the file that the page tells the reader to make. */
function keep(file: string, { text }: { readonly text: string }): void {
  writeFileSync(path.join(folder, file), text);
}

describe('docs/tasks/rotate-without-downtime.md', () => {
  it('shows commands that rotate a key while both secrets pass, and a program that does it', async () => {
    const page = openPage('docs/tasks/rotate-without-downtime.md');
    const robot = await addServiceAccount(admin, 'build-robot');
    const scopes = [{ actions: ['package:push'], resources: ['Acme.*'] }];
    const key = await mintKey(admin, robot.id, { comment: 'rotated', access: 'scoped', scopes });
    const fill = (text: string) => text.replaceAll('kr_ymVzYsTWyuyNxywJ', key.apiKey);
    const renewed = fullKeyIn(await run(fill(page.claim('sh', 'keys regenerate').text)));
    const env = { OLD_KEY: key.fullKey, NEW_KEY: renewed };
    const verify = page.claim('sh', 'keyreeve verify').text;
    await run(verify, env);
    expect((await run(fill(page.claim('sh', 'keys show').text))).stdout).toContain('Old secret ends');
    await run(fill(page.claim('sh', 'end-overlap').text));
    expect((await shell.run(`${verify.split('\n')[0]}`, env)).code).toBe(1);
    await run(`${verify.split('\n')[1]}`, env);

    const created = await run(page.claim('sh', 'keys create rotator').text, { ACCOUNT_ID: robot.id });
    await run(fill(page.claim('sh', '> new-key').text), { KEYREEVE_API_KEY: fullKeyIn(created) });
    const handedOn = readFileSync(path.join(folder, 'new-key'), 'utf8').trim();
    await run(`${verify.split('\n')[1]}`, { NEW_KEY: handedOn });
    page.expectAllClaimed();
  });
});

describe('docs/tasks/limits.md', () => {
  it('shows commands that limit a key and an account, and what a caller sees of it', async () => {
    const page = openPage('docs/tasks/limits.md');
    const fullKey = fullKeyIn(await run(page.claim('sh', 'keys create api-customer').text));
    const env = { KEY: fullKey, KEY_ID: fullKey.slice(0, 19) };
    const ask = page.claim('sh', '/v1/authorize').text;
    const toLines = (text: string) =>
      text
        .trim()
        .toLowerCase()
        .replaceAll(/t=(?:\d{3,}|…)/g, 't=…');
    const told = toLines(page.claim((block) => block.text.startsWith('RateLimit-Policy')).text).split('\n');
    const seen = toLines((await run(ask, env)).stdout).split('\r\n');
    expect(seen).toEqual(expect.arrayContaining(told));
    for (const statusLine of ['HTTP/1.1 204', 'HTTP/1.1 204', 'HTTP/1.1 403'])
      expect((await run(ask, env)).stdout).toContain(statusLine);
    await run(page.claim('sh', '--key-rate').text);
    const shown = await run(page.claim('sh', 'keys edit').text, env);
    expect(shown.stdout).toContain('5 uses each month: 2 left');
    expect(shown.stdout).toContain('50 requests in 60 s (account)');
    page.expectAllClaimed();
  });
});

describe('docs/tasks/migrate-home-made-keys.md', () => {
  it('shows commands after which the old keys work, and a file that they take', async () => {
    const page = openPage('docs/tasks/migrate-home-made-keys.md');
    await run(page.claim('sh', 'service-accounts create').text);
    keep('keys.csv', page.claim('csv'));
    expect((await run(page.claim('sh', 'import-keys').text)).output).toMatch(/\b2\b/);
    const answers = await run(page.claim('sh', 'keyreeve verify').text);
    expect(answers.stdout).toMatch(/HTTP\/1\.1 204 /);
    expect((await run(page.claim('sh', 'keys list').text)).stdout).toContain('"isImported": true');
    page.expectAllClaimed();
  });
});

describe('docs/tasks/migrate-from-unkey.md', () => {
  it('shows commands that import hashes of a database and keys of an answer', async () => {
    const page = openPage('docs/tasks/migrate-from-unkey.md');
    const known = { KNOWN_KEY: 'prod_7Kd1vN5xLq0Zs8TgUw2RbC' };
    const hash = (await run(page.claim('sh', 'openssl').text, known)).stdout.trim();
    await run(page.claim('sh', 'service-accounts create').text);
    const hashes = page.claim('csv');
    expect(hashes.text).toContain(`,${hash}\n`);
    keep('hashes.csv', hashes);
    await run(page.claim('sh', 'hashes.csv').text);
    const verify = 'keyreeve verify --action documents:read --resource invoices';
    await run(`printf '%s' "$KNOWN_KEY" | ${verify}`, known);
    keep('unkey.json', page.claim('json', 'plaintext'));
    await run(page.claim('sh', 'unkey.json').text);
    expect((await shell.run(`printf prod_8Yp2 | ${verify}`)).code).toBe(1);
    page.expectAllClaimed();
  });
});

describe('docs/tasks/migrate-from-kong.md', () => {
  it('shows commands that make one file of credentials and consumers, and import it', async () => {
    const page = openPage('docs/tasks/migrate-from-kong.md');
    keep('key-auths.json', page.claim('json', '"key"'));
    keep('consumers.json', page.claim('json', '"username"'));
    const accounts = await admin.api.GET('/v1/service-accounts', { params: { query: { q: 'shop' } } });
    const create = page.claim('sh', 'service-accounts create').text;
    if (accounts.data.items.length === 0) await run(create);
    await run(page.claim('sh', 'import-keys').text);
    page.expectAllClaimed();
  });
});

interface Script {
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What the documents of a YAML block say, read by another implementation than the one that wrote them. */
async function parseYaml(text: string): Promise<unknown[]> {
  const read = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.argv[1]))))';
  const { code, stdout, stderr } = await runPython(read, [text]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as unknown[];
}

/** The scripts within a pipeline, wherever its system keeps them. */
function findScripts(value: unknown): Script[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(findScripts);
  const { run: github, bash: azure, script: gitlab, env = {} } = value as Record<string, unknown>;
  const texts = [github, azure, ...[gitlab ?? []].flat()].filter((text) => typeof text === 'string');
  const own = texts.map((text) => ({ text, env: env as Script['env'] }));
  return [...own, ...Object.values(value).flatMap(findScripts)];
}

describe.each([
  ['docs/tasks/ci-github.md', 2, '::warning::'],
  ['docs/tasks/ci-gitlab.md', 1, 'expires in'],
  ['docs/tasks/ci-azure.md', 1, '##vso[task.logissue type=warning]'],
])('%s', (name, blocks, warning) => {
  it('shows a pipeline whose scripts ask, warn in time, and put no secret where it is seen', async () => {
    const page = openPage(name);
    const fullKey = fullKeyIn(await run(page.claim('sh', 'keys create').text));
    mkdirSync(path.join(folder, 'packages'));
    const push = buildNupkg({ id: 'Acme.Tools', version: '1.0.0' });
    writeFileSync(path.join(folder, 'packages/Acme.Tools.1.0.0.nupkg'), push);
    const documents = await Promise.all(page.claimAll('yaml').map((block) => parseYaml(block.text)));
    expect(documents).toHaveLength(blocks);
    const scripts = findScripts(documents);
    // An expression within a script is put in as text, and what is in it is executed.
    for (const { text } of scripts) expect(text).not.toMatch(/\$\{\{|\$\([A-Z_]+\)/);
    const withKey = scripts.filter(({ text }) => text.includes('KEYREEVE_API_KEY'));
    for (const { env } of name.includes('gitlab') ? [] : withKey)
      expect(Object.keys(env)).toEqual(['KEYREEVE_API_KEY']);

    const env = { KEYREEVE_API_KEY: fullKey, GITHUB_ENV: path.join(folder, 'github-env') };
    const ours = withKey.filter(({ text }) => !text.includes('dotnet '));
    expect(ours.length).toBeGreaterThanOrEqual(2);
    for (const { text } of ours) {
      const ended = await run(text, env);
      expect(ended.output.replaceAll(/::add-mask::.*/g, '')).not.toContain(fullKey.slice(20));
    }
    // Asking is not publishing.
    expect((await fetch(`${server.url}/api/v2/package/Acme.Tools/1.0.0`)).status).toBe(404);
    // A key without the right, and one that ends soon.
    const robot = await addServiceAccount(admin, `other-${name.slice(14, -3)}`);
    const scopes = [{ actions: ['package:push'], resources: ['Other.*'] }];
    const other = { comment: 'x', access: 'scoped', scopes, lifetimeDays: 1 } as const;
    const soon = { ...env, KEYREEVE_API_KEY: (await mintKey(admin, robot.id, other)).fullKey };
    const ask = ours.find(({ text }) => text.includes('dryRun'))?.text ?? '';
    expect((await shell.run(ask, soon)).code).not.toBe(0);
    const warn = ours.find(({ text }) => text.includes('/v1/keys/self'))?.text ?? '';
    expect((await shell.run(warn, soon)).stdout).toContain(warning);
    page.expectAllClaimed();
  });
});

describe.each(['docs/gateways/traefik.md', 'docs/gateways/envoy.md', 'docs/gateways/kubernetes.md'])(
  '%s',
  (name) => {
    it('shows configurations that are YAML, and always ask about an action', async () => {
      const page: DocPage = openPage(name);
      for (const { text } of page.claimAll('yaml')) {
        await parseYaml(text);
        // Envoy takes the merge key of YAML 1.1 for a field that it does not know, and does not start.
        if (name.includes('envoy')) expect(text).not.toContain('<<:');
        for (const [question] of text.matchAll(/\/v1\/authorize\S*/g))
          expect(question).toMatch(/\?action=[a-z:]+&resource=/);
      }
      page.expectAllClaimed();
    });
  },
);
