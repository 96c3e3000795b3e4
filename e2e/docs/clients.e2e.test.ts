import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { PYTHON } from '../clients.ts';
import { addMember, mintKey, type Person, signIn } from '../console.ts';
import { run } from '../run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from '../server-process.ts';
import { expectSameJson, expectSameText } from './answers.ts';
import { type DocPage, openPage } from './doc-page.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PACKAGE = 'AzureRM.DataFactoryV2.1.0.0.nupkg';

const place = openWorkplace();
let server: ServerProcess;
let presented = '';
let tired: Server;
let refusals = 0;

/** Before the server: answers 503 as often as `refusals` says to whoever reads his key, as a server under load may. */
async function openTiredDoor(): Promise<Server> {
  const door = createServer((incoming, outgoing) => {
    if (refusals > 0 && incoming.url === '/v1/keys/self') {
      refusals -= 1;
      outgoing.writeHead(503, { 'retry-after': '0' }).end('{}');
      return;
    }
    const { method = 'GET', url = '/', headers } = incoming;
    const sent = sendRequest(
      { host: '127.0.0.1', port: server.port, method, path: url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.statusMessage, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(sent);
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  return door;
}

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  tired = await openTiredDoor();
  const admin = await signIn(server.url);
  const scopes = [{ actions: ['package:push'], resources: ['AzureRM.*'] }];
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: 'caller', access: 'scoped', scopes });
  presented = fullKey;
});
afterAll(async () => {
  tired.close();
  await place.close();
});

/** A folder and an administrator of its own for each page: what one creates is not in the lists of another. */
async function prepare(name: string): Promise<{ folder: string; env: Record<string, string> }> {
  const folder = path.join(place.folder, name);
  mkdirSync(folder);
  // Each page publishes the first version of the package, which no two of them can: ids have the name in them.
  writeFileSync(path.join(folder, PACKAGE), buildNupkg({ id: `AzureRM.${name}`, version: '1.0.0' }));
  const admin = await signIn(server.url);
  const person: Person = await addMember(server.url, admin, `${name}@example.com`, name);
  const { response } = await admin.api.GET('/v1/users/{id}', { params: { path: { id: person.accountId } } });
  await admin.api.PATCH('/v1/users/{id}', {
    params: { path: { id: person.accountId } },
    headers: { 'if-match': response.headers.get('etag') ?? '' },
    body: { role: 'admin' },
  });
  const { fullKey } = await mintKey(admin, person.accountId, {
    comment: 'client',
    access: 'scoped',
    scopes: [{ actions: ['iam:*', 'package:*'], resources: ['*'] }],
    // So short that answers to it already tell when it ends.
    lifetimeDays: 1,
  });
  const env = {
    KEYREEVE_URL: `http://localhost:${(tired.address() as AddressInfo).port}`,
    KEYREEVE_API_KEY: fullKey,
    PRESENTED: presented,
    ACCOUNT_ID: person.accountId,
    HOME: folder,
  };
  return { folder, env };
}

/** The samples of a page are one program; what it prints is what the page shows, in the same order. */
function readProgram(page: DocPage, language: string): { program: string; output: string } {
  const join = (blocks: readonly { readonly text: string }[]) => blocks.map(({ text }) => text).join('\n');
  const samples = page.blocks.filter(
    (block) => block.reasonNotExecuted === null && block.language === language,
  );
  const program = join(page.claimAll((block) => samples.includes(block)));
  return { program, output: join(page.claimAll('text')) };
}

describe('docs/clients/curl.md', () => {
  it('shows commands that work, and what they print', async () => {
    const page = openPage('docs/clients/curl.md');
    const { folder, env } = await prepare('curl');
    const define = page.claim('sh', 'keyreeve_curl() {').text;
    for (const [index, block] of page.blocks.entries()) {
      if (block.language !== 'sh' || block.reasonNotExecuted !== null || block.text === define) continue;
      const command = page.claim((each) => each === block).text;
      refusals = command.includes('--retry') ? 1 : 0;
      const ended = await run('/bin/bash', ['-c', define + command], { cwd: folder, env });
      const answer = page.claim((each) => each === page.blocks[index + 1]);
      expect(ended.stderr, command).toMatch(/^$|^curl: \(22\)/);
      if (answer.language === 'json') expectSameJson(answer.text, ended.stdout);
      else expectSameText(answer.text, ended.stdout);
    }
    expect(refusals, 'the sample asked again').toBe(0);
    page.expectAllClaimed();
  });
});

describe('docs/clients/python.md', () => {
  it('is a program that works, and prints what the page shows', async () => {
    const page = openPage('docs/clients/python.md');
    const { folder, env } = await prepare('python');
    const { program, output } = readProgram(page, 'python');
    refusals = 1;
    const ended = await run(PYTHON, ['-c', program], { cwd: folder, env });
    expect(ended.stderr).toBe('');
    expectSameText(output, ended.stdout);
    expect(refusals, 'the sample asked again').toBe(0);
    page.expectAllClaimed();
  });
});

describe('docs/clients/javascript.md', () => {
  it('is a program that works, with fetch and with the SDK, and prints what the page shows', async () => {
    const page = openPage('docs/clients/javascript.md');
    const { folder, env } = await prepare('javascript');
    const { program, output } = readProgram(page, 'js');
    writeFileSync(path.join(folder, 'client.mjs'), program);
    mkdirSync(path.join(folder, 'node_modules/@keyreeve'), { recursive: true });
    symlinkSync(path.join(ROOT, 'packages/sdk'), path.join(folder, 'node_modules/@keyreeve/sdk'));
    refusals = 1;
    const ended = await run(process.execPath, ['client.mjs'], { cwd: folder, env });
    expect(ended.stderr).toBe('');
    expectSameText(output, ended.stdout);
    expect(refusals, 'the sample asked again').toBe(0);
    page.expectAllClaimed();
  });
});

describe('docs/clients/csharp.md', () => {
  it('is a program that compiles and works under mono, and prints what the page shows', async () => {
    const page = openPage('docs/clients/csharp.md');
    const { folder, env } = await prepare('csharp');
    const { program, output } = readProgram(page, 'csharp');
    writeFileSync(path.join(folder, 'client.cs'), program);
    const compiled = await run('/usr/bin/mcs', ['-r:System.Net.Http.dll', 'client.cs'], { cwd: folder });
    expect(compiled.code, compiled.output).toBe(0);
    refusals = 1;
    const ended = await run('/usr/bin/mono', ['client.exe'], { cwd: folder, env });
    expect(ended.stderr).toBe('');
    expectSameText(output, ended.stdout);
    expect(refusals, 'the sample asked again').toBe(0);
    page.expectAllClaimed();
  });
});
