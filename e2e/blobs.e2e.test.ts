import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flipByte, type S3Server, startS3Server } from '../packages/testkit/src/s3-server.ts';
import { curl } from './clients.ts';
import { LARGE_MIB, measurePush, mintPushKey, pushFile, writeLargePackage } from './large-push.ts';
import { run } from './run.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

const EXTRA_MIB_MAX = 64;
const CURL_PARTIAL_FILE = 18;

const place = openWorkplace();
let s3: S3Server;
const files = { small: '', medium: '', large: '' };

beforeAll(async () => {
  s3 = await startS3Server();
  for (const [name, sizeMib] of [
    ['small', 1],
    ['medium', 12],
    ['large', LARGE_MIB],
  ] as const) {
    files[name] = path.join(place.folder, `${name}.nupkg`);
    writeLargePackage(files[name], `Acme.${name}`, sizeMib);
  }
});
afterAll(async () => {
  await place.close();
  await s3.close();
});

const startWith = (store: 'folder' | 's3') =>
  place.start({ data: store, env: { ...WITH_ADMIN, ...(store === 's3' ? s3.environment : {}) } });
const addressOf = (server: ServerProcess, name: string) => `${server.url}/api/v2/package/Acme.${name}/1.0.0`;

describe.each(['folder', 's3'] as const)('package files in a store of the kind %s', (store) => {
  let server: ServerProcess;
  let key = '';
  beforeAll(async () => {
    server = await startWith(store);
    key = await mintPushKey(server);
  });
  afterAll(() => server.stop());

  it(`takes a push of ${LARGE_MIB} MB in less than ${EXTRA_MIB_MAX} MiB of memory beyond what it has`, async () => {
    expect((await pushFile(server, key, files.small)).status).toBe(201);
    const { status, grownMib, beforeMib } = await measurePush(server, key, files.large);
    process.stdout.write(
      `${store}: ${beforeMib.toFixed(0)} MiB before, +${grownMib.toFixed(1)} MiB at most\n`,
    );
    expect(status).toBe(201);
    expect(grownMib).toBeLessThan(EXTRA_MIB_MAX);
  });

  it('breaks the download of a damaged file off, which the real curl notices, and refuses the next one', async () => {
    expect((await pushFile(server, key, files.medium)).status).toBe(201);
    const folder = path.join(server.dataDir, 'blobs');
    const stored = store === 's3' ? s3.keys().map((name) => s3.fileOf(name)) : listFiles(folder);
    for (const file of stored) flipByte(file, 0);
    const first = await run('/usr/bin/curl', ['--output', '/dev/null', addressOf(server, 'medium')]);
    expect(first.code).toBe(CURL_PARTIAL_FILE);
    const second = await curl(addressOf(server, 'medium'));
    expect(second.status).toBe(503);
    expect(second.head).toContain('503 The stored file does not match its checksum');
    expect(server.output()).toContain('a package file is damaged');
  });
});

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describe('a disk that is full', () => {
  it.each(['folder', 's3'] as const)(
    'has a push come back later and keeps nothing of it: %s',
    async (store) => {
      const env = { ...WITH_ADMIN, ...(store === 's3' ? s3.environment : {}) };
      const data = `full-${store}`;
      const server = await place.start({ data, env, fileKibibytesMax: 6 * 1024 });
      const key = await mintPushKey(server);
      const refused = await pushFile(server, key, files.medium);
      expect(refused).toMatchObject({ status: 503, retryAfter: '60' });
      expect(refused.reason).toContain('has no room');
      expect(listFiles(path.join(server.dataDir, 'blobs'))).toEqual([]);
      expect((await curl(addressOf(server, 'medium'))).status).toBe(404);
      await server.stop();
      const roomy = await place.start({ data, env });
      expect((await pushFile(roomy, key, files.medium)).status).toBe(201);
      await roomy.stop();
    },
  );
});

describe('a start', () => {
  it('with a key that the store refuses ends with the reason, and without the key', async () => {
    const env = { ...WITH_ADMIN, ...s3.environment, AWS_SECRET_ACCESS_KEY: 'hush-hush' };
    const refused = await place.startRefused({ data: 'refused', env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('KEYREEVE_BLOB_URL');
    expect(refused.stderr).toContain('SignatureDoesNotMatch');
    expect(refused.stderr + refused.stdout).not.toContain('hush');
  });

  it('while the store is away goes on: keys are verified, packages come back later', async () => {
    const env = { ...WITH_ADMIN, ...s3.environment };
    const away = { KEYREEVE_BLOB_URL: `s3://packages?endpoint=${encodeURIComponent('http://127.0.0.1:9')}` };
    const server = await place.start({ data: 'away', env: { ...env, ...away } });
    const key = await mintPushKey(server);
    const ready = await curl(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(ready.body).toContain('"packageFiles":"unavailable"');
    expect((await curl('--header', `X-API-Key: ${key}`, `${server.url}/v1/authorize`)).status).toBe(204);
    expect(await pushFile(server, key, files.small)).toMatchObject({ status: 503, retryAfter: '10' });
    await server.stop();
  });
});
