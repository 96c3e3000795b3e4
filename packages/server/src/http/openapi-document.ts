import { findErrorEntry } from '../errors/index.ts';
import { needsIfMatch, statusOf } from './openapi-errors.ts';
import { type JsonSchema, makeExample, REQUEST_EXAMPLES, type Schemas } from './openapi-examples.ts';
import { PARAMETER_TEXTS, SUCCESS_TEXTS } from './openapi-guide.ts';

interface Media {
  readonly schema?: JsonSchema;
  readonly example?: unknown;
}

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema?: JsonSchema & { readonly description?: string };
}

export interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, Answer>>;
  readonly 'x-error-codes'?: readonly string[];
}

const IF_MATCH: Parameter & { readonly required: boolean } = {
  name: 'If-Match',
  in: 'header',
  // Needed all the same; but clients that are generated from this send it by a way of their own.
  required: false,
  description: 'The `ETag` of what you have read, or `*` to change whatever is there. Without it: 428.',
  schema: { type: 'string', examples: ['"3"'] },
};
/** What the framework writes where a route does not say more. */
const UNSAID = 'Default Response';

/** A problem as the first of the codes looks that are about this operation rather than about credentials. */
function problemExample(codes: readonly string[]): unknown {
  const code = codes.findLast((each) => !each.startsWith('auth.')) ?? codes[0] ?? 'request.not_found';
  const entry = findErrorEntry(code);
  return {
    type: `https://keys.example.com/docs/errors/${code}`,
    title: entry?.title ?? '',
    status: entry?.status ?? 500,
    detail: entry?.remedy ?? '',
    code,
    instance: 'req_0123456789abcdef0123456789abcdef',
  };
}

function describeCodes(codes: readonly string[], operationId: string): string {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const status = statusOf(code, operationId);
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\``]);
  }
  return [...byStatus]
    .toSorted(([first], [second]) => first - second)
    .map(([status, names]) => `\n- ${status}: ${names.join(', ')}`)
    .join('');
}

function withExamples(
  content: Readonly<Record<string, Media>> | undefined,
  make: (schema: JsonSchema, type: string) => unknown,
): { readonly content?: Readonly<Record<string, Media>> } {
  if (content === undefined) return {};
  const entries = Object.entries(content).map(([type, media]): [string, Media] => {
    const isData =
      /json$|urlencoded$/.test(type) && media.schema !== undefined && media.example === undefined;
    return [type, isData ? { ...media, example: make(media.schema, type) } : media];
  });
  return { content: Object.fromEntries(entries) };
}

function completeParameters(
  method: string,
  { operationId, parameters = [] }: Operation,
): readonly Parameter[] {
  const described = parameters.map((parameter) => {
    const isDescribed = parameter.description !== undefined || parameter.schema?.description !== undefined;
    const text = PARAMETER_TEXTS[parameter.name];
    return isDescribed || text === undefined ? parameter : { ...parameter, description: text };
  });
  return needsIfMatch(operationId ?? '', method) ? [...described, IF_MATCH] : described;
}

function completeAnswers(
  { responses = {}, operationId = '', ...operation }: Operation,
  schemas: Schemas,
): Record<string, Answer> {
  const codes = operation['x-error-codes'] ?? [];
  // Clients of old get errors of their own form.
  const makeProblem = (schema: JsonSchema, type: string) =>
    type.startsWith('application/problem') ? problemExample(codes) : makeExample(schema, schemas);
  const entries = Object.entries(responses).map(([status, answer]): [string, Answer] => {
    if (status === 'default') {
      const description = `${answer.description}${codes.length === 0 ? '' : `\n${describeCodes(codes, operationId)}`}`;
      return [status, { ...answer, description, ...withExamples(answer.content, makeProblem) }];
    }
    const description =
      answer.description === UNSAID ? (SUCCESS_TEXTS[status] ?? UNSAID) : answer.description;
    const examples = withExamples(answer.content, (schema) => makeExample(schema, schemas));
    return [status, { ...answer, description, ...examples }];
  });
  return Object.fromEntries(entries);
}

/** Adds what readers need and schemas alone do not say: examples, the codes of errors, words for parameters. */
export function completeOperation(method: string, operation: Operation, schemas: Schemas): Operation {
  const { operationId = '', requestBody } = operation;
  const parameters = completeParameters(method, operation);
  const example = REQUEST_EXAMPLES[operationId];
  return {
    ...operation,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined
      ? {}
      : {
          requestBody: {
            ...requestBody,
            ...withExamples(requestBody.content, (schema) => example ?? makeExample(schema, schemas)),
          },
        }),
    responses: completeAnswers(operation, schemas),
  };
}
