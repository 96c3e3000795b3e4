export type { Config, DatabaseConfig, LogLevel } from './config.ts';
export { ConfigError, type Environment, loadConfig } from './load.ts';
export { type Variable, VARIABLES } from './variables.ts';
