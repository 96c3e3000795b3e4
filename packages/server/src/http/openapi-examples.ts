/** A schema as it stands in the OpenAPI document, as far as examples look at it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

export type Schemas = Readonly<Record<string, JsonSchema>>;

const API_KEY = 'kr_0123456789ABCDEF';
// The test vector of the key format: no server ever mints it.
const SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const ACCOUNT_ID = 'acc_0123456789abcdefghij';
const TIME = '2027-03-01T09:00:00.000Z';

/** By the name of the field: what it looks like here. Each stands for the same thing in all schemas. */
const VALUES: Readonly<Record<string, unknown>> = {
  access: 'scoped',
  accountId: ACCOUNT_ID,
  action: 'package:push',
  actions: ['package:push'],
  apiKey: API_KEY,
  apikey: API_KEY,
  auth_mode: 'apikey',
  code: 'request.invalid',
  comment: 'nightly build',
  createdBy: ACCOUNT_ID,
  detail: 'The comment must have 1 to 256 characters.',
  displayName: 'Build robot',
  email: 'hanako@example.com',
  expiresAt: '2028-02-29T09:00:00.000Z',
  firstName: 'Hanako',
  fullKey: `${API_KEY}_${SECRET_KEY}`,
  instance: 'req_0123456789abcdef0123456789abcdef',
  ip: '192.0.2.7',
  ipRanges: ['192.0.2.0/24'],
  key: `${API_KEY}_${SECRET_KEY}`,
  keyId: API_KEY,
  lastName: 'Yamada',
  isImported: false,
  lastUsedAt: '2027-03-02T03:00:00.000Z',
  lastUsedIp: '192.0.2.7',
  lifetimeDays: 365,
  limit: 50,
  locale: 'en',
  mailTo: 'ops@example.com',
  message: 'must have 1 to 256 characters',
  newPassword: 'lantern orchard seventeen',
  nextCursor: null,
  ownerId: ACCOUNT_ID,
  password: 'lantern orchard seventeen',
  patterns: ['AzureRM.DataFactory*'],
  resource: 'AzureRM.DataFactoryV2',
  resources: ['AzureRM.DataFactory*'],
  secretKey: SECRET_KEY,
  secretkey: SECRET_KEY,
  status: 'active',
  subdomain: 'tokyo',
  technicalName: 'build-robot',
  timeZone: 'Asia/Tokyo',
  title: 'The request is not valid',
  url: 'https://hooks.example.com/keyreeve',
  userAgent: 'curl/8.14.1',
  sha256: 'ab'.repeat(32),
};

/** By the format; a string without one is a word. */
const STRINGS: Readonly<Record<string, string>> = {
  'date-time': TIME,
  date: TIME.slice(0, 10),
  uri: 'https://keys.example.com/',
  email: 'hanako@example.com',
};

/** What a value of the table must look like where the schema names a format. */
const FORMATS: Readonly<Record<string, RegExp>> = { 'date-time': /T.*Z$/, email: /@/, uri: /^https:/ };

const IDS: Readonly<Record<string, string>> = { Key: API_KEY, User: ACCOUNT_ID, ServiceAccount: ACCOUNT_ID };

const DEPTH_MAX = 8;

function isNull(schema: JsonSchema): boolean {
  return schema.type === 'null' || schema.const === null;
}

function exampleOfObject(schema: JsonSchema, schemas: Schemas, kind: string, depth: number): unknown {
  const properties = Object.entries(schema.properties ?? {});
  return Object.fromEntries(
    properties.map(([name, inner]) => [
      name,
      name === 'id' && IDS[kind] !== undefined ? IDS[kind] : makeExample(inner, schemas, name, depth + 1),
    ]),
  );
}

/** True for what a value of the table may stand for: its type has to fit, and where there are choices, it is one. */
function fits(value: unknown, schema: JsonSchema): boolean {
  if (schema.$ref !== undefined) return false;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.some((each) => fits(value, each));
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if (schema.const !== undefined) return schema.const === value;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (value === null) return types.includes('null');
  if (Array.isArray(value))
    return types.includes('array') && value.every((each) => fits(each, schema.items ?? {}));
  if (typeof value === 'number') return types.includes('integer') || types.includes('number');
  return (
    types.includes(typeof value) &&
    (schema.format === undefined || FORMATS[schema.format]?.test(JSON.stringify(value).slice(1, -1)) === true)
  );
}

/**
 * A value that the schema takes, in the words of the domain: by the name of the field first, then by its schema.
 *
 * @param name The field that it is for, or the name of the schema.
 */
export function makeExample(schema: JsonSchema, schemas: Schemas, name = '', depth = 0): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (Object.hasOwn(VALUES, name) && fits(VALUES[name], schema)) return VALUES[name];
  if (schema.$ref !== undefined) {
    const kind = schema.$ref.split('/').at(-1) ?? '';
    return depth > DEPTH_MAX ? {} : makeExample(schemas[kind] ?? {}, schemas, kind, depth + 1);
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  const choices = schema.anyOf ?? schema.oneOf;
  // Most of what may be absent is absent most of the time; what is worth showing is in the table.
  if (choices?.some(isNull) === true) return null;
  if (choices?.[0] !== undefined) return makeExample(choices[0], schemas, name, depth);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.find((each) => each !== 'null');
  if (type === 'object' || schema.properties !== undefined)
    return exampleOfObject(schema, schemas, name, depth);
  if (type === 'array')
    return depth > DEPTH_MAX ? [] : [makeExample(schema.items ?? {}, schemas, name, depth + 1)];
  if (type === 'integer' || type === 'number') return Math.max(schema.minimum ?? 0, 1);
  if (type === 'boolean') return true;
  if (type === 'string') return STRINGS[schema.format ?? ''] ?? (/id$/i.test(name) ? ACCOUNT_ID : 'text');
  return null;
}

/** Requests that are worth more than what a schema alone can tell: what people send most. */
export const REQUEST_EXAMPLES: Readonly<Record<string, unknown>> = {
  createKey: {
    comment: 'nightly build',
    access: 'scoped',
    scopes: [{ actions: ['package:push'], resources: ['AzureRM.DataFactory*'] }],
    lifetimeDays: 365,
  },
  updateKey: { comment: 'nightly build', ipRanges: ['192.0.2.0/24'] },
  regenerateKey: { overlapHours: 24 },
  disableKey: { reason: 'suspected leak' },
  verifyKey: {
    key: `${API_KEY}_${SECRET_KEY}`,
    action: 'package:push',
    resource: 'AzureRM.DataFactoryV2',
  },
  createUser: { email: 'hanako@example.com', displayName: '山田花子', role: 'member' },
  createServiceAccount: { technicalName: 'build-robot', displayName: 'Build robot' },
  updateUser: { displayName: '山田花子', tags: ['tokyo'] },
  updateServiceAccount: { displayName: 'Build robot', tags: ['tokyo'] },
  updateSettings: { defaultLifetimeDays: 180, expiryNoticeDays: [30, 10] },
  createWorkspace: { name: 'Tokyo', subdomain: 'tokyo' },
  createWebhook: { url: 'https://hooks.example.com/keyreeve', eventTypes: ['key.expiring', 'key.expired'] },
  updateWebhook: { description: 'Tells the build team', eventTypes: [] },
};
