import type { Secret } from '../lib/secret.ts';
import type { SecurityContact } from './security-contact.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface PostgresConfig {
  readonly engine: 'postgres';
  /** Of one server, or of several of which one is the primary. */
  readonly url: Secret;
  /** Where to listen for hints of other processes; absent: at the primary. */
  readonly listenUrl?: Secret | 'none';
  /** What becomes of questions about keys in memory when the database does not answer; absent: `refuse`. */
  readonly outage?: 'refuse' | 'serve';
}

export type DatabaseConfig = { readonly engine: 'sqlite' } | PostgresConfig;

export interface S3BlobConfig {
  readonly kind: 's3';
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Null: the one of AWS for the region. */
  readonly endpoint: string | null;
  /** The bucket in the path of the address instead of in its host name. */
  readonly isPathStyle: boolean;
  /** Null: found where the tools of AWS look for them. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: Secret;
    readonly sessionToken: Secret | null;
  } | null;
}

/** Where the files of packages are kept. */
export type BlobConfig = { readonly kind: 'folder'; readonly folder: string } | S3BlobConfig;

/** The whole configuration, checked. Nothing else in the server reads the environment. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Origin of the default workspace, without a trailing slash. Null: `http://localhost:{port in use}`. */
  readonly publicUrl: string | null;
  readonly baseDomain: string | null;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly allowHttp: boolean;
  /** Processes that answer requests. With 1 there is this one alone. */
  readonly workers: number;
  /** How long a server that was told to stop goes on taking connections. */
  readonly drainSeconds: number;
  readonly trustProxy: readonly string[];
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  readonly blobs: BlobConfig;
  readonly masterKey: Secret | null;
  /** The one that the database may still be wrapped under. */
  readonly previousMasterKey: Secret | null;
  readonly admin: { readonly email: string; readonly password: Secret } | null;
  readonly smtpUrl: Secret | null;
  readonly smtpAllowPlain: boolean;
  readonly mailFrom: string;
  readonly bulkMailsPerMinute: number;
  /** How long the use of keys is told by the hour, and by the day. */
  readonly usageHourlyDays: number;
  readonly usageDailyDays: number;
  readonly webhooks: {
    /** Ranges that are not public and that webhooks may go to all the same. */
    readonly allowedNetworks: readonly string[];
    readonly ports: readonly number[];
  };
  /** Where all nodes count the requests of limited keys together; null: each for itself. */
  readonly redisUrl: Secret | null;
  readonly metricsToken: Secret | null;
  /** Whom to tell of a weakness: what `/.well-known/security.txt` says. */
  readonly securityContact: SecurityContact;
  readonly keyPrefix: string;
  readonly logLevel: LogLevel;
}
