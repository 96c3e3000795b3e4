import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findNeedles, type Needle, toNeedle } from '../../packages/testkit/src/needles.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { addServiceAccount, mintKey, signIn } from '../console.ts';
import { ADMIN, openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from '../server-process.ts';

/**
 * What a snapshot of the heap shows: what is alive in the memory of the server once it has answered. Bytes of requests
 * that nobody holds any more may lie in memory until they are overwritten, and are not in it; the docs say so.
 */
const WRONG_PASSWORD = 'never the right one: quartz 51';
const PLANTED = `planted-${randomBytes(12).toString('hex')}`;
const SNAPSHOT_TIMEOUT_MS = 60_000;

let place: Workplace;
let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
  place = openWorkplace();
  const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
  server = await place.start({ env: { ...WITH_ADMIN, NODE_OPTIONS: options } });
});
afterAll(async () => {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every kind of secret that comes in or goes out, used the way it is meant to be. */
async function useSecrets(): Promise<Needle[]> {
  const secrets = new Map([['wrong password', WRONG_PASSWORD]]);
  await signIn(server.url, { ...ADMIN, password: WRONG_PASSWORD }).catch(() => {});
  const admin = await signIn(server.url);
  secrets.set('cookie of a session', admin.cookie.split('=')[1] ?? '');
  const robot = await addServiceAccount(admin, 'robot');
  const verifier = await mintKey(admin, admin.accountId, {
    comment: 'verifier',
    access: 'scoped',
    scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
  });
  secrets.set('secret key of a caller', verifier.secretKey);
  for (let count = 0; count < 20; count += 1) {
    const minted = await mintKey(admin, robot.id, { comment: `key ${count}`, access: 'account' });
    secrets.set(`secret key ${count}`, minted.secretKey);
    const headers = { authorization: `Bearer ${minted.fullKey}` };
    const answers = await Promise.all([
      fetch(`${server.url}/v1/keys/self`, { headers }),
      fetch(`${server.url}/v1/authorize`, { headers }),
      fetch(`${server.url}/v1/keys/verify`, {
        method: 'POST',
        headers: { authorization: `Bearer ${verifier.fullKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ key: minted.fullKey }),
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 200]);
    for (const answer of answers) await answer.text();
  }
  await admin.api.DELETE('/v1/session');
  // A connection that is kept knows its last request until the next one.
  for (let round = 0; round < 3; round += 1)
    await Promise.all(Array.from({ length: 10 }, async () => (await fetch(`${server.url}/healthz`)).text()));
  return [...secrets].map(([name, text]) => toNeedle(name, text));
}

/** Of everything that is alive after a collection. */
async function takeSnapshot(): Promise<Buffer> {
  const before = new Set(readdirSync(folder));
  server.signal('SIGUSR2');
  const deadline = Date.now() + SNAPSHOT_TIMEOUT_MS;
  for (;;) {
    const name = readdirSync(folder).find((file) => file.endsWith('.heapsnapshot') && !before.has(file));
    const file = path.join(folder, name ?? '');
    const bytes = name !== undefined && existsSync(file) ? readFileSync(file) : null;
    // The strings come last.
    if (bytes?.subarray(-8).toString().trimEnd().endsWith(']}') === true) return bytes;
    if (Date.now() > deadline) throw new Error('No snapshot was written.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('the server holds no secret that it was shown, once it has answered', async () => {
  const needles = await useSecrets();
  const found = findNeedles(await takeSnapshot(), needles);
  recordFigure(42, {
    name: 'secrets in: heap of the server',
    reached: `${found.length} of ${needles.length}`,
    wanted: '0',
    isHeld: found.length === 0,
  });
  expect(found).toEqual([]);
  // What is in the table of keys is in the memory of keys that were just verified.
  await fetch(`${server.url}/v1/authorize?action=x:y&resource=${PLANTED}`, {
    headers: { 'user-agent': PLANTED },
  });
  const admin = await signIn(server.url);
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: PLANTED, access: 'account' });
  await fetch(`${server.url}/v1/keys/self`, { headers: { authorization: `Bearer ${fullKey}` } });
  const planted = findNeedles(await takeSnapshot(), [toNeedle('planted', PLANTED)]);
  recordControl(42, {
    name: 'a text that the server keeps in memory',
    shown: `${planted.length} of 1 found in its heap`,
    hasFailed: planted.length === 1,
  });
  expect(planted).toEqual(['planted']);
});
