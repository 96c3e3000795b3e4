import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintKey, signIn } from './console.ts';
import { openPage } from './docs/doc-page.ts';
import { type DocsShell, openShell } from './docs/shell.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

const place = openWorkplace();
let server: ServerProcess;
let shell: DocsShell;
let key: Awaited<ReturnType<typeof mintKey>>;

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  const admin = await signIn(server.url);
  key = await mintKey(admin, admin.accountId, { comment: 'CI', access: 'account' });
  const actions = [
    'iam:settings:write',
    'iam:settings:read',
    'iam:signing-keys:read',
    'iam:signing-keys:write',
  ];
  const operator = await mintKey(admin, admin.accountId, {
    comment: 'operator',
    access: 'scoped',
    scopes: [{ actions, resources: ['*'] }],
  });
  shell = openShell(place.folder, {
    KEYREEVE_URL: server.url,
    KEYREEVE_API_KEY: operator.fullKey,
    KEYREEVE_DATA_DIR: server.dataDir,
  });
});
afterAll(() => place.close());

async function login(): Promise<string> {
  const body = JSON.stringify({ auth_mode: 'apikey', apikey: key.apiKey, secretkey: key.secretKey });
  const answer = await fetch(`${server.url}/iam/login`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { token: string }).token;
}
const check = async (token: string): Promise<number> =>
  (await fetch(`${server.url}/iam/v4/checkSession`, { headers: { authorization: `Bearer ${token}` } }))
    .status;

async function runBlock(text: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const done = await shell.run(text, env);
  expect(done.code, done.stderr).toBe(0);
  return done.stdout;
}

describe('docs/operations/signing-keys.md', () => {
  it('does what it says', async () => {
    const page = openPage('docs/operations/signing-keys.md');
    const token = await login();
    expect(await runBlock(page.claim('sh', 'settings set').text)).toMatch(/signingKeyDays +30/);
    expect(await runBlock(page.claim('sh', 'signing-keys list').text)).toMatch(
      /^KEY ID .*STATE.*\n[\w-]{43} +ES256 +signing .*\n[\w-]{43} is published\. It signs from /,
    );
    const KID = decodeProtectedHeader(token).kid ?? '';
    expect(await check(token)).toBe(200);
    const retired = await runBlock(page.claim('sh', 'signing-keys retire').text, { KID });
    expect(retired).toMatch(new RegExp(`^${KID} is retired\\. [\\w-]{43} signs now\\.\\n$`));
    expect(await check(token)).toBe(401);
    expect(await check(await login())).toBe(200);
    page.expectAllClaimed();
  });
});

describe('docs/operations/master-key.md', () => {
  it('rotates the master key beside the running server, which starts again only with the new one', async () => {
    const page = openPage('docs/operations/master-key.md');
    const file = path.join(server.dataDir, 'master.key');
    const [old, token] = [readFileSync(file, 'utf8').trim(), await login()];
    const told = await runBlock(page.claim('sh', 'master-key rotate').text);
    expect(told).toMatch(/^3 data keys are wrapped under the new master key\. Servers that run go on\.\n/);
    expect(told).not.toContain('Run the command again');
    expect(readFileSync(file, 'utf8').trim()).not.toBe(old);
    expect([await check(token), await check(await login())]).toEqual([200, 200]);
    const peppered = await runBlock(page.claim('sh', 'pepper rotate').text);
    expect(peppered).toMatch(/^New secrets are stored under the pepper dk_\w+, .* There are 2 peppers;/);
    expect([await check(token), await check(await login())]).toEqual([200, 200]);
    const fresh = (await runBlock(page.claim('sh', 'openssl').text)).trim();
    page.expectAllClaimed();
    const { port } = server;
    await server.stop();
    const refused = await place.startRefused({ port, env: { KEYREEVE_MASTER_KEY: old } });
    expect(refused.stderr).toContain('The master key is not the one that this database was made with');
    // From the file to the variable.
    const present = readFileSync(file, 'utf8').trim();
    server = await place.start({
      port,
      env: { KEYREEVE_MASTER_KEY: fresh, KEYREEVE_MASTER_KEY_PREVIOUS: present },
    });
    expect([await check(token), await check(await login())]).toEqual([200, 200]);
    await server.stop();
    const refusedAgain = await place.startRefused({ port, env: { KEYREEVE_MASTER_KEY: present } });
    expect(refusedAgain.stderr).toContain('The master key is not the one');
  });
});
