import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl, runBash, runPython, verifyToken } from './clients.ts';
import { mintKey, signIn } from './console.ts';
import { curlSample, pythonSample } from './first-seed.ts';
import { run, show } from './run.ts';
import { ADMIN, openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

const place = openWorkplace();
afterAll(() => place.close());

async function makeCertificate(name: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [path.join(place.folder, `${name}.pem`), path.join(place.folder, `${name}.key`)];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
  const made = await run('/usr/bin/openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert]);
  expect(made.code, made.output).toBe(0);
  return { cert, key };
}

describe('a server with a certificate', () => {
  let server: ServerProcess;
  let cert = '';
  beforeAll(async () => {
    const files = await makeCertificate('server');
    cert = files.cert;
    server = await place.start({
      data: 'tls',
      // The outside world may reach it: with TLS that is no fault.
      env: { ...WITH_ADMIN, KEYREEVE_HOST: '0.0.0.0', KEYREEVE_TLS_CERT: cert, KEYREEVE_TLS_KEY: files.key },
    });
  });

  it('speaks https and nothing else', async () => {
    expect(server.url).toBe(`https://localhost:${server.port}`);
    const answer = await curl('--cacert', cert, `${server.url}/healthz`);
    expect(answer.status).toBe(200);
    expect(answer.head).toMatch(/^strict-transport-security: max-age=31536000/im);

    const untrusting = await run('/usr/bin/curl', ['--silent', '--show-error', `${server.url}/healthz`]);
    expect(untrusting.code).toBe(60);
    const plain = await run('/usr/bin/curl', ['--silent', `http://localhost:${server.port}/healthz`]);
    expect(plain.code).not.toBe(0);
    expect(plain.stdout).toBe('');
  });

  it('sets a session cookie that browsers keep to this host and to https', async () => {
    const signedIn = await curl(
      '--cacert',
      cert,
      '--json',
      JSON.stringify(ADMIN),
      `${server.url}/v1/session`,
    );
    expect(signedIn.status).toBe(200);
    expect(signedIn.head).toMatch(
      /^set-cookie: __Host-keyreeve_session=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; Secure; SameSite=Strict\r?$/im,
    );
    const cookie = /^set-cookie: ([^;]+)/im.exec(signedIn.head)?.[1] ?? '';
    const current = await curl('--cacert', cert, '--cookie', cookie, `${server.url}/v1/session`);
    expect(JSON.parse(current.body)).toMatchObject({ account: { email: ADMIN.email } });
  });

  it('answers the documented samples, whose https stays as it is', async () => {
    const signedIn = await curl(
      '--cacert',
      cert,
      '--json',
      JSON.stringify(ADMIN),
      `${server.url}/v1/session`,
    );
    const cookie = /^set-cookie: ([^;]+)/im.exec(signedIn.head)?.[1] ?? '';
    const { account } = JSON.parse(signedIn.body) as { account: { id: string } };
    const body = JSON.stringify({ comment: 'Samples', access: 'account' });
    const keys = `${server.url}/v1/accounts/${account.id}/keys`;
    const minted = await curl('--cacert', cert, '--cookie', cookie, '--json', body, keys);
    const pair = JSON.parse(minted.body) as { apiKey: string; secretKey: string };

    const samples = [
      await runBash(curlSample(server.url, pair), { CURL_CA_BUNDLE: cert }),
      await runPython(pythonSample(server.url, pair), [], { REQUESTS_CA_BUNDLE: cert }),
    ];
    for (const { stdout } of samples) {
      const { token } = JSON.parse(stdout) as { token: string };
      const { claims } = await verifyToken(server.url, token, server.url, { SSL_CERT_FILE: cert });
      expect(claims.iss).toBe(server.url);
    }
  });
});

describe('a start is refused', () => {
  it('over plain http on an address that others reach, naming every fault of the configuration at once', async () => {
    const refused = await place.startRefused({
      data: 'never',
      env: {
        KEYREEVE_HOST: '0.0.0.0',
        KEYREEVE_PORT: '99999',
        KEYREEVE_ADMIN_EMAIL: 'ada@example.com',
        KEYREEVE_MASTER_KEY: 'too short',
        KEYREEVE_TLS_CRET: '/etc/ssl/cert.pem',
        KEYREEVE_LOG_LEVEL: 'loud',
      },
    });
    show('A start with six faults:', { ...refused, output: refused.stderr });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('The configuration has 6 faults:');
    const faults = refused.stderr
      .match(/^ {2}- KEYREEVE_\w+/gm)
      ?.map((line) => line.slice('  - KEYREEVE_'.length));
    expect(faults?.toSorted()).toEqual([
      'ADMIN_PASSWORD',
      'HOST',
      'LOG_LEVEL',
      'MASTER_KEY',
      'PORT',
      'TLS_CRET',
    ]);
    expect(refused.stderr).toContain('secrets would travel over plain http');
    expect(refused.stderr).not.toContain('too short');
    expect(existsSync(path.join(place.folder, 'never'))).toBe(false);
  });

  it('with a certificate that does not go with its key, or is none', async () => {
    const [one, other] = [await makeCertificate('one'), await makeCertificate('other')];
    const noCertificate = path.join(place.folder, 'none.pem');
    writeFileSync(noCertificate, 'not a certificate');
    for (const cert of [other.cert, noCertificate]) {
      const env = { ...WITH_ADMIN, KEYREEVE_TLS_CERT: cert, KEYREEVE_TLS_KEY: one.key };
      const refused = await place.startRefused({ data: 'wrong-certificate', env });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/KEYREEVE_TLS_CERT.*KEYREEVE_TLS_KEY/);
      expect(refused.stderr).not.toContain('    at ');
    }
  });

  it('with a password for the administrator that would be refused at the console too', async () => {
    const env = { ...WITH_ADMIN, KEYREEVE_ADMIN_PASSWORD: 'short' };
    const refused = await place.startRefused({ data: 'weak', env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/KEYREEVE_ADMIN_PASSWORD.*at least 12/);
    expect(refused.stderr).not.toContain('    at ');
    const mended = await place.start({ data: 'weak', env: WITH_ADMIN });
    expect((await signIn(mended.url)).accountId).toMatch(/^acc_/);
    await mended.stop();
  });

  it('on the address of another program', async () => {
    const server = await place.start({ data: 'first', env: WITH_ADMIN });
    const refused = await place.startRefused({ data: 'second', port: server.port, env: WITH_ADMIN });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/The address is in use: .*choose another KEYREEVE_PORT/);
    await server.stop();
  });
});

describe('a data folder', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await place.start({ data: 'owned', env: WITH_ADMIN });
  });

  it('belongs to one server: a second one refuses, and the first goes on', async () => {
    const refused = await place.startRefused({ data: 'owned', env: WITH_ADMIN });
    show('A second server on the same data folder:', { ...refused, output: refused.stderr });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /The data folder \S+ is in use by another Keyreeve process\. Stop that one first/,
    );
    expect((await curl(`${server.url}/readyz`)).status).toBe(200);
  });

  it('is open to its owner only', () => {
    const isForOthers = (file: string) => (statSync(file).mode & 0o077) !== 0;
    expect(isForOthers(server.dataDir)).toBe(false);
    expect(isForOthers(path.join(server.dataDir, 'master.key'))).toBe(false);
  });

  it('does not open under another master key, nor without one, and is not harmed by the try', async () => {
    const admin = await signIn(server.url);
    const minted = await mintKey(admin, admin.accountId, { comment: 'Kept', access: 'account' });
    expect(await server.stop()).toBe(0);
    const other = Buffer.alloc(32, 7).toString('base64');
    const wrong = await place.startRefused({ data: 'owned', env: { KEYREEVE_MASTER_KEY: other } });
    show('A start with another master key:', { ...wrong, output: wrong.stderr });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/master key/);
    expect(wrong.stderr).not.toContain(other);
    expect(wrong.stderr).not.toContain('    at ');

    const file = path.join(server.dataDir, 'master.key');
    renameSync(file, `${file}.away`);
    const missing = await place.startRefused({ data: 'owned' });
    show('A start without the master key:', { ...missing, output: missing.stderr });
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('its master key is missing');
    expect(readdirSync(server.dataDir)).not.toContain('master.key');

    // From the environment it is as good as from the file.
    const again = await place.start({
      data: 'owned',
      port: server.port,
      env: { KEYREEVE_MASTER_KEY: readFileSync(`${file}.away`, 'utf8').trim() },
    });
    const login = await runBash(curlSample(again.url, minted));
    expect(login.stdout).toContain('"token":"ey');
    await again.stop();
  });
});

describe('port 0', () => {
  it('lets the system choose, and the address that is printed and signed is the true one', async () => {
    const server = await place.start({ data: 'any-port', port: 0, env: WITH_ADMIN });
    const admin = await signIn(server.url);
    const minted = await mintKey(admin, admin.accountId, { comment: 'Any port', access: 'account' });
    const { stdout } = await runBash(curlSample(server.url, minted));
    const { token } = JSON.parse(stdout) as { token: string };
    expect((await verifyToken(server.url, token)).claims.iss).toBe(server.url);
    await server.stop();
  });
});
