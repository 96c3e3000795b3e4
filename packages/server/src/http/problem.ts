import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { AppError, type FieldFault, requestErrors } from '../errors/index.ts';
import { JsonFault } from '../lib/strict-json.ts';
import { maskSecrets } from '../lib/text.ts';
import { CommitOutcomeUnknown, isUnavailable } from '../storage/faults.ts';

/** RFC 9457. `code` is stable; `type` is the address of its docs page; `instance` is the request id. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    instance: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
    accepted: Type.Optional(Type.Array(Type.String())),
    action: Type.Optional(Type.String()),
    packages: Type.Optional(Type.Array(Type.String())),
    version: Type.Optional(Type.Integer()),
  },
  { $id: 'Problem', additionalProperties: false },
);

/** For the `default` response of every route. */
export const problemResponse = {
  description: 'A problem (RFC 9457). `code` is stable and documented.',
  content: {
    'application/problem+json': {
      schema: Type.Unsafe<Type.Static<typeof ProblemSchema>>(Type.Ref('Problem')),
    },
  },
};

const FASTIFY_FAULTS: Readonly<Record<string, (bodyBytesMax: number | undefined) => AppError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (bodyBytesMax) =>
    requestErrors.body_too_large(
      bodyBytesMax === undefined ? {} : { detail: `The body may have at most ${bodyBytesMax} bytes.` },
    ),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => requestErrors.unsupported_media_type(),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    requestErrors.malformed({ detail: 'Content-Length does not match the body.' }),
  FST_ERR_CTP_EMPTY_TYPE: () => requestErrors.unsupported_media_type(),
  FST_ERR_BAD_URL: () =>
    requestErrors.malformed({
      detail: 'The address cannot be read: a percent sign is not followed by two hexadecimal digits.',
    }),
  // No id is so long.
  FST_ERR_MAX_PARAM_LENGTH: () => requestErrors.not_found(),
  FST_ERR_ASYNC_CONSTRAINT: () => requestErrors.malformed(),
  FST_ERR_HANDLER_TIMEOUT: () => requestErrors.unavailable({ headers: { 'retry-after': '5' } }),
};

interface ValidationFault {
  readonly instancePath?: string;
  readonly message?: string;
  readonly keyword?: string;
  readonly params?: Record<string, unknown>;
}

function toFieldName(context: string | undefined, fault: ValidationFault): string {
  const path = (fault.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
  // A name that nobody knows may be a secret in the wrong place, and answers are kept in logs of others.
  const member = fault.params?.['additionalProperty'] ?? fault.params?.['missingProperty'];
  const name =
    typeof member === 'string'
      ? [path, maskSecrets(member).slice(0, 64)].filter((part) => part !== '').join('.')
      : path;
  return name === '' ? (context ?? 'body') : name;
}

function toMessage(fault: ValidationFault): string {
  if (fault.keyword === 'additionalProperties') return 'is not a known field; remove it';
  if (fault.keyword === 'required') return 'is required';
  return fault.message ?? 'is not valid';
}

/** The validator tells of each branch of a choice; the reader wants one sentence about the field. */
function toFieldFaults(context: string | undefined, faults: readonly ValidationFault[]): FieldFault[] {
  const byField = Map.groupBy(faults, (fault) => toFieldName(context, fault));
  return [...byField].map(([field, all]) => {
    const branches = all.filter((fault) => fault.keyword !== 'anyOf');
    const choices = branches.flatMap(
      (fault) => fault.params?.['allowedValues'] ?? fault.params?.['allowedValue'] ?? [],
    );
    if (choices.length > 0) return { field, message: `must be one of ${JSON.stringify(choices)}` };
    const messages = new Set((branches.length > 0 ? branches : all).map(toMessage));
    return { field, message: [...messages].join(' or ') };
  });
}

function fromFastify(error: FastifyError, bodyBytesMax: number | undefined): AppError | null {
  if (error.validation !== undefined) {
    const fields = toFieldFaults(error.validationContext, error.validation).slice(0, 20);
    const [first] = fields;
    return requestErrors.invalid({
      fields,
      detail: first === undefined ? 'The request is not valid.' : `${first.field} ${first.message}.`,
    });
  }
  const known = FASTIFY_FAULTS[error.code];
  if (known !== undefined) return known(bodyBytesMax);
  return error.statusCode === 400 ? requestErrors.malformed() : null;
}

/**
 * Every error as an AppError: known faults keep their code, anything else is a 500 without a word about the
 * inside. `bodyBytesMax` is the limit of the route, to name it when it was exceeded.
 */
export function toAppError(error: unknown, bodyBytesMax?: number): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof JsonFault) return requestErrors.malformed({ detail: error.message });
  if (error instanceof CommitOutcomeUnknown)
    return requestErrors.outcome_unknown({ cause: error, internal: error.message });
  if (isUnavailable(error))
    return requestErrors.unavailable({ headers: { 'retry-after': '5' }, cause: error });
  const fromFramework =
    error instanceof Error && 'code' in error ? fromFastify(error as FastifyError, bodyBytesMax) : null;
  return (
    fromFramework ??
    requestErrors.internal({ cause: error, internal: error instanceof Error ? error.message : String(error) })
  );
}

export function toProblem(error: AppError, request: FastifyRequest): Type.Static<typeof ProblemSchema> {
  return {
    type: `${request.caller.workspace.url}/docs/errors/${error.code}`,
    title: error.entry.title,
    status: error.status,
    detail: error.detail,
    code: error.code,
    instance: request.id,
    ...(error.fields.length > 0 ? { errors: [...error.fields] } : {}),
    ...error.extra,
  };
}

/**
 * RFC 9110 11.6.1: every 401 says how to authenticate. Scripts of a browser get no Basic: it would open a window
 * of its own over the sign-in page.
 */
export function challengeHeaders(error: AppError, request: FastifyRequest): Record<string, string> {
  if (error.status !== 401) return { ...error.headers };
  const basic =
    request.headers['sec-fetch-site'] === undefined ? ', Basic realm="keyreeve", charset="UTF-8"' : '';
  return { 'www-authenticate': `Bearer realm="keyreeve"${basic}`, ...error.headers };
}

/**
 * For package clients, which send what they have only to somebody who asks for Basic, and read no other challenge
 * beside it. Scripts of a browser are spared its window here as well.
 */
export function withBasicChallenge(error: AppError, request: FastifyRequest): AppError {
  if (error.status !== 401) return error;
  const realm = new URL(request.caller.workspace.url).host;
  const scheme = request.headers['sec-fetch-site'] === undefined ? 'Basic' : 'Bearer';
  const { detail, fields, extra } = error;
  return new AppError(error.entry, {
    detail,
    fields,
    extra,
    headers: { ...error.headers, 'www-authenticate': `${scheme} realm="${realm}"` },
    cause: error,
  });
}

export function logFault(error: AppError, request: FastifyRequest): void {
  if (error.status >= 500)
    request.log.error({ err: error.cause ?? error, code: error.code }, 'the request failed');
}

export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logFault(error, request);
  return reply
    .code(error.status)
    .headers(challengeHeaders(error, request))
    .type('application/problem+json; charset=utf-8')
    .send(toProblem(error, request));
}

export function registerProblems(app: FastifyInstance): void {
  app.addSchema(ProblemSchema);
  app.setErrorHandler((error, request, reply) =>
    sendProblem(toAppError(error, request.routeOptions.bodyLimit), request, reply),
  );
}
