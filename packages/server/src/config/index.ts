export type { Config, DatabaseConfig, LogLevel } from './config.ts';
export { ConfigError, type Environment, loadConfig } from './load.ts';
export { VARIABLES, type Variable } from './variables.ts';
