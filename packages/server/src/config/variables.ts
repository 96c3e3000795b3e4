/** One environment variable: its meaning for the docs table, and how its text becomes a value. */
export interface Variable {
  readonly name: string;
  readonly default: string;
  readonly description: string;
  /** Never repeated in messages: the value may be a password. */
  readonly isSecret?: boolean;
}

/** Every variable that the server reads, in the order of the docs table. */
export const VARIABLES = [
  {
    name: 'KEYREEVE_HOST',
    default: '127.0.0.1',
    description:
      'Address to listen on. Any other than a loopback address needs `KEYREEVE_TLS_CERT` and `KEYREEVE_TLS_KEY`, an https `KEYREEVE_PUBLIC_URL` behind a proxy, or `KEYREEVE_ALLOW_HTTP=1`.',
  },
  { name: 'KEYREEVE_PORT', default: '8080', description: 'Port to listen on (0 lets the system choose).' },
  {
    name: 'KEYREEVE_PUBLIC_URL',
    default: 'http://localhost:{port}',
    description:
      'Address of the default workspace as people and programs reach it. Links, mails and the issuer of tokens use it.',
  },
  {
    name: 'KEYREEVE_BASE_DOMAIN',
    default: '',
    description: 'Domain below which other workspaces live: `{subdomain}.{base domain}`.',
  },
  { name: 'KEYREEVE_TLS_CERT', default: '', description: 'PEM file with the certificate chain.' },
  { name: 'KEYREEVE_TLS_KEY', default: '', description: 'PEM file with the private key.' },
  {
    name: 'KEYREEVE_ALLOW_HTTP',
    default: '0',
    description: '`1` serves plain http on an address that others can reach. The console shows a banner.',
  },
  {
    name: 'KEYREEVE_TRUST_PROXY',
    default: '',
    description:
      'Addresses or ranges (comma-separated) of reverse proxies whose `X-Forwarded-*` headers count.',
  },
  {
    name: 'KEYREEVE_WORKERS',
    default: '1',
    description:
      'Processes that answer requests at the same port (1 to 64), or `auto` for one a core. See [workers.md](workers.md).',
  },
  {
    name: 'KEYREEVE_DRAIN_SECONDS',
    default: '0',
    description:
      'How long a server that was told to stop still takes connections (0 to 300), while `/readyz` says 503 and every answer ends its connection. Behind a load balancer: longer than that one takes to notice. See [workers.md](workers.md).',
  },
  {
    name: 'KEYREEVE_DATA_DIR',
    default: './data',
    description: 'Folder of the embedded database, the master key file and the packages.',
  },
  {
    name: 'KEYREEVE_DATABASE_URL',
    default: 'SQLite in the data folder',
    description:
      '`postgres://user:password@host:5432/name` for PostgreSQL; several servers of one database are separated by commas (`host1:5432,host2:5432`), and the one that is the primary is used. See [postgresql.md](postgresql.md).',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_DATABASE_OUTAGE',
    default: 'refuse',
    description:
      'What becomes of questions about keys while PostgreSQL does not answer: `refuse` (503 as soon as that is noticed) or `serve` (from memory for at most two seconds after it last answered, then 503). See [postgresql.md](postgresql.md).',
  },
  {
    name: 'KEYREEVE_DATABASE_LISTEN_URL',
    default: 'the primary of `KEYREEVE_DATABASE_URL`',
    description:
      'A way to PostgreSQL past the pooler (`postgres://…`, one server), on which other nodes tell at once that something was revoked; or `none`. Without it that is seen within 250 ms. See [postgresql.md](postgresql.md).',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_BLOB_URL',
    default: '{data folder}/blobs',
    description:
      'Where package files are kept: `file:/path` for a folder, or `s3://bucket/prefix?region=…&endpoint=…&pathStyle=…` for an S3-compatible store, with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where needed, `AWS_SESSION_TOKEN` beside it. See [blobs.md](blobs.md).',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_MASTER_KEY',
    default: 'a file in the data folder (SQLite only)',
    description:
      '32 bytes in base64. Required for PostgreSQL. Losing it loses every key; backups never contain it.',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_MASTER_KEY_PREVIOUS',
    default: '',
    description:
      'The old master key, while it is rotated: a database that is still wrapped under it is wrapped under `KEYREEVE_MASTER_KEY` at the start. See [master-key.md](master-key.md).',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_ADMIN_EMAIL',
    default: '',
    description: 'E-mail of the first administrator, for unattended set-up.',
  },
  {
    name: 'KEYREEVE_ADMIN_PASSWORD',
    default: '',
    description: 'Password of the first administrator, for unattended set-up.',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_SMTP_URL',
    default: '',
    description:
      '`smtps://user:password@host:465` or `smtp://…:587`. Without it, mails go to the local mailbox.',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_SMTP_ALLOW_PLAIN',
    default: '0',
    description: '`1` lets mails go over `smtp://` without TLS, for a relay on the same machine.',
  },
  { name: 'KEYREEVE_MAIL_FROM', default: 'keyreeve@localhost', description: 'Sender address of mails.' },
  {
    name: 'KEYREEVE_BULK_MAILS_PER_MINUTE',
    default: '600',
    description:
      'Expiry notices that all processes together send in a minute (1 to 100000). Other mails never wait for them.',
  },
  {
    name: 'KEYREEVE_USAGE_HOURLY_DAYS',
    default: '35',
    description: 'Days for which the use of each key is kept by the hour (31 to 3660); then whole days are.',
  },
  {
    name: 'KEYREEVE_USAGE_DAILY_DAYS',
    default: '400',
    description: 'Days for which it is kept by the day (at least as many, at most 3660).',
  },
  {
    name: 'KEYREEVE_WEBHOOK_ALLOWED_NETWORKS',
    default: '',
    description:
      'Private addresses or ranges (comma-separated) that webhooks may go to, also over plain http. Without it, only public addresses over https.',
  },
  {
    name: 'KEYREEVE_WEBHOOK_PORTS',
    default: '80,443',
    description: 'Ports (comma-separated) that webhooks may go to.',
  },
  {
    name: 'KEYREEVE_REDIS_URL',
    default: '',
    description:
      '`redis://…` or `rediss://…` of a Valkey or Redis in which all nodes count the requests of keys with a rate limit. Without it, each node counts for itself. See [limits.md](limits.md).',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_METRICS_TOKEN',
    default: '',
    description: 'Bearer token for `/metrics`. Without it, `/metrics` answers loopback addresses only.',
    isSecret: true,
  },
  {
    name: 'KEYREEVE_SECURITY_CONTACT',
    default: '',
    description:
      'E-mail or https addresses (comma-separated, the preferred one first) of whoever takes reports about the security of this installation. Without it, `/.well-known/security.txt` answers 404. See [security-txt.md](security-txt.md).',
  },
  {
    name: 'KEYREEVE_SECURITY_POLICY',
    default: '',
    description: 'https address of a page that says how such reports are handled.',
  },
  {
    name: 'KEYREEVE_KEY_PREFIX',
    default: 'kr',
    description: 'Prefix of new API keys (2 to 8 lower-case letters). Keys with older prefixes stay valid.',
  },
  {
    name: 'KEYREEVE_LOG_LEVEL',
    default: 'info',
    description: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  },
] as const satisfies readonly Variable[];

export type VariableName = (typeof VARIABLES)[number]['name'];
