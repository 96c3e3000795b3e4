import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ifMatch, type MintedKey } from '../packages/sdk/src/index.ts';
import { curl } from './clients.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { createNugetClients, type NugetClients } from './nuget.ts';
import { show } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

/** A gallery that only its people read, as real clients use it: nuget.exe 5.8 and 2.8.7 under mono. */
const place = openWorkplace();
let server: ServerProcess;
let admin: Person;
let readKey: MintedKey;
let pushKey: MintedKey;
/** Clients that know the source and no credential, and clients that know both. */
let strange: NugetClients;
let known: NugetClients;

const folderOf = (name: string) => path.join(place.folder, name);
const SOURCES = [
  { client: 'modern', protocol: 'V2', source: '/api/v2' },
  { client: 'modern', protocol: 'V3', source: '/v3/index.json' },
  { client: 'old', protocol: 'V2', source: '/api/v2' },
] as const;

/** The configuration that docs/gallery/private.md shows. */
function configWith(user: string, password: string): string {
  const sources = ['/api/v2', '/v3/index.json'].map((source, index) => ({
    name: `keyreeve${index}`,
    url: server.url + source,
  }));
  const add = (key: string, value: string) => `      <add key="${key}" value="${value}" />`;
  return `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
${sources.map(({ name, url }) => add(name, url)).join('\n')}
  </packageSources>
  <packageSourceCredentials>
${sources
  .map(({ name }) =>
    [`    <${name}>`, add('Username', user), add('ClearTextPassword', password), `    </${name}>`].join('\n'),
  )
  .join('\n')}
  </packageSourceCredentials>
</configuration>
`;
}

function configure(clients: string, user: string, password: string): void {
  for (const client of ['nuget-5.8', 'nuget-2.8.7'])
    writeFileSync(path.join(folderOf(clients), client, 'nuget.config'), configWith(user, password));
}

const scoped = (comment: string, actions: string[], resources: string[]) =>
  mintKey(admin, admin.accountId, { comment, access: 'scoped', scopes: [{ actions, resources }] });

// What a client writes for the eyes of a terminal.
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** `Id 1.0.0` for each line that names a package of ours. */
function namesIn(output: string): string[] {
  return output
    .replace(ESCAPES, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^(Acme|Other)\.\S+ \d/.test(line))
    .toSorted();
}

beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  strange = createNugetClients(folderOf('strange'));
  known = createNugetClients(folderOf('known'));
  admin = await signIn(server.url);
  readKey = await scoped('Build reads', ['package:read'], ['Acme.*']);
  pushKey = await scoped('Build pushes', ['package:push', 'package:unlist'], ['Acme.*', 'Other.*']);
  const { response } = await admin.api.GET('/v1/settings');
  const headers = ifMatch(response.headers.get('etag') ?? '');
  await admin.api.PATCH('/v1/settings', { headers, body: { galleryRead: 'authenticated' } });
  configure('known', readKey.apiKey, readKey.secretKey);
  for (const [id, dependencies] of [
    ['Acme.Base', []],
    ['Acme.App', [{ id: 'Acme.Base', version: '1.0.0' }]],
    ['Other.Secret', []],
  ] as const) {
    const files = { [`lib/net45/${id}.txt`]: id };
    const { file } = known.writePackage({ id, version: '1.0.0', dependencies, files });
    const pushed = await known.modern.push(file, pushKey.fullKey, `${server.url}/api/v2`);
    expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Your package was pushed.')]);
  }
});
afterAll(() => place.close());

describe.each(SOURCES)(
  'the $client nuget at the private $protocol source',
  ({ client, protocol, source }) => {
    const url = () => server.url + source;

    it('is refused without a credential', async () => {
      const listed = await strange[client].list(url());
      show(`${client} lists ${protocol} without a credential:`, listed);
      // The old client asks a person for the credential, and lists nothing where there is none.
      const told = client === 'old' ? ([0, 'Cannot prompt for input'] as const) : ([1, '401'] as const);
      expect([listed.code, listed.output]).toEqual([told[0], expect.stringContaining(told[1])]);
      expect(namesIn(listed.output)).toEqual([]);
      const installed = await strange[client].install('Acme.App', url(), `strange-${protocol}`);
      show(`${client} installs from ${protocol} without a credential:`, installed);
      expect(installed.code).toBe(1);
      expect(installed.output).toMatch(
        client === 'old' ? /Cannot prompt for input/ : /401 \(This gallery is private/,
      );
      const { file } = strange.writePackage({ id: `Acme.Strange.${client}.${protocol}`, version: '1.0.0' });
      const pushed = await strange[client].push(file, null, url());
      show(`${client} pushes to ${protocol} without a credential:`, pushed);
      expect([pushed.code, pushed.output.includes('was pushed')]).toEqual([1, false]);
    });

    it('lists with the key pair as Basic what that key may read, and nothing else', async () => {
      const listed = await known[client].list(url(), '-AllVersions');
      show(`${client} lists ${protocol}:`, listed);
      expect([listed.code, namesIn(listed.output)]).toEqual([0, ['Acme.App 1.0.0', 'Acme.Base 1.0.0']]);
    });

    it('installs with dependencies, and finds no package that the key may not read', async () => {
      const into = `${client}-${protocol}`;
      const installed = await known[client].install('Acme.App', url(), into);
      show(`${client} installs from ${protocol}:`, installed);
      expect(installed.code).toBe(0);
      expect(readdirSync(path.join(folderOf('known'), into)).toSorted()).toEqual([
        'Acme.App.1.0.0',
        'Acme.Base.1.0.0',
      ]);
      for (const options of [[], ['-Version', '1.0.0']]) {
        const hidden = await known[client].install('Other.Secret', url(), `${into}-hidden`, ...options);
        expect(hidden.code).toBe(1);
        expect(hidden.output).toMatch(/Unable to find (?:package|version)|is not found in the following/);
      }
    });

    it('pushes and deletes by a key of its own, beside the credential of the source', async () => {
      const id = `Acme.Pushed.${client}.${protocol}`;
      const { file } = known.writePackage({ id, version: '1.0.0' });
      const pushed = await known[client].push(file, pushKey.fullKey, url());
      show(`${client} pushes to ${protocol}:`, pushed);
      expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Your package was pushed.')]);
      const deleted = await known[client].delete(id, '1.0.0', pushKey.fullKey, url());
      expect([deleted.code, deleted.output]).toEqual([
        0,
        expect.stringContaining('was deleted successfully'),
      ]);
      const refused = await known[client].push(file, readKey.fullKey, url());
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('403');
    });
  },
);

describe('the full key as the password', () => {
  it.each(['mei@example.com', 'token'])('works with the user name %s', async (user) => {
    configure('known', user, readKey.fullKey);
    for (const { client, source } of SOURCES) {
      const listed = await known[client].list(server.url + source);
      expect([client, source, listed.code, namesIn(listed.output)]).toEqual([
        client,
        source,
        0,
        ['Acme.App 1.0.0', 'Acme.Base 1.0.0'],
      ]);
    }
  });
});

describe('a key that ends', () => {
  it('reads nothing any more from its next request on', async () => {
    const ending = await scoped('Ends', ['package:read'], ['*']);
    configure('known', ending.apiKey, ending.secretKey);
    const source = `${server.url}/v3/index.json`;
    expect((await known.modern.list(source)).code).toBe(0);
    await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: ending.apiKey } } });
    const refused = await known.modern.list(source);
    show('nuget.exe 5.8 lists with a deleted key:', refused);
    expect([refused.code, refused.output.includes('401')]).toEqual([1, true]);
    const answer = await curl('--user', `x:${ending.fullKey}`, `${server.url}/api/v2/package/Acme.App/1.0.0`);
    expect(answer.status).toBe(401);
    expect(answer.head.toLowerCase()).toContain('www-authenticate: basic realm=');
  });
});
