import type { components } from './generated/api.ts';

export { type Answer, type Call, type ClientOptions, createClient, ifMatch, type KeyreeveClient } from './client.ts';
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
export { type Page, paginate } from './paginate.ts';

type Schemas = components['schemas'];
export type Key = Schemas['Key'];
export type MintedKey = Schemas['MintedKey'];
export type User = Schemas['User'];
export type ServiceAccount = Schemas['ServiceAccount'];
export type Permission = Schemas['Permission'];
export type Settings = Schemas['Settings'];
export type AuditEntry = Schemas['AuditEntry'];
export type Workspace = Schemas['Workspace'];
