import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import type { Operation } from './openapi-document.ts';
import { COMMON_CODES } from './openapi-errors.ts';
import type { Schemas } from './openapi-examples.ts';
import { INTRODUCTION, TAGS } from './openapi-guide.ts';

interface Document {
  readonly info: { readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly components: { readonly schemas: Schemas };
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          Operation & { readonly summary?: string; readonly description?: string; readonly tags?: string[] }
        >
      >
    >
  >;
}

// As committed; `npm run generate:check` holds it equal to what the routes say.
const DOCS = path.join(import.meta.dirname, '../../../../docs');
const document = JSON.parse(readFileSync(path.join(DOCS, 'api/openapi.json'), 'utf8')) as Document;
const operations = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${url}`, operation })),
);

/** Every code has a page. */
const catalogue = readdirSync(path.join(DOCS, 'errors'))
  .filter((file) => file !== 'README.md')
  .map((file) => file.replace(/\.md$/, ''));

/** The operations that something is missing from. */
function lacking(isFaulty: (operation: (typeof operations)[number]['operation']) => boolean): string[] {
  return operations.filter(({ operation }) => isFaulty(operation)).map(({ name }) => name);
}

const ajv = new Ajv2020({ strict: false, allErrors: false });
formats.default(ajv);
ajv.addSchema({ $id: 'document', ...document });

/** Every body of requests and answers, with the place where it stands. */
function listMedia() {
  return operations.flatMap(({ name, operation }) => [
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({
      place: `request of ${name}`,
      type,
      media,
    })),
    ...Object.entries(operation.responses ?? {}).flatMap(([status, answer]) =>
      Object.entries(answer.content ?? {}).map(([type, media]) => ({
        place: `${status} of ${name}`,
        type,
        media,
      })),
    ),
  ]);
}

describe('docs/api/openapi.json', () => {
  it('introduces itself: credentials, errors, lists and changes', () => {
    expect(document.info.description).toBe(INTRODUCTION);
    for (const word of ['## Credentials', '## Errors', '## Lists', '## Changes', 'ETag', 'nextCursor']) {
      expect(INTRODUCTION).toContain(word);
    }
  });

  it('has a described tag for each operation, and no tag without one', () => {
    expect(document.tags).toEqual(TAGS);
    const used = new Set(operations.flatMap(({ operation }) => operation.tags ?? []));
    expect([...used].toSorted()).toEqual(TAGS.map((tag) => tag.name).toSorted());
    expect(lacking((operation) => operation.tags?.length !== 1)).toEqual([]);
  });

  it('says of each operation in a line what it is for, and more below', () => {
    expect(lacking(({ summary }) => summary === undefined || summary === '' || summary.length > 80)).toEqual(
      [],
    );
    expect(lacking(({ description }) => description === undefined)).toEqual([]);
  });

  it('says what every parameter means', () => {
    const isBare = (parameter: NonNullable<Operation['parameters']>[number]) =>
      parameter.description === undefined && parameter.schema?.description === undefined;
    expect(lacking(({ parameters }) => parameters?.some(isBare) === true)).toEqual([]);
  });

  it('says what every answer means', () => {
    const isBare = ({ description }: { readonly description: string }) => description === 'Default Response';
    expect(lacking(({ responses }) => Object.values(responses ?? {}).some(isBare))).toEqual([]);
  });

  it('shows an example of every body in JSON, and each is one that its schema takes', () => {
    const faults = listMedia().flatMap(({ place, type, media }) => {
      if (!/json$|urlencoded$/.test(type) || media.schema === undefined) return [];
      if (media.example === undefined) return [`${place}: none`];
      const text = JSON.stringify(media.schema).replaceAll('"#/components', '"document#/components');
      const isValid = ajv.compile(JSON.parse(text) as object);
      return isValid(media.example) ? [] : [`${place}: ${ajv.errorsText(isValid.errors)}`];
    });
    expect(faults).toEqual([]);
  });

  it('tells the codes of errors of each operation, and all of them exist', () => {
    expect(lacking((operation) => operation['x-error-codes'] === undefined)).toEqual([]);
    const told = operations.flatMap(({ operation }) => operation['x-error-codes'] ?? []);
    expect([...new Set(told)].filter((code) => !catalogue.includes(code))).toEqual([]);
    for (const code of COMMON_CODES) expect(INTRODUCTION).toContain(`\`${code}\``);
  });

  it('leaves out no code of the catalogue', () => {
    const told = new Set<string>([
      ...COMMON_CODES,
      ...operations.flatMap(({ operation }) => operation['x-error-codes'] ?? []),
    ]);
    expect(catalogue.filter((code) => !told.has(code))).toEqual([]);
  });
});
