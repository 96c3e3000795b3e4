import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '../lib/secret.ts';
import type { BlobConfig, S3BlobConfig } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Tell = (fault: string) => void;

const FORMS = 'must be file:/path or s3://bucket/prefix?region=…&endpoint=…&pathStyle=…';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/;
const PREFIX_CHARACTERS_MAX = 200;
const REGION = /^[a-z0-9-]{1,64}$/;
const PARAMETERS = ['region', 'endpoint', 'pathStyle'];
/** What stores that know no regions expect. */
const ANY_REGION = 'us-east-1';

/**
 * Where package files are kept, by the text of `KEYREEVE_BLOB_URL` and the standard variables of AWS beside it. The
 * faults are told without the name of the variable, and never repeat a part of the text: somebody may have put a
 * secret into it.
 */
export function readBlobUrl(
  text: string | null,
  environment: Environment,
  dataDir: string,
): { readonly blobs: BlobConfig; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const tell: Tell = (fault) => faults.push(fault);
  const inDataFolder: BlobConfig = { kind: 'folder', folder: path.join(dataDir, 'blobs') };
  if (text === null) return { blobs: inDataFolder, faults };
  if (text.startsWith('s3:')) return { blobs: readS3(text, environment, tell), faults };
  const folder = text.startsWith('file:') ? readFolder(text) : null;
  if (folder === null) tell(FORMS);
  return { blobs: folder === null ? inDataFolder : { kind: 'folder', folder }, faults };
}

function readFolder(text: string): string | null {
  const rest = text.slice('file:'.length);
  if (!rest.startsWith('//')) return rest === '' ? null : rest;
  try {
    const url = new URL(text);
    // A part that would be ignored is a mistake of whoever wrote it.
    return url.search === '' && url.hash === '' ? fileURLToPath(url) : null;
  } catch {
    return null;
  }
}

function readS3(text: string, environment: Environment, tell: Tell): S3BlobConfig {
  const url = text.startsWith('s3://') && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.port !== '' || url.hash !== '') tell(FORMS);
  if (url !== null && (url.username !== '' || url.password !== ''))
    tell('must not contain credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead');
  const bucket = url?.hostname ?? '';
  if (url !== null && !BUCKET.test(bucket))
    tell('names no valid bucket: 3 to 63 lower-case letters, digits, dots and hyphens');
  const query = readQuery(url, tell);
  const endpointText = query.get('endpoint') ?? variable(environment, 'AWS_ENDPOINT_URL_S3');
  const hasEndpoint = endpointText !== null;
  return {
    kind: 's3',
    bucket,
    prefix: readPrefix(url?.pathname ?? '', tell),
    region: readRegion(query.get('region'), environment, hasEndpoint, tell),
    endpoint: readEndpoint(endpointText, tell),
    isPathStyle: readPathStyle(query.get('pathStyle'), hasEndpoint, tell),
    credentials: readCredentials(environment, tell),
  };
}

function readQuery(url: URL | null, tell: Tell): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of url?.searchParams ?? []) {
    if (!PARAMETERS.includes(name)) tell(`may have the parameters ${PARAMETERS.join(', ')}, and no other`);
    else if (query.has(name)) tell(`has the parameter ${name} twice`);
    query.set(name, value);
  }
  return query;
}

function readPrefix(pathname: string, tell: Tell): string {
  const prefix = pathname.replace(/^\//, '').replace(/\/$/, '');
  if (prefix === '') return '';
  if (prefix.length > PREFIX_CHARACTERS_MAX || !PREFIX.test(prefix))
    tell(`has a prefix that not every store can keep: letters, digits and !_.*'()- between single slashes`);
  return `${prefix}/`;
}

function readEndpoint(text: string | null, tell: Tell): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.href !== `${url.origin}/`)
    tell('needs an endpoint like https://s3.example.com, without a path and without credentials');
  return url?.origin ?? null;
}

function readRegion(
  given: string | null | undefined,
  environment: Environment,
  hasEndpoint: boolean,
  tell: Tell,
): string {
  const region = given ?? variable(environment, 'AWS_REGION') ?? variable(environment, 'AWS_DEFAULT_REGION');
  if (region === null && hasEndpoint) return ANY_REGION;
  if (region === null || !REGION.test(region))
    tell('needs a region like eu-central-1, as parameter or in AWS_REGION');
  return region ?? '';
}

function readPathStyle(text: string | null | undefined, hasEndpoint: boolean, tell: Tell): boolean {
  // Stores of one's own seldom have a host name for each bucket; AWS has, and wants it.
  if (text === null || text === undefined) return hasEndpoint;
  if (!['0', '1', 'true', 'false'].includes(text)) tell('needs pathStyle to be true or false');
  return text === '1' || text === 'true';
}

function readCredentials(environment: Environment, tell: Tell): S3BlobConfig['credentials'] {
  const accessKeyId = variable(environment, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = variable(environment, 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = variable(environment, 'AWS_SESSION_TOKEN');
  if (accessKeyId === null && secretAccessKey === null) return null;
  if (accessKeyId === null || secretAccessKey === null) {
    const missing = accessKeyId === null ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    tell(`needs ${missing}: the two keys go together`);
    return null;
  }
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === null ? null : new Secret(sessionToken),
  };
}

function variable(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim();
  return value === undefined || value === '' ? null : value;
}
