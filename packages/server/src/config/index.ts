export type { Config, LogLevel, PostgresConfig, S3BlobConfig } from './config.ts';
export { type DatabaseHost, parseDatabaseUrl } from './database-url.ts';
export { ConfigError, type Environment, loadConfig } from './load.ts';
export { publicUrlOf } from './public-url.ts';
export { VARIABLES } from './variables.ts';
