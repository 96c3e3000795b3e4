import type { components, operations } from './generated/api.ts';

export {
  type Answer,
  type Call,
  type ClientOptions,
  createClient,
  ifMatch,
  type KeyreeveClient,
} from './client.ts';
export type { Credential } from './credential.ts';
export {
  type FieldFault,
  KeyreeveError,
  KeyreeveTransportError,
  type Problem,
  type TransportCode,
  UNEXPECTED_ANSWER,
} from './errors.ts';
export type { components, operations, paths } from './generated/api.ts';
export {
  createKeyVerifier,
  type KeyCacheOptions,
  type KeyVerifier,
  type KeyVerifierOptions,
} from './key-verifier.ts';
export { type Page, paginate } from './paginate.ts';
export type { RetryMode } from './send.ts';
export { type VerifyAnswer, type VerifyQuestion, verifyKey } from './verify-key.ts';

type Schemas = components['schemas'];
export type AccountName = Schemas['AccountName'];
export type AccountSummary = Schemas['AccountSummary'];
export type AuditEntry = Schemas['AuditEntry'];
export type ConsoleInfo = Schemas['ConsoleInfo'];
export type Coverage = Schemas['Coverage'];
export type Deprecation = Schemas['Deprecation'];
export type GalleryPackage = Schemas['GalleryPackage'];
export type GalleryVersion = Schemas['GalleryVersion'];
export type GalleryVersionLine = Schemas['GalleryVersionLine'];
export type Key = Schemas['Key'];
export type KeyAllowance = Schemas['KeyAllowance'];
export type KeyCounts = Schemas['KeyCounts'];
export type KeyLimits = Schemas['KeyLimits'];
export type KeyLimitsInput = Schemas['KeyLimitsInput'];
export type KeyRefusal = Schemas['KeyRefusal'];
export type KeySelf = Schemas['KeySelf'];
export type KeyUsage = Schemas['KeyUsage'];
export type MintedKey = Schemas['MintedKey'];
export type Overview = Schemas['Overview'];
export type OwnerRequest = Schemas['OwnerRequest'];
export type Package = Schemas['Package'];
export type PackageCheck = Schemas['PackageCheck'];
export type PackageDetail = Schemas['PackageDetail'];
export type PackageKey = Schemas['PackageKey'];
export type PackagePrefix = Schemas['PackagePrefix'];
export type PackageSummary = Schemas['PackageSummary'];
export type PackageVersion = Schemas['PackageVersion'];
export type Permission = Schemas['Permission'];
export type ServiceAccount = Schemas['ServiceAccount'];
export type Settings = Schemas['Settings'];
export type SigningKey = Schemas['SigningKey'];
export type SignedIn = Schemas['SignedIn'];
export type User = Schemas['User'];
export type Workspace = Schemas['Workspace'];

/** The JSON body that an operation takes, by its `operationId`: `BodyOf<'createKey'>`. */
export type BodyOf<Operation extends keyof operations> =
  NonNullable<operations[Operation]['requestBody']> extends {
    content: { 'application/json': infer Body };
  }
    ? Body
    : never;
