import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestCertificate } from '../../../testkit/src/smtp-sink.ts';
import { ConfigError, type Environment, loadConfig } from './load.ts';
import { VARIABLES } from './variables.ts';

const MASTER_KEY = randomBytes(32).toString('base64');
const POSTGRES_URL = 'postgres://keyreeve:hush@db.example.com/keyreeve';

function faultsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the address of Redis', () => {
  it.each([
    'http://redis.example.com',
    'redis.example.com:6379',
    'redis://',
    'redis://redis.example.com/limits',
    'redis://user:hush%zz@redis.example.com',
    'redis://user:hush@redis.example.com:99999',
  ])('cannot be %s, which is not repeated', (url) => {
    const faults = faultsOf({ KEYREEVE_REDIS_URL: url });
    expect(faults).toEqual([expect.stringContaining('KEYREEVE_REDIS_URL')]);
    expect(faults.join(' ')).not.toContain('hush');
  });

  it.each(['redis://127.0.0.1', 'rediss://user:a%2Fb@redis.example.com:6380/1', 'redis://[::1]:6379/'])(
    'can be %s',
    (url) => expect(faultsOf({ KEYREEVE_REDIS_URL: url })).toEqual([]),
  );
});

describe('loadConfig', () => {
  it('serves the machine itself only, on SQLite, when nothing is set', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      publicUrl: null,
      baseDomain: null,
      tls: null,
      allowHttp: false,
      trustProxy: [],
      dataDir: './data',
      database: { engine: 'sqlite' },
      masterKey: null,
      admin: null,
      smtpUrl: null,
      keyPrefix: 'kr',
      logLevel: 'info',
    });
  });

  it('takes a variable that is empty or blank for one that is not set', () => {
    const blank = Object.fromEntries(VARIABLES.map((variable) => [variable.name, '  ']));
    expect(loadConfig(blank)).toEqual(loadConfig({}));
  });

  it('ignores the variables of other programs', () => {
    expect(faultsOf({ PATH: '/bin', KEYREEV_HOST: 'x', keyreeve_host: 'y', MY_KEYREEVE_HOST: 'z' })).toEqual(
      [],
    );
  });

  it('reports all faults at once, each by the name of its variable', () => {
    const faults = faultsOf({
      KEYREEVE_HOST: '0.0.0.0',
      KEYREEVE_PORT: '80a',
      KEYREEVE_PUBLIC_URL: 'keys.example.com',
      KEYREEVE_BASE_DOMAIN: 'keys example',
      KEYREEVE_TLS_CERT: '/nowhere/cert.pem',
      KEYREEVE_TRUST_PROXY: '10.0.0.0/8, proxy',
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8, intranet',
      KEYREEVE_WEBHOOK_PORTS: '443,http',
      KEYREEVE_DATABASE_URL: 'mysql://root@db/keyreeve',
      KEYREEVE_ADMIN_EMAIL: 'ada',
      KEYREEVE_SMTP_URL: 'mail.example.com',
      KEYREEVE_MAIL_FROM: 'Keyreeve <a@example.com>',
      KEYREEVE_KEY_PREFIX: 'KR',
      KEYREEVE_LOG_LEVEL: 'loud',
      KEYREEVE_ALLOW_HTTPS: '1',
      KEYREEVE_ALLOW_HTTP: 'yes',
    });
    const named = new Set(faults.map((fault) => fault.split(' ')[0]));
    expect(faults).toHaveLength(named.size);
    expect(named).toEqual(
      new Set([
        'KEYREEVE_ADMIN_PASSWORD',
        'KEYREEVE_ALLOW_HTTP',
        'KEYREEVE_ALLOW_HTTPS',
        'KEYREEVE_BASE_DOMAIN',
        'KEYREEVE_DATABASE_URL',
        'KEYREEVE_HOST',
        'KEYREEVE_KEY_PREFIX',
        'KEYREEVE_LOG_LEVEL',
        'KEYREEVE_MAIL_FROM',
        'KEYREEVE_MASTER_KEY',
        'KEYREEVE_PORT',
        'KEYREEVE_PUBLIC_URL',
        'KEYREEVE_SMTP_URL',
        'KEYREEVE_TLS_KEY',
        'KEYREEVE_TRUST_PROXY',
        'KEYREEVE_WEBHOOK_ALLOWED_NETWORKS',
        'KEYREEVE_WEBHOOK_PORTS',
      ]),
    );
  });

  it('refuses a mistyped name, which would otherwise switch a protection off in silence', () => {
    expect(faultsOf({ KEYREEVE_METRIC_TOKEN: 'hush' })).toEqual([
      expect.stringMatching(/^KEYREEVE_METRIC_TOKEN is not a setting/),
    ]);
  });

  it.each(['-1', '65536', '1.5', '0x50', '1e3', '８０８０'])('refuses the port %s', (port) => {
    expect(faultsOf({ KEYREEVE_PORT: port })).toEqual([expect.stringContaining('KEYREEVE_PORT')]);
  });

  it.each([
    'keys.example.com',
    'ftp://keys.example.com',
    'https://keys.example.com/path',
    'https://keys.example.com/?a=1',
    'https://keys.example.com/#top',
    'https://user@keys.example.com',
    'https://:hush@keys.example.com',
    'javascript:alert(1)',
  ])('refuses %s as public address', (url) => {
    expect(faultsOf({ KEYREEVE_PUBLIC_URL: url })).toEqual([expect.stringContaining('KEYREEVE_PUBLIC_URL')]);
  });

  it('lets webhooks go to public addresses and the usual ports, unless told otherwise', () => {
    expect(loadConfig({}).webhooks).toEqual({ allowedNetworks: [], ports: [80, 443] });
    const environment = {
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: ' 10.1.0.0/16, fd00::/8,192.168.0.7 ',
      KEYREEVE_WEBHOOK_PORTS: '443, 8443',
    };
    expect(loadConfig(environment).webhooks).toEqual({
      allowedNetworks: ['10.1.0.0/16', 'fd00::/8', '192.168.0.7'],
      ports: [443, 8443],
    });
  });

  it.each(['0', '65536', '-1', '8 0', '443;80'])('refuses the webhook ports %s', (ports) => {
    expect(faultsOf({ KEYREEVE_WEBHOOK_PORTS: ports })).toEqual([
      expect.stringContaining('KEYREEVE_WEBHOOK_PORTS'),
    ]);
  });

  it.each([
    [POSTGRES_URL, '443,5432'],
    [POSTGRES_URL.replace('.com', '.com:6543'), '443,6543'],
  ])('lets no webhook go to the port of the database: %s', (url, ports) => {
    const environment = { KEYREEVE_DATABASE_URL: url, KEYREEVE_MASTER_KEY: MASTER_KEY };
    expect(faultsOf({ ...environment, KEYREEVE_WEBHOOK_PORTS: ports })).toEqual([
      expect.stringContaining('the port of the database'),
    ]);
  });

  it('keeps only the origin of the public address', () => {
    expect(loadConfig({ KEYREEVE_PUBLIC_URL: 'HTTPS://Keys.Example.com:443/' }).publicUrl).toBe(
      'https://keys.example.com',
    );
  });
});

describe('reach over plain http', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('allows %s, which others cannot reach', (host) => {
    expect(faultsOf({ KEYREEVE_HOST: host })).toEqual([]);
  });

  it.each([
    '0.0.0.0',
    '::',
    '192.0.2.1',
    '10.0.0.1',
    '2001:db8::1',
    'keys.example.com',
    'localhost.example.com',
    '128.0.0.1',
  ])('refuses %s without TLS, proxy or consent', (host) => {
    expect(faultsOf({ KEYREEVE_HOST: host })).toEqual([expect.stringContaining('KEYREEVE_ALLOW_HTTP=1')]);
    expect(faultsOf({ KEYREEVE_HOST: host, KEYREEVE_ALLOW_HTTP: '0' })).toHaveLength(1);
    expect(faultsOf({ KEYREEVE_HOST: host, KEYREEVE_PUBLIC_URL: 'http://keys.example.com' })).toHaveLength(1);
    expect(faultsOf({ KEYREEVE_HOST: host, KEYREEVE_ALLOW_HTTP: '1' })).toEqual([]);
    expect(faultsOf({ KEYREEVE_HOST: host, KEYREEVE_PUBLIC_URL: 'https://keys.example.com' })).toEqual([]);
  });
});

describe('the certificate', () => {
  const pair = createTestCertificate();
  let folder = '';
  let cert = '';
  let key = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-config-'));
    cert = path.join(folder, 'cert.pem');
    key = path.join(folder, 'key.pem');
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('goes together with its key', () => {
    expect(faultsOf({ KEYREEVE_TLS_CERT: cert })).toEqual([
      expect.stringMatching(/^KEYREEVE_TLS_KEY is missing/),
    ]);
    expect(faultsOf({ KEYREEVE_TLS_KEY: key })).toEqual([
      expect.stringMatching(/^KEYREEVE_TLS_CERT is missing/),
    ]);
  });

  it('opens the server to others', () => {
    const config = loadConfig({ KEYREEVE_HOST: '0.0.0.0', KEYREEVE_TLS_CERT: cert, KEYREEVE_TLS_KEY: key });
    expect(config.tls).toEqual(pair);
  });

  it('is named when its file cannot be read', () => {
    const faults = faultsOf({ KEYREEVE_TLS_CERT: cert, KEYREEVE_TLS_KEY: path.join(folder, 'missing.pem') });
    expect(faults).toEqual([expect.stringMatching(/^KEYREEVE_TLS_KEY names a file/)]);
  });

  it('must be one, and the one that its key belongs to', () => {
    const other = path.join(folder, 'other.pem');
    for (const text of [createTestCertificate().cert, 'not a certificate']) {
      writeFileSync(other, text);
      expect(faultsOf({ KEYREEVE_TLS_CERT: other, KEYREEVE_TLS_KEY: key })).toEqual([
        expect.stringMatching(/^KEYREEVE_TLS_CERT and KEYREEVE_TLS_KEY cannot be used together/),
      ]);
    }
  });

  it('contradicts a public address without TLS', () => {
    const environment = {
      KEYREEVE_TLS_CERT: cert,
      KEYREEVE_TLS_KEY: key,
      KEYREEVE_PUBLIC_URL: 'http://keys.example.com',
    };
    expect(faultsOf(environment)).toEqual([expect.stringContaining('must start with https')]);
  });
});

describe('where package files are kept', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'hush-key' };
  const blobsOf = (url: string, environment: Environment = {}) =>
    loadConfig({ KEYREEVE_BLOB_URL: url, ...keys, ...environment }).blobs;

  it('is a folder in the data folder, unless told otherwise', () => {
    expect(loadConfig({ KEYREEVE_DATA_DIR: 'there' }).blobs).toEqual({
      kind: 'folder',
      folder: path.join('there', 'blobs'),
    });
  });

  it.each([
    ['file:/srv/packages', '/srv/packages'],
    ['file:///srv/my%20packages', '/srv/my packages'],
    ['file://localhost/srv/packages', '/srv/packages'],
    ['file:./packages', './packages'],
  ])('may be a folder: %s', (url, folder) => {
    expect(blobsOf(url)).toEqual({ kind: 'folder', folder });
  });

  it('may be a bucket of AWS', () => {
    expect(blobsOf('s3://acme-packages/keyreeve/?region=eu-central-1')).toMatchObject({
      kind: 's3',
      bucket: 'acme-packages',
      prefix: 'keyreeve/',
      region: 'eu-central-1',
      endpoint: null,
      isPathStyle: false,
      credentials: { accessKeyId: 'AKIDEXAMPLE', sessionToken: null },
    });
    expect(blobsOf('s3://acme-packages', { AWS_REGION: 'eu-west-3' })).toMatchObject({
      prefix: '',
      region: 'eu-west-3',
    });
  });

  it('may be a bucket of any other store, which then needs no region and has the bucket in the path', () => {
    expect(blobsOf('s3://packages/a/b?endpoint=https://s3.example.com')).toMatchObject({
      prefix: 'a/b/',
      region: 'us-east-1',
      endpoint: 'https://s3.example.com',
      isPathStyle: true,
    });
    expect(blobsOf('s3://packages?endpoint=http%3A%2F%2F10.0.0.5%3A9000&pathStyle=false')).toMatchObject({
      endpoint: 'http://10.0.0.5:9000',
      isPathStyle: false,
    });
  });

  it('may leave the keys to whatever the machine has, a role for instance', () => {
    const environment = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    expect(blobsOf('s3://packages?region=eu-west-3', environment)).toMatchObject({ credentials: null });
  });

  it.each([
    ['/srv/packages', 'must be file:/path or s3://'],
    ['file:', 'must be file:/path or s3://'],
    ['file://elsewhere/srv', 'must be file:/path or s3://'],
    ['file:///srv?x=1', 'must be file:/path or s3://'],
    ['https://s3.example.com/packages', 'must be file:/path or s3://'],
    ['s3:packages', 'must be file:/path or s3://'],
    ['s3://AKID:hush@packages?region=eu-west-3', 'must not contain credentials'],
    ['s3://My_Bucket?region=eu-west-3', 'names no valid bucket'],
    ['s3://packages/a//b?region=eu-west-3', 'has a prefix'],
    ['s3://packages/a%20b?region=eu-west-3', 'has a prefix'],
    ['s3://packages', 'needs a region'],
    ['s3://packages?region=EU!', 'needs a region'],
    ['s3://packages?endpoint=s3.example.com', 'needs an endpoint'],
    ['s3://packages?endpoint=https://user:hush@s3.example.com', 'needs an endpoint'],
    ['s3://packages?endpoint=https://s3.example.com/path', 'needs an endpoint'],
    ['s3://packages?region=eu-west-3&pathStyle=perhaps', 'needs pathStyle'],
    ['s3://packages?region=eu-west-3&pathstyle=true', 'may have the parameters'],
    ['s3://packages?region=eu-west-3&secret=hush', 'may have the parameters'],
    ['s3://packages?region=eu-west-3&region=eu-west-1', 'has the parameter region twice'],
  ])('is not %s', (url, fault) => {
    const faults = faultsOf({ KEYREEVE_BLOB_URL: url, ...keys });
    expect(faults[0]).toContain(`KEYREEVE_BLOB_URL ${fault}`);
    // Of an address that cannot be read at all, nothing else can be known.
    if (url !== 's3:packages') expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain('hush');
  });

  it('tells all that is wrong with it at once', () => {
    const faults = faultsOf({
      KEYREEVE_BLOB_URL: 's3://a:b@_?pathStyle=x&endpoint=y&z=1',
      AWS_SECRET_ACCESS_KEY: 'hush',
    });
    expect(faults).toHaveLength(6);
    expect(faults.join()).not.toContain('hush');
  });

  it('never prints the keys', () => {
    const config = loadConfig({
      KEYREEVE_BLOB_URL: 's3://packages?region=eu-west-3',
      ...keys,
      AWS_SESSION_TOKEN: 'hush-token',
    });
    expect(`${inspect(config, { depth: 9 })}${JSON.stringify(config)}`).not.toContain('hush');
  });
});

describe('the master key', () => {
  it('is required with PostgreSQL', () => {
    expect(faultsOf({ KEYREEVE_DATABASE_URL: POSTGRES_URL })).toEqual([
      expect.stringMatching(/^KEYREEVE_MASTER_KEY is required with PostgreSQL/),
    ]);
    expect(faultsOf({ KEYREEVE_DATABASE_URL: POSTGRES_URL, KEYREEVE_MASTER_KEY: MASTER_KEY })).toEqual([]);
  });

  it('is taken together with the one before it, and that one never alone or malformed', () => {
    const KEYREEVE_MASTER_KEY_PREVIOUS = randomBytes(32).toString('base64');
    const environment = { KEYREEVE_MASTER_KEY: MASTER_KEY, KEYREEVE_MASTER_KEY_PREVIOUS };
    expect(loadConfig(environment).previousMasterKey?.reveal()).toBe(KEYREEVE_MASTER_KEY_PREVIOUS);
    expect(faultsOf({ KEYREEVE_MASTER_KEY_PREVIOUS })).toEqual([
      expect.stringMatching(/^KEYREEVE_MASTER_KEY_PREVIOUS needs the new key in KEYREEVE_MASTER_KEY/),
    ]);
    expect(faultsOf({ ...environment, KEYREEVE_MASTER_KEY_PREVIOUS: 'short' })).toEqual([
      'KEYREEVE_MASTER_KEY_PREVIOUS must be exactly 32 bytes in base64.',
    ]);
  });

  it.each([
    ['31 bytes', randomBytes(31).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['hex', randomBytes(32).toString('hex')],
    ['a password', 'correct horse battery staple!!!!'],
    ['two lines', `${MASTER_KEY.slice(0, 20)}\n${MASTER_KEY.slice(20)}`],
  ])('is refused as %s', (_name, text) => {
    expect(faultsOf({ KEYREEVE_MASTER_KEY: text })).toEqual([expect.stringContaining('exactly 32 bytes')]);
  });
});

describe('the number of workers', () => {
  it('is one, a number, or one for each core', () => {
    expect(loadConfig({}).workers).toBe(1);
    expect(loadConfig({ KEYREEVE_WORKERS: '64' }).workers).toBe(64);
    expect(loadConfig({ KEYREEVE_WORKERS: 'auto' }).workers).toBe(Math.min(64, availableParallelism()));
  });

  it.each(['0', '65', '-1', '1.5', 'many', '1e1'])('is refused as %s', (text) => {
    expect(faultsOf({ KEYREEVE_WORKERS: text })).toEqual([
      'KEYREEVE_WORKERS must be a whole number from 1 to 64, or auto.',
    ]);
  });

  it('goes with a time for load balancers, of at most five minutes', () => {
    expect(loadConfig({ KEYREEVE_DRAIN_SECONDS: '15' }).drainSeconds).toBe(15);
    for (const text of ['301', '-1', 'long'])
      expect(faultsOf({ KEYREEVE_DRAIN_SECONDS: text })).toEqual([
        'KEYREEVE_DRAIN_SECONDS must be a whole number from 0 to 300.',
      ]);
  });
});

describe('secrets in the configuration', () => {
  const secrets: Environment = {
    KEYREEVE_DATABASE_URL: POSTGRES_URL,
    KEYREEVE_MASTER_KEY: MASTER_KEY,
    KEYREEVE_ADMIN_EMAIL: 'ada@example.com',
    KEYREEVE_ADMIN_PASSWORD: 'hush hush hush',
    KEYREEVE_SMTP_URL: 'smtps://user:hush@mail.example.com',
    KEYREEVE_METRICS_TOKEN: 'hush-token',
  };

  it('are never printed with the configuration', () => {
    const config = loadConfig(secrets);
    const printed = `${inspect(config, { depth: 9, showHidden: true })}${JSON.stringify(config)}`;
    expect(printed).not.toContain('hush');
    expect(printed).not.toContain(MASTER_KEY);
    expect(config.admin?.password.reveal()).toBe('hush hush hush');
  });

  it('are never repeated in a fault, however wrong they are', () => {
    const wrong = Object.fromEntries(
      VARIABLES.filter((variable) => 'isSecret' in variable).map((variable) => [
        variable.name,
        `hush ${variable.name}`,
      ]),
    );
    const error = new ConfigError(
      faultsOf({ ...wrong, KEYREEVE_SMTP_PASSWORD: 'hush', KEYREEVE_ADMIN_EMAIL: 'x' }),
    );
    expect(error.faults.length).toBeGreaterThanOrEqual(5);
    expect(inspect(error)).not.toContain('hush');
  });
});
