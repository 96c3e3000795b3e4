export { buildApp } from './app.ts';
export { type Config, ConfigError, type Environment, loadConfig, publicUrlOf } from './config/index.ts';
export { createDeps, type Deps } from './deps.ts';
export type { Account } from './features/accounts/index.ts';
export type { Caller, SessionPrincipal, Workspace } from './http/index.ts';
export { systemCaller } from './http/index.ts';
export { type Clock, DAY_MS, HOUR_MS } from './lib/clock.ts';
export { type Random, systemRandom } from './lib/random.ts';
export { inTransaction, type Storage } from './storage/index.ts';
