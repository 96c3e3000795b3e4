import { requestErrors } from '../../../errors/index.ts';
import { JsonFault, parseStrictJson } from '../../../lib/strict-json.ts';
import type { DeprecationWish } from './deprecations.ts';

const BODY_BYTES_MAX = 256 * 1024;

/** The members that nuget.org knows, and what each must be. */
const MEMBERS = {
  versions: 'strings',
  isLegacy: 'boolean',
  hasCriticalBugs: 'boolean',
  isOther: 'boolean',
  alternatePackageId: 'string',
  alternatePackageVersion: 'string',
  message: 'string',
} as const;

function isOfType(value: unknown, type: (typeof MEMBERS)[keyof typeof MEMBERS]): boolean {
  if (value === null) return true;
  if (type !== 'strings') return typeof value === type;
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/**
 * What a package client sends to deprecate versions, as nuget.org takes it. Unknown members are ignored, as there.
 *
 * @throws request.malformed, request.invalid, request.body_too_large
 */
export async function readNugetDeprecation(source: AsyncIterable<Uint8Array>): Promise<DeprecationWish> {
  const body = toObject(await readText(source));
  for (const [name, type] of Object.entries(MEMBERS)) {
    if (body[name] === undefined || isOfType(body[name], type)) continue;
    throw requestErrors.invalid({
      detail: `${name} must be ${type === 'strings' ? 'a list of strings' : `a ${type}`}.`,
    });
  }
  const text = (name: keyof typeof MEMBERS) => (typeof body[name] === 'string' ? body[name] : null);
  const alternateId = text('alternatePackageId');
  const reasons = [
    ...(body['isLegacy'] === true ? (['legacy'] as const) : []),
    ...(body['hasCriticalBugs'] === true ? (['criticalBugs'] as const) : []),
    ...(body['isOther'] === true ? (['other'] as const) : []),
  ];
  return {
    versions: (body['versions'] ?? []) as string[],
    reasons,
    message: text('message'),
    alternatePackage:
      alternateId === null ? null : { id: alternateId, version: text('alternatePackageVersion') },
  };
}

async function readText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      throw requestErrors.body_too_large({ detail: `The body may have at most ${BODY_BYTES_MAX} bytes.` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function toObject(text: string): Record<string, unknown> {
  try {
    const value = parseStrictJson(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw new JsonFault('The body must be a JSON object.');
  } catch (error) {
    if (error instanceof JsonFault) throw requestErrors.malformed({ detail: error.message, cause: error });
    throw error;
  }
}
