import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
  readonly required?: boolean;
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
  readonly 'x-error-codes': readonly string[];
}

interface Document {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** What is wrong with a value by its schema, or null. */
export type Validate = (value: unknown) => string | null;
/** What an answer of one status may hold, by its media type; without any, it has no body. */
type Answers = ReadonlyMap<string, Validate>;

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly bodies: readonly (Media & { readonly type: string })[];
  /** By status; `default` is for all errors that are not named. */
  readonly answers: ReadonlyMap<string, Answers>;
  /** Codes of errors with the status that the document says they have. */
  readonly statusOfCode: ReadonlyMap<string, number>;
}

export interface ApiDocument {
  readonly operations: readonly Operation[];
  /** What any operation may answer, by the introduction of the document. */
  readonly commonStatusOfCode: ReadonlyMap<string, number>;
  readonly validateProblem: Validate;
  /** Codes that have a page in `docs/errors`. */
  readonly codes: ReadonlySet<string>;
  readonly resolve: (schema: Schema) => Schema;
}

/** The published document, read as a client reads it: what it does not say is not known. */
export function readApiDocument(): ApiDocument {
  const document = JSON.parse(readFileSync(path.join(ROOT, 'docs/api/openapi.json'), 'utf8')) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'api');
  const compile = (...segments: readonly string[]): Validate => {
    const pointer = segments.map((one) =>
      encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    // Compiled when it is first asked: half of them never are in a short run.
    let validate: ValidateFunction | null = null;
    return (value) => {
      validate ??= ajv.compile({ $ref: `api#/${pointer.join('/')}` });
      if (validate(value)) return null;
      const [fault] = validate.errors ?? [];
      return `${fault?.instancePath} ${fault?.message} ${JSON.stringify(fault?.params)}`;
    };
  };
  const operations = Object.entries(document.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, raw]): Operation => {
      const answers = Object.entries(raw.responses).map(([status, { content = {} }]): [string, Answers] => {
        const media = Object.keys(content).map((type): [string, Validate] => [
          type,
          compile('paths', route, method, 'responses', status, 'content', type, 'schema'),
        ]);
        return [status, new Map(media)];
      });
      return {
        id: raw.operationId,
        method: method.toUpperCase(),
        path: route,
        parameters: raw.parameters ?? [],
        bodies: Object.entries(raw.requestBody?.content ?? {}).map(([type, media]) => ({ ...media, type })),
        answers: new Map(answers),
        statusOfCode: readCodes(raw.responses['default']?.description ?? ''),
      };
    }),
  );
  return {
    operations,
    commonStatusOfCode: readCommonCodes(document.info.description),
    validateProblem: compile('components', 'schemas', 'Problem'),
    codes: new Set(readdirSync(path.join(ROOT, 'docs/errors')).map((name) => name.replace(/\.md$/, ''))),
    resolve: (schema) => {
      const name = schema.$ref?.split('/').at(-1);
      return name === undefined ? schema : (document.components.schemas[name] ?? schema);
    },
  };
}

/** Lines such as "- 400: `request.invalid`, `oauth.invalid_scope`". */
function readCodes(description: string): Map<string, number> {
  return new Map(
    [...description.matchAll(/^- (\d{3}): (.*)$/gm)].flatMap(([, status, names = '']) =>
      [...names.matchAll(/`([\w.]+)`/g)].map(([, code = '']): [string, number] => [code, Number(status)]),
    ),
  );
}

/** The sentence "Every operation may answer: 400 `request.malformed`, …, 500 `a` and `b`, …". */
function readCommonCodes(introduction: string): Map<string, number> {
  const sentence = /Every operation may answer: ([^\n]*?`)\. /.exec(introduction)?.[1] ?? '';
  let status = 0;
  const codes = new Map<string, number>();
  for (const [, number, code = ''] of sentence.matchAll(/(?:(\d{3}) )?`([\w.]+)`/g)) {
    status = number === undefined ? status : Number(number);
    codes.set(code, status);
  }
  if (codes.size < 5) throw new Error('The introduction of the document names no common codes any more.');
  return codes;
}
