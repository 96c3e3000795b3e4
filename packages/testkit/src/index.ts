export { type CallOptions, type Company, call, type InjectAnswer, seedCompany } from './company.ts';
export { type DatabaseProxy, openDatabaseProxy } from './database-proxy.ts';
export {
  createTestDatabase,
  describeOn,
  openTestStorage,
  type TestDatabase,
  testEngine,
} from './databases.ts';
export { type App, type Harness, type HarnessOptions, startHarness } from './harness.ts';
export { countTurns } from './loop-turns.ts';
export { misspell } from './misspell.ts';
export { buildNupkg } from './nupkg-builder.ts';
export {
  ACCESS_TOKEN_TYPE,
  type ClientPair,
  exchangeForm,
  exchangeToken,
  FORM_TYPE,
  getToken,
  postForm,
  TOKEN_EXCHANGE,
  toBasic,
  toDetailsText,
} from './oauth-client.ts';
export { type ProofControl, type ProofFigure, recordControl, recordFigure } from './proof.ts';
export { readAllPages } from './read-all-pages.ts';
export { createTestClock, type TestClock } from './test-clock.ts';
