import { readFileSync } from 'node:fs';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { availableParallelism } from 'node:os';
import { createSecureContext } from 'node:tls';
import { parseCidr } from '../lib/ip-list.ts';
import { Secret } from '../lib/secret.ts';
import { isEmailAddress } from '../lib/text.ts';
import { readBlobUrl } from './blob-url.ts';
import { type Config, type DatabaseConfig, LOG_LEVELS, type LogLevel } from './config.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { readSecurityContact } from './security-contact.ts';
import { VARIABLES, type VariableName } from './variables.ts';

// Read by the command line, which people run in the same shell as the server.
const COMMAND_LINE_VARIABLES = ['KEYREEVE_URL', 'KEYREEVE_API_KEY'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** All faults of a configuration at once, so that an operator does not mend them one start at a time. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

class Reader {
  readonly faults: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  text(name: VariableName): string | null {
    const value = this.#environment[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  secret(name: VariableName): Secret | null {
    const value = this.text(name);
    return value === null ? null : new Secret(value);
  }

  flag(name: VariableName): boolean {
    const value = this.text(name);
    if (value !== null && !['0', '1', 'true', 'false'].includes(value)) this.fault(name, 'must be 0 or 1');
    return value === '1' || value === 'true';
  }

  fault(name: VariableName, message: string): void {
    this.faults.push(`${name} ${message}.`);
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  if (isIP(host) === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, isIPv4(host) ? 'ipv4' : 'ipv6');
}

function toPort(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}

function readPort(reader: Reader): number {
  const port = toPort(reader.text('KEYREEVE_PORT') ?? '8080');
  if (!(port <= 65_535)) reader.fault('KEYREEVE_PORT', 'must be a whole number from 0 to 65535');
  return port;
}

const WORKERS_MAX = 64;
const DRAIN_SECONDS_MAX = 300;

function readWorkers(reader: Reader): Pick<Config, 'workers' | 'drainSeconds'> {
  const text = reader.text('KEYREEVE_WORKERS') ?? '1';
  const cores = Math.min(availableParallelism(), WORKERS_MAX);
  const workers = text === 'auto' ? cores : /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > WORKERS_MAX)
    reader.fault('KEYREEVE_WORKERS', `must be a whole number from 1 to ${WORKERS_MAX}, or auto`);
  const seconds = reader.text('KEYREEVE_DRAIN_SECONDS') ?? '0';
  const drainSeconds = /^\d{1,3}$/.test(seconds) ? Number(seconds) : Number.NaN;
  if (!(drainSeconds <= DRAIN_SECONDS_MAX))
    reader.fault('KEYREEVE_DRAIN_SECONDS', `must be a whole number from 0 to ${DRAIN_SECONDS_MAX}`);
  return { workers, drainSeconds };
}

function readPublicUrl(reader: Reader): string | null {
  const text = reader.text('KEYREEVE_PUBLIC_URL');
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.href !== `${url.origin}/`) {
    reader.fault('KEYREEVE_PUBLIC_URL', 'must be an address like https://keys.example.com, without a path');
    return null;
  }
  return url.origin;
}

function readTls(reader: Reader): Config['tls'] {
  const certFile = reader.text('KEYREEVE_TLS_CERT');
  const keyFile = reader.text('KEYREEVE_TLS_KEY');
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    reader.fault(
      certFile === null ? 'KEYREEVE_TLS_CERT' : 'KEYREEVE_TLS_KEY',
      'is missing: certificate and key go together',
    );
    return null;
  }
  const readFile = (name: VariableName, file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      reader.fault(name, 'names a file that cannot be read');
      return '';
    }
  };
  const pair = { cert: readFile('KEYREEVE_TLS_CERT', certFile), key: readFile('KEYREEVE_TLS_KEY', keyFile) };
  if (pair.cert !== '' && pair.key !== '') checkPair(reader, pair);
  return pair;
}

/** Found here, a wrong certificate is told beside all other faults, and before a database is made. */
function checkPair(reader: Reader, pair: NonNullable<Config['tls']>): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reader.fault('KEYREEVE_TLS_CERT', `and KEYREEVE_TLS_KEY cannot be used together (${reason})`);
  }
}

function readDatabase(reader: Reader): DatabaseConfig {
  const url = reader.secret('KEYREEVE_DATABASE_URL');
  const listen = reader.text('KEYREEVE_DATABASE_LISTEN_URL');
  const outage = reader.text('KEYREEVE_DATABASE_OUTAGE') ?? 'refuse';
  if (outage !== 'refuse' && outage !== 'serve')
    reader.fault('KEYREEVE_DATABASE_OUTAGE', 'must be refuse or serve');
  if (url === null) {
    // On SQLite they would mean nothing, and whoever set them believes that they do.
    for (const name of ['KEYREEVE_DATABASE_LISTEN_URL', 'KEYREEVE_DATABASE_OUTAGE'] as const)
      if (reader.text(name) !== null) reader.fault(name, 'needs PostgreSQL in KEYREEVE_DATABASE_URL');
    return { engine: 'sqlite' };
  }
  for (const fault of parseDatabaseUrl(url.reveal()).faults) reader.fault('KEYREEVE_DATABASE_URL', fault);
  const listenUrl = listen === null || listen === 'none' ? listen : new Secret(listen);
  if (listenUrl instanceof Secret) {
    const { hosts, faults } = parseDatabaseUrl(listenUrl.reveal());
    if (faults.length > 0 || hosts.length !== 1)
      reader.fault('KEYREEVE_DATABASE_LISTEN_URL', 'must be postgres://… with one server, or none');
  }
  return {
    engine: 'postgres',
    url,
    ...(listenUrl === null ? {} : { listenUrl }),
    outage: outage === 'serve' ? 'serve' : 'refuse',
  };
}

function readRedisUrl(reader: Reader): Secret | null {
  const url = reader.secret('KEYREEVE_REDIS_URL');
  if (url !== null && !isRedisUrl(url.reveal()))
    reader.fault(
      'KEYREEVE_REDIS_URL',
      'must be an address like rediss://user:password@redis.example.com:6379, in which special characters of the password are written as %XX and nothing follows but the number of a database',
    );
  return url;
}

/** What the client would stumble over at the start, without a word of which setting it was. */
function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  if (!/^rediss?:$/.test(protocol) || hostname === '' || !/^\/?\d*$/.test(pathname)) return false;
  try {
    return decodeURIComponent(username + password) !== null;
  } catch {
    return false;
  }
}

function readBlobs(reader: Reader, environment: Environment, dataDir: string): Config['blobs'] {
  const { blobs, faults } = readBlobUrl(reader.text('KEYREEVE_BLOB_URL'), environment, dataDir);
  for (const fault of faults) reader.fault('KEYREEVE_BLOB_URL', fault);
  return blobs;
}

function readMasterKey(reader: Reader, database: DatabaseConfig): Secret | null {
  const text = reader.text('KEYREEVE_MASTER_KEY');
  if (text === null) {
    if (database.engine === 'postgres') {
      reader.fault(
        'KEYREEVE_MASTER_KEY',
        'is required with PostgreSQL: 32 bytes in base64, for instance from `openssl rand -base64 32`',
      );
    }
    return null;
  }
  return checkMasterKey(reader, 'KEYREEVE_MASTER_KEY', text);
}

function checkMasterKey(reader: Reader, name: VariableName, text: string): Secret {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) || Buffer.from(text, 'base64').length !== 32) {
    reader.fault(name, 'must be exactly 32 bytes in base64');
  }
  return new Secret(text);
}

function readPreviousMasterKey(reader: Reader): Secret | null {
  const text = reader.text('KEYREEVE_MASTER_KEY_PREVIOUS');
  if (text === null) return null;
  if (reader.text('KEYREEVE_MASTER_KEY') === null) {
    reader.fault(
      'KEYREEVE_MASTER_KEY_PREVIOUS',
      'needs the new key in KEYREEVE_MASTER_KEY; a master key in the data folder is rotated by `keyreeve master-key rotate`',
    );
  }
  return checkMasterKey(reader, 'KEYREEVE_MASTER_KEY_PREVIOUS', text);
}

function readAdmin(reader: Reader): Config['admin'] {
  const email = reader.text('KEYREEVE_ADMIN_EMAIL');
  const password = reader.secret('KEYREEVE_ADMIN_PASSWORD');
  if (email === null && password === null) return null;
  if (email === null || password === null) {
    reader.fault(
      email === null ? 'KEYREEVE_ADMIN_EMAIL' : 'KEYREEVE_ADMIN_PASSWORD',
      'is missing: e-mail and password go together',
    );
    return null;
  }
  if (!isEmailAddress(email)) reader.fault('KEYREEVE_ADMIN_EMAIL', 'must be one plain e-mail address');
  return { email, password };
}

const BULK_MAILS_PER_MINUTE_MAX = 100_000;

function readMail(
  reader: Reader,
): Pick<Config, 'smtpUrl' | 'smtpAllowPlain' | 'mailFrom' | 'bulkMailsPerMinute'> {
  const smtpUrl = reader.secret('KEYREEVE_SMTP_URL');
  if (
    smtpUrl !== null &&
    !(URL.canParse(smtpUrl.reveal()) && /^smtps?:$/.test(new URL(smtpUrl.reveal()).protocol))
  ) {
    reader.fault('KEYREEVE_SMTP_URL', 'must be an address like smtps://user:password@mail.example.com:465');
  }
  const mailFrom = reader.text('KEYREEVE_MAIL_FROM') ?? 'keyreeve@localhost';
  if (!isEmailAddress(mailFrom)) reader.fault('KEYREEVE_MAIL_FROM', 'must be one plain e-mail address');
  const rate = reader.text('KEYREEVE_BULK_MAILS_PER_MINUTE') ?? '600';
  const bulkMailsPerMinute = /^\d{1,6}$/.test(rate) ? Number(rate) : 0;
  if (bulkMailsPerMinute < 1 || bulkMailsPerMinute > BULK_MAILS_PER_MINUTE_MAX) {
    reader.fault(
      'KEYREEVE_BULK_MAILS_PER_MINUTE',
      `must be a whole number from 1 to ${BULK_MAILS_PER_MINUTE_MAX}`,
    );
  }
  return {
    smtpUrl,
    smtpAllowPlain: reader.flag('KEYREEVE_SMTP_ALLOW_PLAIN'),
    mailFrom,
    bulkMailsPerMinute,
  };
}

const USAGE_HOURLY_DAYS_MIN = 31;
const USAGE_DAYS_MAX = 3_660;

function readUsage(reader: Reader): Pick<Config, 'usageHourlyDays' | 'usageDailyDays'> {
  const days = (name: VariableName, usual: string, min: number): number => {
    const text = reader.text(name) ?? usual;
    const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
    if (value < min || value > USAGE_DAYS_MAX)
      reader.fault(name, `must be a whole number of days from ${min} to ${USAGE_DAYS_MAX}`);
    return value;
  };
  // The overview shows the last 30 days by the hour.
  const usageHourlyDays = days('KEYREEVE_USAGE_HOURLY_DAYS', '35', USAGE_HOURLY_DAYS_MIN);
  return { usageHourlyDays, usageDailyDays: days('KEYREEVE_USAGE_DAILY_DAYS', '400', usageHourlyDays) };
}

function readList(reader: Reader, name: VariableName): readonly string[] {
  return (reader.text(name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function readRanges(reader: Reader, name: VariableName): readonly string[] {
  const ranges = readList(reader, name);
  for (const range of ranges) {
    if (parseCidr(range) === null)
      reader.fault(name, `contains "${range}", which is neither an address nor a range like 10.0.0.0/8`);
  }
  return ranges;
}

const WEBHOOK_PORTS = [80, 443];
function readWebhooks(reader: Reader, database: DatabaseConfig): Config['webhooks'] {
  const name = 'KEYREEVE_WEBHOOK_PORTS';
  const given = readList(reader, name);
  const ports = given.length === 0 ? WEBHOOK_PORTS : given.map(toPort);
  if (!ports.every((port) => port >= 1 && port <= 65_535))
    reader.fault(name, 'must be whole numbers from 1 to 65535, like 443,8443');
  const { hosts } = parseDatabaseUrl(database.engine === 'postgres' ? database.url.reveal() : '');
  if (hosts.some(({ port }) => ports.includes(port)))
    reader.fault(name, 'contains the port of the database, to which no webhook may go');
  return { allowedNetworks: readRanges(reader, 'KEYREEVE_WEBHOOK_ALLOWED_NETWORKS'), ports };
}

function readContact(reader: Reader): Config['securityContact'] {
  const [names, policy] = ['KEYREEVE_SECURITY_CONTACT', 'KEYREEVE_SECURITY_POLICY'] as const;
  const found = readSecurityContact(readList(reader, names), reader.text(policy));
  for (const fault of found.contactFaults) reader.fault(names, fault);
  for (const fault of found.policyFaults) reader.fault(policy, fault);
  return { addresses: found.addresses, policyUrl: found.policyUrl };
}

function readLogLevel(reader: Reader): LogLevel {
  const text = reader.text('KEYREEVE_LOG_LEVEL') ?? 'info';
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) reader.fault('KEYREEVE_LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'info';
}

function checkReach(reader: Reader, config: Config): void {
  const isProtected =
    config.tls !== null || config.publicUrl?.startsWith('https:') === true || config.allowHttp;
  if (!isLoopback(config.host) && !isProtected) {
    reader.fault(
      'KEYREEVE_HOST',
      'is an address that others can reach, and secrets would travel over plain http. Set KEYREEVE_TLS_CERT and KEYREEVE_TLS_KEY, an https KEYREEVE_PUBLIC_URL (behind a proxy that ends TLS), or KEYREEVE_ALLOW_HTTP=1',
    );
  }
  if (config.tls !== null && config.publicUrl?.startsWith('http:') === true) {
    reader.fault('KEYREEVE_PUBLIC_URL', 'must start with https: when the server has a certificate');
  }
}

/**
 * Reads the whole configuration from environment variables.
 *
 * @throws ConfigError listing every fault: bad values, unsafe states, and unknown `KEYREEVE_` names (a
 *   mistyped name would otherwise switch a protection off in silence).
 */
export function loadConfig(environment: Environment): Config {
  const reader = new Reader(environment);
  const known = new Set<string>([...VARIABLES.map((variable) => variable.name), ...COMMAND_LINE_VARIABLES]);
  for (const name of Object.keys(environment)) {
    if (name.startsWith('KEYREEVE_') && !known.has(name))
      reader.faults.push(`${name} is not a setting of Keyreeve; see docs/operations/configuration.md.`);
  }
  const database = readDatabase(reader);
  const dataDir = reader.text('KEYREEVE_DATA_DIR') ?? './data';
  const keyPrefix = reader.text('KEYREEVE_KEY_PREFIX') ?? 'kr';
  if (!/^[a-z]{2,8}$/.test(keyPrefix))
    reader.fault('KEYREEVE_KEY_PREFIX', 'must be 2 to 8 lower-case letters');
  const baseDomain = reader.text('KEYREEVE_BASE_DOMAIN')?.toLowerCase() ?? null;
  if (baseDomain !== null && !/^[a-z0-9.-]{1,190}$/.test(baseDomain))
    reader.fault('KEYREEVE_BASE_DOMAIN', 'must be a domain like keys.example.com');
  const config: Config = {
    host: reader.text('KEYREEVE_HOST') ?? '127.0.0.1',
    port: readPort(reader),
    publicUrl: readPublicUrl(reader),
    baseDomain,
    tls: readTls(reader),
    allowHttp: reader.flag('KEYREEVE_ALLOW_HTTP'),
    trustProxy: readRanges(reader, 'KEYREEVE_TRUST_PROXY'),
    ...readWorkers(reader),
    dataDir,
    database,
    blobs: readBlobs(reader, environment, dataDir),
    masterKey: readMasterKey(reader, database),
    previousMasterKey: readPreviousMasterKey(reader),
    admin: readAdmin(reader),
    ...readMail(reader),
    ...readUsage(reader),
    webhooks: readWebhooks(reader, database),
    redisUrl: readRedisUrl(reader),
    metricsToken: reader.secret('KEYREEVE_METRICS_TOKEN'),
    securityContact: readContact(reader),
    keyPrefix,
    logLevel: readLogLevel(reader),
  };
  checkReach(reader, config);
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  return config;
}
